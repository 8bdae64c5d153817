#include "sandbox/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "taskbarge/core/files.hpp"

namespace taskbarge::sandbox {

journal::journal(journal&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}

journal& journal::operator=(journal&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
}

journal::~journal() {
    if (fd_ >= 0) close(fd_);
}

namespace {

// A kill in the middle of a write leaves half a line, which must not be glued to the next one.
void drop_half_line(int fd) {
    off_t end = lseek(fd, 0, SEEK_END);
    char last = 0;
    while (end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n')
        --end;
    if (end >= 0 && ftruncate(fd, end) != 0) throw std::system_error(errno, std::generic_category(), "sandbox journal");
}

}  // namespace

core::result<journal> journal::open(const std::string& path) {
    journal j;
    j.fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (j.fd_ < 0) {
        return core::failure{core::errc::io, "sandbox: cannot open the journal " + path + ": " + std::strerror(errno)};
    }
    drop_half_line(j.fd_);
    return j;
}

void journal::write(std::string_view lines) {
    const int error = core::write_all(fd_, lines);
    if (error != 0) throw std::system_error(error, std::generic_category(), "sandbox: cannot write the journal");
}

namespace {

std::optional<journal_entry> read_line(simdjson::dom::parser& parser, const std::string& line) {
    simdjson::dom::object object;
    if (parser.parse(line).get(object) != simdjson::SUCCESS) return std::nullopt;
    const auto text = [&](const char* key) {
        std::string_view value;
        return object[key].get(value) == simdjson::SUCCESS ? value : std::string_view();
    };
    const auto type = core::parse_task_type(text("type"));
    const auto priority = core::parse_task_priority(text("priority"));
    const auto status = core::parse_task_status(text("status"));
    const auto due_at = core::parse_rfc3339(text("due_at"));
    const auto created_at = core::parse_rfc3339(text("created_at"));
    if (!type || !priority || !status || !due_at || !created_at) return std::nullopt;
    return journal_entry{text("id"),
                         text("contact_id"),
                         {text("user_id"), *type, *priority, *status, *due_at, text("note")},
                         *created_at};
}

}  // namespace

core::result<void> read_journal(const std::string& path, const std::function<bool(const journal_entry&)>& take) {
    if (!std::filesystem::exists(path)) return {};
    std::ifstream file(path);
    if (!file) return core::failure{core::errc::io, "sandbox: cannot read the journal " + path};
    simdjson::dom::parser parser;
    std::string line;
    for (std::uint64_t number = 1; std::getline(file, line) && !file.eof(); ++number) {
        const auto entry = read_line(parser, line);
        if (!entry || !take(*entry)) {
            return core::failure{core::errc::io,
                                 fmt::format("sandbox: {} line {} is not a line of a sandbox journal", path, number)};
        }
    }
    return {};
}

}  // namespace taskbarge::sandbox
