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

output_file::output_file(std::string path, std::optional<core::whole_file> file, core::owned_fd device)
    : path_(std::move(path)),
      file_(std::move(file)),
      device_(std::move(device)),
      fd_(file_     ? file_->fd()
          : device_ ? device_.get()
                    : STDOUT_FILENO) {
    buffer_.reserve(full_at + full_at / 8);
}

core::result<output_file> output_file::open(const std::string& path) {
    if (path.empty() || path == "-") return output_file("standard output", std::nullopt, core::owned_fd());
    struct stat there {};
    const bool exists = ::stat(path.c_str(), &there) == 0;
    if (exists && !S_ISREG(there.st_mode)) {
        core::owned_fd device(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
        if (!device) return io_failure(path, errno);
        return output_file(path, std::nullopt, std::move(device));
    }
    auto place = exists ? link_target(path) : path;
    core::whole_file file(place, place + ".XXXXXX");
    if (file.error() != 0) return io_failure(path, file.error());
    return output_file(std::move(place), std::move(file), core::owned_fd());
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
    if (!file_ || unsynced_ < worth_writing) return;
    ::sync_file_range(fd_, 0, 0, SYNC_FILE_RANGE_WRITE);
    unsynced_ = 0;
}

core::result<void> output_file::finish() {
    flush();
    if (error_ != 0) return io_failure(path_, error_);
    if (!file_) return {};
    if (const int error = file_->place(); error != 0) return io_failure(path_, error);
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
