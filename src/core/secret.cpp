#include "taskbarge/core/secret.hpp"

#include <openssl/crypto.h>

namespace taskbarge::core {

void secret::wipe() noexcept {
    OPENSSL_cleanse(text_.data(), text_.capacity());  // not optimised away, as memset might be
    text_.clear();
}

}  // namespace taskbarge::core
