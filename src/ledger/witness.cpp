#include "ledger/witness.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "taskbarge/core/shortage.hpp"

namespace taskbarge::ledger {

namespace {

constexpr std::string_view magic = "taskbarge-ledger-1";
constexpr std::size_t id_size = 32, number_size = 20, check_size = 8;
constexpr std::size_t text_size = magic.size() + 1 + id_size + 1 + number_size;
constexpr std::size_t line_size = text_size + 1 + check_size + 1;

std::string check_of(std::string_view text) {
    return fmt::format("{:08x}",
                       ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

std::string to_line(const witness_line& of) {
    const auto text = fmt::format("{} {:>{}} {:0{}}", magic, of.ledger, id_size, of.events, number_size);
    return fmt::format("{} {}\n", text, check_of(text));
}

std::optional<witness_line> parse(std::string_view line) {
    if (line.size() != line_size || !line.starts_with(magic)) return std::nullopt;
    const auto text = line.substr(0, text_size);
    if (line.substr(text_size) != fmt::format(" {}\n", check_of(text))) return std::nullopt;
    witness_line out{std::string(text.substr(magic.size() + 1, id_size)), 0};
    const auto number = text.substr(text_size - number_size);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out.events);
    if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
    return out;
}

// Waits for others that write, which takes them microseconds.
class line_lock {
 public:
    explicit line_lock(int fd) : fd_(fd) {
        auto wanted = at(F_WRLCK);
        int done = 0;
        do
            done = ::fcntl(fd_, F_OFD_SETLKW, &wanted);
        while (done != 0 && errno == EINTR);
        held_ = done == 0;
    }
    ~line_lock() {
        auto free = at(F_UNLCK);
        if (held_) ::fcntl(fd_, F_OFD_SETLK, &free);
    }
    line_lock(const line_lock&) = delete;
    line_lock& operator=(const line_lock&) = delete;
    bool held() const { return held_; }

 private:
    static struct flock at(short type) {
        struct flock out {};
        out.l_type = type;
        out.l_whence = SEEK_SET;
        out.l_start = job_locks::witness_byte;
        out.l_len = 1;
        return out;
    }
    int fd_;
    bool held_ = false;
};

}  // namespace

core::failure witness::trouble(const char* what) const {
    if (auto why = core::shortage_of(path_, errno)) return *why;
    const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    const auto code = full ? core::errc::ledger_full : core::errc::ledger;
    return {code,
            fmt::format("{}: {} ({}); check the rights of the file and its disk", path_, what, std::strerror(errno))};
}

core::result<std::optional<witness_line>> witness::read_locked() const {
    std::array<char, line_size + 1> bytes{};
    const auto size = ::pread(fd_.get(), bytes.data(), bytes.size(), 0);
    if (size < 0) return trouble("cannot be read");
    if (size == 0) return std::optional<witness_line>();
    auto out = parse({bytes.data(), static_cast<std::size_t>(size)});
    if (out) return out;
    return core::failure{
        core::errc::ledger,
        fmt::format(
            "{} is damaged: it cannot say any more what was last sent with its ledger, which may be an older copy. "
            "Put the newest copy of both back, or go on with `taskbarge ledger accept`: what was not sent is then "
            "looked up in Apollo first",
            path_)};
}

core::result<void> witness::write_locked(const witness_line& line) const {
    const auto text = to_line(line);
    if (::pwrite(fd_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        return trouble("cannot be written");
    return {};
}

core::result<std::optional<witness_line>> witness::read() const {
    const line_lock lock(fd_.get());
    if (!lock.held()) return trouble("cannot be locked");
    return read_locked();
}

core::result<void> witness::raise(const witness_line& to) const {
    const line_lock lock(fd_.get());
    if (!lock.held()) return trouble("cannot be locked");
    auto now = read_locked();
    if (!now) return now.error();
    const bool same = *now && (*now)->ledger == to.ledger;
    if (same && (*now)->events >= to.events) return {};
    if (*now && !same && (*now)->events > 0) {
        return core::failure{core::errc::ledger,
                             fmt::format("{} belongs to another ledger since this run began; nothing more is sent. Run "
                                         "again",
                                         path_)};
    }
    if (auto done = write_locked(to); !done || same) return done;
    return sync();
}

core::result<void> witness::sync() const {
    if (::fsync(fd_.get()) != 0) return trouble("cannot be synced");
    return {};
}

core::result<void> witness::replace(const witness_line& by) const {
    const line_lock lock(fd_.get());
    if (!lock.held()) return trouble("cannot be locked");
    if (::ftruncate(fd_.get(), static_cast<off_t>(line_size)) != 0) return trouble("cannot be written");
    if (auto done = write_locked(by); !done) return done;
    return sync();
}

}  // namespace taskbarge::ledger
