// The keyed hash by which contacts' keys are kept, and the file that its key is in.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

#include "taskbarge/core/error.hpp"

namespace taskbarge::ledger {

class key_hash {
 public:
    static constexpr std::size_t size = 10;
    using digest = std::array<char, size>;

    // With the key in that file, which is made (mode 0600) where it is not there and may be. Fails with errc::ledger;
    // with no file and none to be made it is errc::io.
    static core::result<key_hash> open(const std::string& path, bool may_make);
    // With a key of its own that nobody else has.
    static core::result<key_hash> random();

    // Of a text in one list; `kind` keeps texts that mean different things apart.
    digest of(std::int64_t list, std::uint8_t kind, std::string_view text) const;
    // Tells keys apart without giving them away.
    const std::string& name() const { return name_; }

 private:
    struct free_context {
        void operator()(EVP_MAC_CTX* c) const { EVP_MAC_CTX_free(c); }
    };
    explicit key_hash(std::string_view key);
    std::unique_ptr<EVP_MAC_CTX, free_context> keyed_;
    std::string name_;
};

}  // namespace taskbarge::ledger
