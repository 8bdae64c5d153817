#include "taskbarge/core/secret.hpp"

#include <openssl/crypto.h>

namespace taskbarge::core {

void secret::wipe() noexcept {
    OPENSSL_cleanse(text_.data(), text_.capacity());  // not optimised away, as memset might be
    text_.clear();
}

void secret::erase_from(std::string& text) const {
    if (text_.empty()) return;
    for (auto at = text.find(text_); at != std::string::npos; at = text.find(text_, at))
        text.replace(at, text_.size(), "***");
}

}  // namespace taskbarge::core
