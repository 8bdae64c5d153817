// The API key: a text that has no way to print itself.
#pragma once

#include <string>
#include <utility>

namespace taskbarge::core {

// Holds the key and overwrites its memory at the end. Copies only by intent; not streamable, not formattable.
class secret {
 public:
    secret() = default;
    explicit secret(std::string text) : text_(std::move(text)) {}
    secret(const secret&) = default;
    secret& operator=(const secret&) = default;
    // Copied and wiped: moving a short text would leave it where it was.
    secret(secret&& o) noexcept : text_(o.text_) { o.wipe(); }  // NOLINT(performance-move-constructor-init)
    secret& operator=(secret&& o) noexcept {
        if (this != &o) {
            wipe();
            text_ = o.text_;
            o.wipe();
        }
        return *this;
    }
    ~secret() { wipe(); }

    // For the one place that writes the request header.
    const std::string& reveal() const { return text_; }
    bool empty() const { return text_.empty(); }
    // Puts *** in every place where `text` repeats the key, as servers and proxies may.
    void erase_from(std::string& text) const;

 private:
    void wipe() noexcept;
    std::string text_;
};

}  // namespace taskbarge::core
