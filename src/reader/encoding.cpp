#include "reader/encoding.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reader/byte_source.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

std::string to_utf8(std::string_view encoding, const file_report& file) {
    return conversion(fmt::format("iconv -f {} -t UTF-8", encoding), file, ".utf8");
}

// ASCII text in UTF-16 has a NUL in every second byte: at odd offsets when little-endian, at even ones when big-endian.
// Other characters between may have none; the other bytes of a text are never NUL.
bool nul_at_every(std::size_t offset, std::string_view head) {
    constexpr std::size_t enough = 8, looked_at = 256;
    if (head.size() < enough) return false;
    const std::size_t size = std::min(head.size(), looked_at) / 2 * 2;
    std::size_t there = 0;
    for (std::size_t i = 0; i < size; ++i) {
        if (head[i] != '\0') continue;
        if (i % 2 != offset) return false;
        ++there;
    }
    return there * 4 >= size;  // half of the characters
}

std::string_view wide_encoding(std::string_view head) {
    using namespace std::string_view_literals;
    if (head.starts_with("\xFF\xFE\0\0"sv) || head.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
    if (head.starts_with("\xFF\xFE"sv) || head.starts_with("\xFE\xFF"sv)) return "UTF-16";
    if (nul_at_every(1, head)) return "UTF-16LE";
    if (nul_at_every(0, head)) return "UTF-16BE";
    return {};
}

// The command before all others.
std::string_view unpacker_of(const file_report& file) {
    if (file.format.ends_with("+gzip")) return "gzip -dc";
    if (file.format.ends_with("+zstd")) return "zstd -dc";
    return {};
}

}  // namespace

std::string conversion(std::string_view filter, const file_report& file, std::string_view suffix,
                       std::string_view second) {
    const std::string behind = second.empty() ? std::string() : fmt::format(" | {}", second);
    if (file.name == display_name("-")) return fmt::format("pipe it through: {}{}", filter, behind);
    std::string plain_name = file.name;
    for (const std::string_view ending : {".gz", ".gzip", ".zst", ".zstd"})
        if (lower_case(plain_name).ends_with(ending)) plain_name.resize(plain_name.size() - ending.size());
    const std::string to = shell_quoted(plain_name.append(suffix)), from = shell_quoted(file.name);
    const std::string_view unpacker = unpacker_of(file);
    if (!unpacker.empty()) return fmt::format("convert it with: {} {} | {}{} > {}", unpacker, from, filter, behind, to);
    return fmt::format("convert it with: {} {}{} > {}", filter, from, behind, to);
}

std::string unpacking(std::string_view command, const file_report& file) {
    if (file.name == display_name("-")) return fmt::format("pipe it through: {}", command);
    const std::string from = shell_quoted(file.name);
    const std::string_view unpacker = unpacker_of(file);
    if (!unpacker.empty()) return fmt::format("unpack it with: {} {} | {} | taskbarge … -", unpacker, from, command);
    return fmt::format("unpack it with: {} {} | taskbarge … -", command, from);
}

std::string wide_encoding_message(std::string_view head, const file_report& file) {
    const std::string_view encoding = wide_encoding(head);
    if (encoding.empty()) return {};
    return fmt::format("{}: is {} text, not UTF-8; {}", file.name, encoding, to_utf8(encoding, file));
}

std::string not_utf8_message(std::string_view text, const file_report& file) {
    // 0x80 to 0x9F are letters and signs in Windows' encoding, unused control codes in ISO 8859-1.
    const bool windows = std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x80 && byte <= 0x9F;
    });
    return fmt::format("not valid UTF-8; if {} is a Latin-1 file, {}", file.name,
                       to_utf8(windows ? "WINDOWS-1252" : "ISO-8859-1", file));
}

}  // namespace taskbarge::reader
