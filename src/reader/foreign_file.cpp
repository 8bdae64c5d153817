#include "reader/foreign_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reader/byte_source.hpp"
#include "reader/encoding.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

using namespace std::string_view_literals;

struct packed_kind {
    std::string_view magic;
    std::string_view name;
    std::string_view command;
};
constexpr packed_kind packed_kinds[] = {
    {"\xFD"
     "7zXZ\0"sv,
     "xz", "xz -dc"},
    {"\x1F\x8B", "gzip", "gzip -dc"},  // within gzip or zstd: else it was read
    {"\x28\xB5\x2F\xFD", "zstd", "zstd -dc"},
    {"\x04\x22\x4D\x18", "lz4", "lz4 -dc"},
    {"LZIP\x01", "lzip", "lzip -dc"},
    {"\x1F\x9D", "compress", "gzip -dc"},
    {"\x1F\xA0", "compress", "gzip -dc"},
    {"\x89LZO\0"sv, "lzop", "lzop -dc"},
    {"\xFF\x06\0\0sNaPpY"sv, "snappy", "snzip -dc"},
    {"7z\xBC\xAF\x27\x1C", "7z", "7z e -so"},
    {"Rar!\x1A\x07", "rar", "unrar p -inul"},
    {"\x5D\0\0"sv, "lzma", "xz -dc"},
    {"-----BEGIN PGP MESSAGE", "encrypted (OpenPGP)", "gpg -d"},
};

struct other_kind {
    std::string_view magic;
    std::string_view what;  // with the way out
};
constexpr other_kind other_kinds[] = {
    {"\xD0\xCF\x11\xE0", "a spreadsheet or archive, not text; save it as CSV (UTF-8)"},
    {"PAR1", "a Parquet file, not text; make CSV of it, such as with: duckdb -csv -c \"FROM read_parquet({})\""},
    {"Obj\x01", "an Avro file, not text; make JSON lines of it, such as with: avrocat {}"},
    {"ARROW1\0"sv, "an Arrow file, not text; export it as CSV (UTF-8)"},
    {"SQLite format 3\0"sv,
     "a database, not text; export its table, such as with: sqlite3 -header -csv {} 'SELECT * FROM contacts'"},
    {"%PDF", "a PDF document, not a table; export it as CSV (UTF-8)"},
    {"{\\rtf", "a text document (RTF), not a table; export it as CSV (UTF-8)"},
    {"version https://git-lfs", "a pointer of Git LFS, not the file; fetch it with: git lfs pull"},
};

bool is_bzip2(std::string_view head) {
    return head.size() > 9 && head.starts_with("BZh") && head[3] >= '1' && head[3] <= '9' &&
           (head.substr(4).starts_with("1AY&SY") || head.substr(4).starts_with("\x17\x72\x45\x38\x50\x90"));
}

// A zlib stream without gzip's header.
bool is_zlib(std::string_view head) {
    return head.starts_with("\x78\x01") || head.starts_with("\x78\x9C") || head.starts_with("\x78\xDA");
}

bool is_tar(std::string_view head) {
    constexpr std::size_t place = 257;
    return head.size() > place && head.substr(place).starts_with("ustar");
}

std::string tar_message(const file_report& file) {
    std::string_view how = "tar -xOf";
    if (file.format.ends_with("+gzip")) how = "tar -xzOf";
    if (file.format.ends_with("+zstd")) how = "tar --zstd -xOf";
    const bool piped = file.name == display_name("-");
    return "an archive (tar) of files; " +
           (piped ? std::string("pipe it through: tar -xO")
                  : fmt::format("unpack it with: {} {} | taskbarge … -", how, shell_quoted(file.name)));
}

// Most are spreadsheets, which are zip archives within.
std::string zip_message(std::string_view head, const file_report& file) {
    constexpr std::size_t size_at = 26, name_at = 30;
    std::string name;
    if (head.size() > name_at) {
        const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(head[i])); };
        name = lower_case(head.substr(name_at, byte(size_at) | byte(size_at + 1) << 8));
    }
    const auto is_table = [&](std::string_view ending) { return name.ends_with(ending); };
    constexpr std::array<std::string_view, 7> tables{".csv", ".tsv", ".tab", ".psv", ".txt", ".jsonl", ".ndjson"};
    if (std::any_of(tables.begin(), tables.end(), is_table))
        return fmt::format("a zip archive that holds {}; {}", shown(name), unpacking("unzip -p", file));
    return "a spreadsheet or archive, not text; save it as CSV (UTF-8)";
}

std::string text_between(std::string_view text, std::string_view open, std::string_view close) {
    const auto begin = lower_case(text).find(open);
    if (begin == std::string::npos) return {};
    const std::string_view rest = text.substr(begin + open.size());
    return std::string(trimmed(rest.substr(0, std::min(rest.find('<'), rest.find(close)))));
}

// A page of a site that wants a login, or the error of a store, saved under the table's name.
std::string markup_message(std::string_view text) {
    const std::string small = lower_case(text);
    constexpr std::array<std::string_view, 9> pages{"<!doctype html", "<html",   "<head", "<body", "<table",
                                                    "<meta",          "<script", "<div",  "<title"};
    const auto begins = [&](std::string_view with) { return small.starts_with(with); };
    const bool page = std::any_of(pages.begin(), pages.end(), begins) || small.find("<html") < 512;
    const bool xml = begins("<?xml") || begins("<!doctype") || begins("<error") || begins("<!--");
    if (!page && !xml) return {};
    if (small.find("<workbook") != std::string::npos || small.find("excel.sheet") != std::string::npos)
        return "a spreadsheet as XML, not text; save it as CSV (UTF-8)";
    std::string says = text_between(text, "<title>", "</title>");
    if (says.empty()) says = text_between(text, "<message>", "</message>");
    if (says.empty()) says = text_between(text, "<code>", "</code>");
    return fmt::format("{}, not a table{}; fetch the export again, signed in, or save it as CSV (UTF-8)",
                       page ? "a web page" : "XML, such as a server's error message",
                       says.empty() ? "" : ": it says " + shown(says));
}

std::string what_it_is(std::string_view head, const file_report& file) {
    if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) return zip_message(head, file);
    for (const packed_kind& kind : packed_kinds)
        if (head.starts_with(kind.magic))
            return fmt::format("compressed with {}, which is not read; {}", kind.name, unpacking(kind.command, file));
    if (is_bzip2(head)) return "compressed with bzip2, which is not read; " + unpacking("bzip2 -dc", file);
    if (is_zlib(head)) return "compressed with zlib, which is not read; " + unpacking("pigz -dc", file);
    if (is_tar(head)) return tar_message(file);
    for (const other_kind& kind : other_kinds)
        if (head.starts_with(kind.magic)) return fmt::format(fmt::runtime(kind.what), shell_quoted(file.name));
    const auto first = head.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || head[first] != '<') return {};
    return markup_message(head.substr(first));
}

}  // namespace

std::string foreign_file_message(std::string_view head, const file_report& file) {
    const std::string what = what_it_is(head, file);
    return what.empty() ? what : fmt::format("{}: is {}", file.name, what);
}

}  // namespace taskbarge::reader
