#include "taskbarge/core/printable.hpp"

namespace taskbarge::core {

std::string printable(std::string_view text, std::size_t most) {
    std::string out;
    for (const char c : text) {
        if (out.size() >= most) {
            // Not in the middle of a UTF-8 character.
            while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) {
                out.pop_back();
            }
            if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
            return out + "...";
        }
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7F ? ' ' : c;
    }
    return out;
}

}  // namespace taskbarge::core
