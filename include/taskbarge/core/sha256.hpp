// SHA-256, by OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

struct evp_md_ctx_st;

namespace taskbarge::core {

using sha256_digest = std::array<unsigned char, 32>;

// Of bytes as they come. Where OpenSSL does not have it, all of this throws: nothing goes on without it.
class sha256 {
 public:
    sha256();
    void add(std::string_view bytes);
    // Of all bytes added so far; more can be added afterwards.
    sha256_digest digest() const;

 private:
    struct release {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, release> context_;
};

sha256_digest sha256_of(std::string_view text);

}  // namespace taskbarge::core
