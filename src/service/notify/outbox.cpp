#include "service/notify/outbox.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

#include "taskbarge/core/files.hpp"
#include "taskbarge/core/json_text.hpp"
#include "taskbarge/core/sha256.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::service::notify {

namespace fs = std::filesystem;

namespace {

// More than tell() lets in, with its escapes.
constexpr std::uintmax_t most_of_a_file = 8U << 20U;
// A write takes moments: what is older than this was left by a process that died.
constexpr auto leftover_age = std::chrono::hours(1);

core::failure trouble(core::errc code, const std::string& path, int error) {
    return {code, fmt::format("the outbox of notifications, {}: {}", path, std::strerror(error))};
}

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
    simdjson::dom::parser parser;
    simdjson::dom::element parsed;
    if (parser.parse(text).get(parsed) != simdjson::SUCCESS) return std::nullopt;
    const auto member = [&](std::string_view name) -> std::optional<std::string> {
        std::string_view out;
        if (parsed[name].get(out) != simdjson::SUCCESS) return std::nullopt;
        return std::string(out);
    };
    const auto id = member("id"), event = member("event"), body = member("body");
    const auto told = core::parse_rfc3339(member("told_at").value_or(""));
    const auto due = core::parse_rfc3339(member("due_at").value_or(""));
    std::uint64_t failures = 0;
    if (parsed["failures"].get(failures) != simdjson::SUCCESS || failures > std::numeric_limits<std::uint32_t>::max() ||
        !id || !event || !body || !told || !due)
        return std::nullopt;
    return letter{*id, *event, *body, *told, static_cast<std::uint32_t>(failures), *due};
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
    if (const int error = core::sync_folder(folder_); error != 0) return trouble(core::errc::io, folder_, error);
    return {};
}

// An id may hold what no file name can: its hash names the file.
std::string outbox::path_of(const std::string& id) const {
    constexpr std::size_t enough = 16;
    const auto hash = core::sha256_of(id);
    return folder_ + "/" + core::hex(std::span(hash).first(enough)) + ".json";
}

core::result<void> outbox::write_whole(const std::string& path, std::string_view text) const {
    core::whole_file file(path, folder_ + "/.new-XXXXXX");
    int error = file.error();
    if (error == 0) error = core::write_all(file.fd(), text);
    if (error == 0) error = file.place();
    if (error != 0) return trouble(core::errc::io, path, error);
    return {};
}

}  // namespace taskbarge::service::notify
