// One input file as a stream of plain bytes: opened, decompressed, hashed as stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "reader/digest.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::reader {

// The name for messages: the path, or "standard input" for "-".
std::string display_name(const std::string& path);

// The file as it stands on the disk. Everything read is added to the digest.
class stored_file {
 public:
    static core::result<stored_file> open(const std::string& path, input_digest_builder& digest);
    stored_file(stored_file&& other) noexcept;
    stored_file& operator=(stored_file&&) = delete;
    ~stored_file();

    // Fills `out` unless the file ends before: less than `size` only at the end.
    core::result<std::size_t> read(char* out, std::size_t size);
    // The same, but the bytes may be hashed beside the caller: `keep` holds them, and nobody may change them any more.
    core::result<std::size_t> read_hashing_beside(char* out, std::size_t size, std::shared_ptr<const char[]> keep);
    std::uint64_t bytes_read() const { return bytes_read_; }
    // Of a regular file; 0 for a pipe.
    std::uint64_t size() const { return size_; }
    const std::string& name() const { return name_; }

 private:
    stored_file(int descriptor, std::string name, std::uint64_t size, input_digest_builder& digest)
        : descriptor_(descriptor), name_(std::move(name)), size_(size), digest_(&digest) {}
    core::result<std::size_t> read_raw(char* out, std::size_t size);

    int descriptor_;
    std::string name_;
    std::uint64_t size_;
    std::uint64_t bytes_read_ = 0;
    input_digest_builder* digest_;
};

// The plain bytes. What kind of compression there is shows in the first bytes, whatever the name says.
class byte_source {
 public:
    static core::result<byte_source> open(const std::string& path, input_digest_builder& digest);
    byte_source(byte_source&&) noexcept;
    ~byte_source();

    // Fills `out`, which `keep` holds, with decompressed bytes, unless they end before; nobody may change them any
    // more. A compressed file that stops early or is damaged is a failure (errc::input).
    core::result<std::size_t> read(char* out, std::size_t size, std::shared_ptr<const char[]> keep);
    // Reads what is left as stored, so that the digest covers the whole file.
    core::result<void> drain();
    std::string_view compression() const;  // "", "gzip", "zstd"
    std::uint64_t stored_bytes_read() const;
    const std::string& name() const;

    class decoder;

 private:
    explicit byte_source(std::unique_ptr<decoder> d);
    std::unique_ptr<decoder> decoder_;
};

}  // namespace taskbarge::reader
