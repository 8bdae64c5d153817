#include "service/notify/outbox.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "taskbarge/core/json_text.hpp"
#include "taskbarge/core/sha256.hpp"
#include "taskbarge/core/text.hpp"
#include "taskbarge/core/write_all.hpp"

namespace taskbarge::service::notify {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

// More than tell() lets in, with its escapes.
constexpr std::uintmax_t most_of_a_file = 8U << 20U;
// A write takes moments: what is older than this was left by a process that died.
constexpr auto leftover_age = std::chrono::hours(1);

core::failure trouble(core::errc code, const std::string& path, int error) {
    return {code, fmt::format("the outbox of notifications, {}: {}", path, std::strerror(error))};
}

// Open while it lives.
class descriptor {
 public:
    explicit descriptor(int fd) : fd_(fd) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

 private:
    int fd_;
};

std::string text_of(const letter& l) {
    std::string out;
    core::json_object object(out);
    object.text("id", l.id);
    object.text("event", l.event);
    object.text("told_at", core::to_rfc3339(l.told_at));
    object.number("failures", l.failures);
    object.text("due_at", core::to_rfc3339(l.due_at));
    object.text("body", l.body);
    object.close();
    out += '\n';
    return out;
}

std::optional<letter> letter_of(const std::string& text) {
    boost::system::error_code ec;
    const json::value parsed = json::parse(text, ec);
    const json::object* const object = ec ? nullptr : parsed.if_object();
    if (object == nullptr) return std::nullopt;
    const auto member = [&](std::string_view name) -> std::optional<std::string> {
        const json::value* const v = object->if_contains(name);
        const json::string* const s = v == nullptr ? nullptr : v->if_string();
        return s == nullptr ? std::nullopt : std::optional(std::string(*s));
    };
    const auto id = member("id"), event = member("event"), body = member("body");
    const auto told = core::parse_rfc3339(member("told_at").value_or(""));
    const auto due = core::parse_rfc3339(member("due_at").value_or(""));
    const json::value* const failures = object->if_contains("failures");
    const std::int64_t* const count = failures == nullptr ? nullptr : failures->if_int64();
    if (!id || !event || !body || !told || !due || count == nullptr || *count < 0 ||
        *count > std::numeric_limits<std::uint32_t>::max())
        return std::nullopt;
    return letter{*id, *event, *body, *told, static_cast<std::uint32_t>(*count), *due};
}

std::optional<std::string> read_file(const fs::path& path) {
    std::error_code ec;
    if (!fs::is_regular_file(fs::symlink_status(path, ec)) || fs::file_size(path, ec) > most_of_a_file || ec)
        return std::nullopt;
    std::ifstream in(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!in) return std::nullopt;
    return text;
}

}  // namespace

core::result<outbox> outbox::open(const std::string& folder) {
    constexpr mode_t ours_alone = 0700;
    if (::mkdir(folder.c_str(), ours_alone) != 0 && errno != EEXIST)
        return trouble(core::errc::settings, folder, errno);
    struct stat is {};
    if (::stat(folder.c_str(), &is) != 0) return trouble(core::errc::settings, folder, errno);
    if (!S_ISDIR(is.st_mode)) return trouble(core::errc::settings, folder, ENOTDIR);
    constexpr mode_t permissions = 07777;
    if ((is.st_mode & permissions) != ours_alone && ::chmod(folder.c_str(), ours_alone) != 0)
        return trouble(core::errc::settings, folder, errno);
    outbox made(folder);
    // Better now than when there is something to tell.
    const std::string trial = folder + "/.trial";
    if (auto ok = made.write_whole(trial, ""); !ok) return core::failure{core::errc::settings, ok.error().text};
    if (::unlink(trial.c_str()) != 0 && errno != ENOENT) return trouble(core::errc::settings, trial, errno);
    made.remove_leftovers();
    return made;
}

void outbox::remove_leftovers() const {
    std::error_code ec;
    for (fs::directory_iterator it(folder_, ec), end; !ec && it != end; it.increment(ec)) {
        const std::string name = it->path().filename().string();
        if (!name.starts_with(".new-")) continue;
        std::error_code ignored;  // one more leftover harms nobody
        const auto age = fs::file_time_type::clock::now() - it->last_write_time(ignored);
        if (!ignored && age > leftover_age) fs::remove(it->path(), ignored);
    }
}

core::result<std::vector<letter>> outbox::load(
    const std::function<void(const std::string& file, const std::string& why)>& set_aside) const {
    std::vector<letter> out;
    std::error_code ec;
    for (fs::directory_iterator it(folder_, ec), end; !ec && it != end; it.increment(ec)) {
        const fs::path path = it->path();
        if (path.extension() != ".json") continue;
        const auto text = read_file(path);
        auto found = text ? letter_of(*text) : std::nullopt;
        if (found && fs::path(path_of(found->id)).filename() == path.filename()) {
            out.push_back(std::move(*found));
            continue;
        }
        std::error_code failed;
        fs::rename(path, path.string() + ".unreadable", failed);
        set_aside(path.filename().string(),
                  failed ? "no notification, and it cannot be renamed: " + failed.message()
                         : "no notification that can be read; set aside with the ending .unreadable");
    }
    if (ec) return trouble(core::errc::settings, folder_, ec.value());
    std::sort(out.begin(), out.end(),
              [](const letter& a, const letter& b) { return std::tie(a.told_at, a.id) < std::tie(b.told_at, b.id); });
    return out;
}

core::result<void> outbox::save(const letter& l) const {
    return write_whole(path_of(l.id), text_of(l));
}

core::result<void> outbox::remove(const std::string& id) const {
    const std::string path = path_of(id);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return trouble(core::errc::io, path, errno);
    return sync_folder();
}

// An id may hold what no file name can: its hash names the file.
std::string outbox::path_of(const std::string& id) const {
    constexpr std::size_t enough = 16;
    const auto hash = core::sha256_of(id);
    return folder_ + "/" + core::hex(std::span(hash).first(enough)) + ".json";
}

core::result<void> outbox::write_whole(const std::string& path, std::string_view text) const {
    std::string temporary = folder_ + "/.new-XXXXXX";
    {
        const descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
        if (file.get() < 0) return trouble(core::errc::io, folder_, errno);
        int error = core::write_all(file.get(), text);
        if (error == 0 && ::fsync(file.get()) != 0) error = errno;
        if (error != 0) {
            ::unlink(temporary.c_str());
            return trouble(core::errc::io, path, error);
        }
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        const int error = errno;
        ::unlink(temporary.c_str());
        return trouble(core::errc::io, path, error);
    }
    return sync_folder();
}

core::result<void> outbox::sync_folder() const {
    const descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0 || ::fsync(folder.get()) != 0) return trouble(core::errc::io, folder_, errno);
    return {};
}

}  // namespace taskbarge::service::notify
