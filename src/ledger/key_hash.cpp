#include "ledger/key_hash.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "ledger/job_locks.hpp"
#include "taskbarge/core/files.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::ledger {

using core::result;

namespace {

constexpr std::size_t key_size = 32;

core::failure cannot_use(const std::string& path, const char* what) {
    return {core::errc::ledger, fmt::format("{}: cannot {}: {}; it holds the key of what the ledger keeps of contacts",
                                            path, what, std::strerror(errno))};
}

void require(bool ok) {
    if (!ok) throw std::runtime_error("HMAC-SHA-256 is not available from OpenSSL");
}

std::string random_key() {
    std::string key(key_size, '\0');
    require(RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) == 1);
    return key;
}

// Whole under its name, or not there: written under a name of its own first. Another process or thread may be quicker;
// then its key is the one.
result<void> make_key(const std::string& path) {
    auto draft = path + ".XXXXXX";
    const core::owned_fd fd(::mkostemp(draft.data(), O_CLOEXEC));  // mode 0600
    if (fd.get() < 0) return cannot_use(draft, "make it");
    const auto written = core::write_all(fd.get(), random_key()) == 0 && ::fsync(fd.get()) == 0;
    const bool there = written && (::link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
    const auto why = errno;
    (void)::unlink(draft.c_str());
    errno = why;
    if (!there) return cannot_use(path, "make it");
    return {};
}

}  // namespace

result<key_hash> key_hash::open(const std::string& path, bool may_make) {
    core::owned_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0 && errno == ENOENT) {
        if (!may_make) return core::failure{core::errc::io, path + " is not there"};
        if (auto made = make_key(path); !made) return made.error();
        fd = core::owned_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    }
    if (fd.get() < 0) return cannot_use(path, "open it");
    std::string key(key_size, '\0');
    const auto got = ::read(fd.get(), key.data(), key.size());
    if (got < 0) return cannot_use(path, "read it");
    if (static_cast<std::size_t>(got) != key_size)
        return core::failure{core::errc::ledger,
                             fmt::format("{} is damaged; move it away: what the ledger knows of contacts is then "
                                         "forgotten, and read from Apollo again",
                                         path)};
    return key_hash(key);
}

result<key_hash> key_hash::random() {
    return key_hash(random_key());
}

key_hash::key_hash(std::string_view key) {
    EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    require(hmac != nullptr);
    keyed_.reset(EVP_MAC_CTX_new(hmac));
    EVP_MAC_free(hmac);
    require(keyed_ != nullptr);
    char sha256[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", sha256, 0), OSSL_PARAM_construct_end()};
    require(EVP_MAC_init(keyed_.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size(), parameters) ==
            1);
    const auto name = of(0, 0xff, "taskbarge contacts");
    name_ = core::hex({reinterpret_cast<const unsigned char*>(name.data()), name.size()});
}

key_hash::digest key_hash::of(std::int64_t list, std::uint8_t kind, std::string_view text) const {
    // Begun anew with the key that it has.
    require(EVP_MAC_init(keyed_.get(), nullptr, 0, nullptr) == 1);
    std::array<unsigned char, sizeof list + 1> where{};
    std::memcpy(where.data(), &list, sizeof list);
    where.back() = kind;
    std::array<unsigned char, 32> out{};
    std::size_t written = 0;
    require(EVP_MAC_update(keyed_.get(), where.data(), where.size()) == 1 &&
            EVP_MAC_update(keyed_.get(), reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1 &&
            EVP_MAC_final(keyed_.get(), out.data(), &written, out.size()) == 1 && written == out.size());
    digest cut{};
    std::memcpy(cut.data(), out.data(), cut.size());
    return cut;
}

}  // namespace taskbarge::ledger
