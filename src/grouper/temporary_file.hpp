// A file without a name, for what does not fit into memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/files.hpp"

namespace taskbarge::grouper {

// Made at the first flush, in `folder` (empty: TMPDIR, else /tmp), and gone with the process. Written at its end only,
// through a buffer; read anywhere. Failures are errc::io and name the folder.
class temporary_file {
 public:
    explicit temporary_file(std::string folder);

    core::result<void> append(std::string_view bytes);
    // Fills `size` bytes from `offset`, all of which were appended before.
    core::result<void> read(std::uint64_t offset, char* to, std::size_t size) const;
    std::uint64_t size() const { return written_ + buffer_.size(); }

 private:
    core::result<void> flush();
    core::result<void> make();
    core::failure trouble(const char* what, int error) const;

    std::string folder_;
    core::owned_fd fd_;
    std::uint64_t written_ = 0;
    std::string buffer_;
};

}  // namespace taskbarge::grouper
