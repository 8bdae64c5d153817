#include "reader/byte_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "reader/text.hpp"
#include "taskbarge/core/inflater.hpp"
#include "taskbarge/core/shortage.hpp"

namespace taskbarge::reader {
namespace {

core::failure unusable(std::string text) {
    return {core::errc::input, std::move(text)};
}

constexpr std::size_t stored_block = 256 << 10;  // compressed bytes a read
constexpr std::string_view gzip_magic = "\x1f\x8b";
constexpr std::string_view zstd_magic = "\x28\xb5\x2f\xfd";

// Frames of other data, which zstd's readers skip: pzstd begins with one. lz4 has the same, before frames of its own.
bool is_skippable(std::string_view head) {
    return head.size() >= 4 && (static_cast<unsigned char>(head[0]) & 0xF0) == 0x50 &&
           head.substr(1).starts_with("\x2a\x4d\x18");
}

}  // namespace

std::string display_name(const std::string& path) {
    return path == "-" ? "standard input" : path;
}

core::result<stored_file> stored_file::open(const std::string& path, input_digest_builder& digest) {
    if (path == "-") return stored_file(STDIN_FILENO, display_name(path), 0, digest);
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        if (auto why = core::shortage_of(path, errno)) return *why;
        return unusable(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
    }
    struct stat info {};
    const bool known = ::fstat(descriptor, &info) == 0;
    const bool regular = known && S_ISREG(info.st_mode);
    stored_file file(descriptor, path, regular ? static_cast<std::uint64_t>(info.st_size) : 0, digest);
    if (known && S_ISDIR(info.st_mode)) return unusable(fmt::format("{}: is a folder, not a file", path));
    if (regular) ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
    return file;
}

stored_file::stored_file(stored_file&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      name_(std::move(other.name_)),
      size_(other.size_),
      bytes_read_(other.bytes_read_),
      digest_(other.digest_) {}

stored_file::~stored_file() {
    if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
}

core::result<std::size_t> stored_file::read(char* out, std::size_t size) {
    auto n = read_raw(out, size);
    if (n) digest_->add(out, *n);
    return n;
}

core::result<std::size_t> stored_file::read_hashing_beside(char* out, std::size_t size,
                                                           std::shared_ptr<const char[]> keep) {
    auto n = read_raw(out, size);
    if (n) digest_->add_beside(out, *n, std::move(keep));
    return n;
}

core::result<std::size_t> stored_file::read_raw(char* out, std::size_t size) {
    std::size_t got = 0;
    while (got < size) {
        const ssize_t n = ::read(descriptor_, out + got, size - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return unusable(fmt::format("{}: cannot be read: {}", name_, std::strerror(errno)));
        if (n == 0) break;
        got += static_cast<std::size_t>(n);
    }
    bytes_read_ += got;
    return got;
}

// How the stored bytes become plain ones. The base gives them out as they are.
class byte_source::decoder {
 public:
    decoder(stored_file file, std::string head) : file_(std::move(file)), head_(std::move(head)) {}
    virtual ~decoder() = default;
    decoder(const decoder&) = delete;
    decoder& operator=(const decoder&) = delete;

    virtual core::result<std::size_t> read(char* out, std::size_t size, std::shared_ptr<const char[]> keep) {
        const std::size_t from_head = take_head(out, size);
        auto n = file_.read_hashing_beside(out + from_head, size - from_head, std::move(keep));
        if (!n) return n.error();
        return from_head + *n;
    }
    virtual std::string_view compression() const { return ""; }
    const stored_file& file() const { return file_; }

    core::result<std::size_t> read_stored(char* out, std::size_t size) {
        const std::size_t from_head = take_head(out, size);
        auto n = file_.read(out + from_head, size - from_head);
        if (!n) return n.error();
        return from_head + *n;
    }

 protected:
    core::failure damaged(std::string_view what) const {
        return unusable(
            fmt::format("{}: {}: the file is damaged or incomplete, fetch or make it again", file_.name(), what));
    }

 private:
    // The bytes looked at before the kind was known come first.
    std::size_t take_head(char* out, std::size_t size) {
        const std::size_t n = std::min(size, head_.size());
        std::memcpy(out, head_.data(), n);
        head_.erase(0, n);
        return n;
    }

    stored_file file_;
    std::string head_;
};

namespace {

// Input that a decompressor has not used yet.
class compressed_input {
 public:
    explicit compressed_input(byte_source::decoder& from) : from_(from), bytes_(stored_block) {}

    // True when bytes are there; reads more if need be.
    core::result<bool> available() {
        if (begin_ < end_) return true;
        if (at_end_) return false;
        auto n = from_.read_stored(bytes_.data(), bytes_.size());
        if (!n) return n.error();
        begin_ = 0;
        end_ = *n;
        at_end_ = *n < bytes_.size();
        return end_ > 0;
    }
    char* data() { return bytes_.data() + begin_; }
    std::size_t size() const { return end_ - begin_; }
    void use(std::size_t n) { begin_ += n; }

 private:
    byte_source::decoder& from_;
    std::vector<char> bytes_;
    std::size_t begin_ = 0, end_ = 0;
    bool at_end_ = false;
};

// gzip, also several members one after the other (RFC 1952, 2.2) and zero padding behind the last.
class gzip_decoder final : public byte_source::decoder {
 public:
    gzip_decoder(stored_file file, std::string head) : decoder(std::move(file), std::move(head)), input_(*this) {}
    std::string_view compression() const override { return "gzip"; }

    core::result<std::size_t> read(char* out, std::size_t size, std::shared_ptr<const char[]> /*keep*/) override {
        std::size_t got = 0;
        while (got < size) {
            auto more = input_.available();
            if (!more) return more.error();
            if (!*more) {
                if (in_member_) return damaged("the gzip data stops early");
                break;
            }
            if (auto begun = begin_member(); !begun) return begun.error();
            if (!in_member_) continue;
            auto n = inflate_some(out + got, size - got);
            if (!n) return n.error();
            got += *n;
        }
        return got;
    }

 private:
    // Between members: zeros are padding, anything else must be a new member.
    core::result<void> begin_member() {
        if (in_member_) return {};
        if (members_ > 0 && *input_.data() == '\0') {
            input_.use(1);
            padded_ = true;
            return {};
        }
        if (padded_ || (members_ > 0 && *input_.data() != gzip_magic.front()))
            return damaged("there are other bytes behind the gzip data");
        inflater_.begin_member();
        in_member_ = true;
        return {};
    }

    core::result<std::size_t> inflate_some(char* out, std::size_t size) {
        std::string_view in(input_.data(), input_.size());
        std::size_t room = size;
        const auto status = inflater_.step(in, out, room);
        input_.use(input_.size() - in.size());
        if (status == core::inflater::outcome::member_end) {
            in_member_ = false;
            ++members_;
        } else if (status == core::inflater::outcome::broken) {
            const auto why = inflater_.trouble();
            return damaged(fmt::format("the gzip data cannot be read ({})", why.empty() ? "no details" : why));
        }
        return size - room;
    }

    compressed_input input_;
    core::inflater inflater_;
    bool in_member_ = false, padded_ = false;
    std::uint64_t members_ = 0;
};

// zstd, also several frames one after the other; the library skips skippable ones.
class zstd_decoder final : public byte_source::decoder {
 public:
    zstd_decoder(stored_file file, std::string head)
        : decoder(std::move(file), std::move(head)), input_(*this), stream_(ZSTD_createDStream()) {
        if (!stream_) throw std::bad_alloc();
    }
    ~zstd_decoder() override { ZSTD_freeDStream(stream_); }
    std::string_view compression() const override { return "zstd"; }

    core::result<std::size_t> read(char* out, std::size_t size, std::shared_ptr<const char[]> /*keep*/) override {
        ZSTD_outBuffer to{out, size, 0};
        while (to.pos < to.size) {
            auto more = input_.available();
            if (!more) return more.error();
            const std::size_t before = to.pos;
            ZSTD_inBuffer from{input_.data(), *more ? input_.size() : 0, 0};
            const std::size_t left = ZSTD_decompressStream(stream_, &to, &from);
            if (ZSTD_isError(left)) return unreadable(left);
            input_.use(from.pos);
            // At the end of the input a call that gives nothing tells whether the last frame was complete.
            if (!*more && to.pos == before) {
                if (unfinished_) return damaged("the zstd data stops early");
                break;
            }
            if (from.pos > 0 || to.pos > before) unfinished_ = left != 0;
        }
        return to.pos;
    }

 private:
    core::failure unreadable(std::size_t error) const {
        const std::string from = file().name() == display_name("-") ? "" : shell_quoted(file().name()) + " ";
        switch (ZSTD_getErrorCode(error)) {
            case ZSTD_error_frameParameter_windowTooLarge:
                return unusable(
                    fmt::format("{}: is zstd data with a window of more than 128 MiB; unpack it with: "
                                "zstd -dc --long=31 {}| taskbarge … -",
                                file().name(), from));
            case ZSTD_error_dictionary_wrong:
                return unusable(
                    fmt::format("{}: is zstd data that needs a dictionary; unpack it with: zstd -dc -D "
                                "DICTIONARY {}| taskbarge … -",
                                file().name(), from));
            case ZSTD_error_prefix_unknown:
                return unusable(
                    fmt::format("{}: what stands behind the zstd data or its first frame is none; if it is "
                                "lz4, unpack it with: lz4 -dc {}| taskbarge … -",
                                file().name(), from));
            default:
                return damaged(fmt::format("the zstd data cannot be read ({})", ZSTD_getErrorName(error)));
        }
    }

    compressed_input input_;
    ZSTD_DStream* stream_;
    bool unfinished_ = false;
};

}  // namespace

core::result<byte_source> byte_source::open(const std::string& path, input_digest_builder& digest) {
    auto file = stored_file::open(path, digest);
    if (!file) return file.error();
    std::string head(zstd_magic.size(), '\0');
    auto n = file->read(head.data(), head.size());
    if (!n) return n.error();
    head.resize(*n);
    std::unique_ptr<decoder> d;
    if (head.starts_with(gzip_magic))
        d = std::make_unique<gzip_decoder>(std::move(*file), std::move(head));
    else if (head == zstd_magic || is_skippable(head))
        d = std::make_unique<zstd_decoder>(std::move(*file), std::move(head));
    else
        d = std::make_unique<decoder>(std::move(*file), std::move(head));
    return byte_source(std::move(d));
}

byte_source::byte_source(std::unique_ptr<decoder> d) : decoder_(std::move(d)) {}
byte_source::byte_source(byte_source&&) noexcept = default;
byte_source::~byte_source() = default;

core::result<std::size_t> byte_source::read(char* out, std::size_t size, std::shared_ptr<const char[]> keep) {
    return decoder_->read(out, size, std::move(keep));
}

core::result<void> byte_source::drain() {
    std::vector<char> rest(stored_block);
    for (;;) {
        auto n = decoder_->read_stored(rest.data(), rest.size());
        if (!n) return n.error();
        if (*n < rest.size()) return {};
    }
}

std::string_view byte_source::compression() const {
    return decoder_->compression();
}
std::uint64_t byte_source::stored_bytes_read() const {
    return decoder_->file().bytes_read();
}
const std::string& byte_source::name() const {
    return decoder_->file().name();
}

}  // namespace taskbarge::reader
