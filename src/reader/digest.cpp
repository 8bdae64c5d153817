#include "reader/digest.hpp"

#include <array>
#include <stdexcept>

namespace taskbarge::reader {
namespace {

void require(int ok) {
    if (ok != 1) throw std::runtime_error("SHA-256 is not available from OpenSSL");
}

}  // namespace

sha256::sha256() : context_(EVP_MD_CTX_new()) {
    if (!context_) throw std::bad_alloc();
    require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void sha256::add(const char* data, std::size_t size) {
    require(EVP_DigestUpdate(context_.get(), data, size));
}

std::string sha256::hex() const {
    // Finishing spoils a context; the copy leaves this one open for more.
    const std::unique_ptr<EVP_MD_CTX, release> copy(EVP_MD_CTX_new());
    if (!copy) throw std::bad_alloc();
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int size = 0;
    require(EVP_MD_CTX_copy_ex(copy.get(), context_.get()));
    require(EVP_DigestFinal_ex(copy.get(), bytes.data(), &size));
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (unsigned int i = 0; i < size; ++i) {
        out += digits[bytes[i] >> 4];
        out += digits[bytes[i] & 15];
    }
    return out;
}

}  // namespace taskbarge::reader
