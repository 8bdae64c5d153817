#include "taskbarge/core/printable.hpp"

namespace taskbarge::core {

std::string printable(std::string_view text, std::size_t most) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (out.size() >= most) {
            // Not in the middle of a UTF-8 character.
            while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) {
                out.pop_back();
            }
            if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
            return out + "...";
        }
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
        if (byte == 0xC2 && next >= 0x80 && next <= 0x9F) {  // U+0080 to U+009F: control characters as well
            out += ' ';
            ++i;
        } else {
            out += byte < 0x20 || byte == 0x7F ? ' ' : text[i];
        }
    }
    return out;
}

}  // namespace taskbarge::core
