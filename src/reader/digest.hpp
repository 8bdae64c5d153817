// SHA-256 over bytes as they come.
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <string>

namespace taskbarge::reader {

class sha256 {
 public:
    sha256();
    void add(const char* data, std::size_t size);
    // Of all bytes added so far, lower-case hex.
    std::string hex() const;

 private:
    struct release {
        void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
    };
    std::unique_ptr<EVP_MD_CTX, release> context_;
};

}  // namespace taskbarge::reader
