#include "taskbarge/core/sha256.hpp"

#include <openssl/evp.h>

#include <new>
#include <stdexcept>

namespace taskbarge::core {
namespace {

void require(int ok) {
    if (ok != 1) throw std::runtime_error("SHA-256 is not available from OpenSSL");
}

}  // namespace

void sha256::release::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

sha256::sha256() : context_(EVP_MD_CTX_new()) {
    if (!context_) throw std::bad_alloc();
    require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void sha256::add(std::string_view bytes) {
    require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

sha256_digest sha256::digest() const {
    // Finishing spoils a context; the copy leaves this one open for more.
    const std::unique_ptr<evp_md_ctx_st, release> copy(EVP_MD_CTX_new());
    if (!copy) throw std::bad_alloc();
    sha256_digest out{};
    require(EVP_MD_CTX_copy_ex(copy.get(), context_.get()));
    require(EVP_DigestFinal_ex(copy.get(), out.data(), nullptr));
    return out;
}

sha256_digest sha256_of(std::string_view text) {
    sha256_digest out{};
    require(EVP_Digest(text.data(), text.size(), out.data(), nullptr, EVP_sha256(), nullptr));
    return out;
}

}  // namespace taskbarge::core
