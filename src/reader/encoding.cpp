#include "reader/encoding.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

std::string conversion(std::string_view encoding, const std::string& name) {
    if (name == "standard input") return fmt::format("pipe it through: iconv -f {} -t UTF-8", encoding);
    return fmt::format("convert it with: iconv -f {} -t UTF-8 {} > {}", encoding, shell_quoted(name),
                       shell_quoted(name + ".utf8"));
}

// ASCII text in UTF-16 has a NUL in every second byte: at odd offsets when little-endian, at even ones when big-endian.
bool nul_at_every(std::size_t offset, std::string_view head) {
    constexpr std::size_t enough = 8, looked_at = 256;
    if (head.size() < enough) return false;
    const std::size_t size = std::min(head.size(), looked_at) / 2 * 2;
    for (std::size_t i = 0; i < size; ++i)
        if ((head[i] == '\0') != (i % 2 == offset)) return false;
    return true;
}

std::string_view wide_encoding(std::string_view head) {
    using namespace std::string_view_literals;
    if (head.starts_with("\xFF\xFE\0\0"sv) || head.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
    if (head.starts_with("\xFF\xFE"sv) || head.starts_with("\xFE\xFF"sv)) return "UTF-16";
    if (nul_at_every(1, head)) return "UTF-16LE";
    if (nul_at_every(0, head)) return "UTF-16BE";
    return {};
}

}  // namespace

std::string wide_encoding_message(std::string_view head, const std::string& name) {
    const std::string_view encoding = wide_encoding(head);
    if (encoding.empty()) return {};
    return fmt::format("{}: is {} text, not UTF-8; {}", name, encoding, conversion(encoding, name));
}

std::string not_utf8_message(std::string_view text, const std::string& name) {
    // 0x80 to 0x9F are letters and signs in Windows' encoding, unused control codes in ISO 8859-1.
    const bool windows = std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x80 && byte <= 0x9F;
    });
    return fmt::format("not valid UTF-8; if {} is a Latin-1 file, {}", name,
                       conversion(windows ? "WINDOWS-1252" : "ISO-8859-1", name));
}

}  // namespace taskbarge::reader
