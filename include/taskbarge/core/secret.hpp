// The API key: a text that has no way to print itself.
#pragma once

#include <string>
#include <string_view>
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
    // Puts *** in every place where `text` repeats the key, as servers and proxies may, also where characters of it are
    // spelled with the escapes of JSON, of a URL or of HTML. Takes time in proportion to the text.
    void erase_from(std::string& text) const;
    // Whether it would.
    bool is_in(std::string_view text) const;

 private:
    // Whether a spelling of the key may begin with this character.
    bool may_begin(char c) const { return c == text_.front() || c == '\\' || c == '%' || c == '&'; }
    void wipe() noexcept;
    std::string text_;
};

}  // namespace taskbarge::core
