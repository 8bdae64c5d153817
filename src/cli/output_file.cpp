#include "cli/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "taskbarge/core/write_all.hpp"

namespace taskbarge::cli {

namespace {

core::failure io_failure(const std::string& path, int error) {
    return {core::errc::io, fmt::format("cannot write {}: {}", path, std::strerror(error))};
}

// The file itself where `path` is a symbolic link to it.
std::string link_target(const std::string& path) {
    std::error_code error;
    const auto target = std::filesystem::canonical(path, error);
    return error ? path : target.string();
}

}  // namespace

output_file::output_file(int fd, std::string path, std::string temporary)
    : fd_(fd), path_(std::move(path)), temporary_(std::move(temporary)) {
    buffer_.reserve(full_at + full_at / 8);
}

output_file::output_file(output_file&& o) noexcept
    : fd_(std::exchange(o.fd_, -1)),
      path_(std::move(o.path_)),
      temporary_(std::exchange(o.temporary_, {})),
      buffer_(std::move(o.buffer_)),
      broken_(o.broken_),
      error_(o.error_) {}

output_file::~output_file() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

core::result<output_file> output_file::open(const std::string& path) {
    if (path.empty() || path == "-") return output_file(STDOUT_FILENO, "standard output", "");
    struct stat there {};
    const bool exists = ::stat(path.c_str(), &there) == 0;
    if (exists && !S_ISREG(there.st_mode)) {
        const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (fd < 0) return io_failure(path, errno);
        return output_file(fd, path, "");
    }
    const std::string place = exists ? link_target(path) : path;
    std::string temporary = place + ".XXXXXX";
    const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);  // mode 0600
    if (fd < 0) return io_failure(path, errno);
    return output_file(fd, place, std::move(temporary));
}

void output_file::flush() {
    if (!broken_) {
        const int error = core::write_all(fd_, buffer_);
        broken_ = error != 0;
        if (error != EPIPE) error_ = error;
        unsynced_ += buffer_.size();
    }
    buffer_.clear();
    // The disk begins to write while there is more to come: finish() would wait for a gigabyte otherwise. Only a hint.
    constexpr std::size_t worth_writing = 16U << 20U;
    if (temporary_.empty() || unsynced_ < worth_writing) return;
    ::sync_file_range(fd_, 0, 0, SYNC_FILE_RANGE_WRITE);
    unsynced_ = 0;
}

core::result<void> output_file::finish() {
    flush();
    if (error_ != 0) return io_failure(path_, error_);
    if (temporary_.empty()) return {};
    if (::fsync(fd_) != 0) return io_failure(path_, errno);
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) return io_failure(path_, errno);
    temporary_.clear();
    return {};
}

bool is_stdout_open() {
    const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
    return flags != -1 && (flags & O_ACCMODE) != O_RDONLY;
}

core::result<void> print(std::string_view text) {
    auto out = output_file::open("");
    if (!out) return out.error();
    out->write(text);
    return out->finish();
}

}  // namespace taskbarge::cli
