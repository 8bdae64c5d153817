#include "service/inbox/item_names.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include "taskbarge/core/printable.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::service::inbox {

namespace {

constexpr std::size_t longest_name = 200;

bool is_ours(std::string_view name) {
    constexpr std::array<std::string_view, 12> ours{
        note_file,     own_settings_file, folder_settings_file, job_file,        plan_file,      started_file,
        "results.csv", "results.jsonl",   "rejects.csv",        "rejects.jsonl", "summary.json", "error.txt"};
    return std::find(ours.begin(), ours.end(), name) != ours.end();
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

bool is_utf8(std::string_view text) {
    return simdjson::validate_utf8(text.data(), text.size());
}

bool is_plain(char c) {
    return core::is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}

// Short enough, and still with its ending: it may tell the format.
std::string shortened_name(const std::string& name) {
    constexpr std::size_t longest_ending = 16;
    if (name.size() <= longest_name) return name;
    const auto dot = name.rfind('.');
    const std::string ending =
        dot != std::string::npos && name.size() - dot <= longest_ending ? name.substr(dot) : std::string();
    return std::string(core::cut_before_character(name, longest_name - ending.size())) + ending;
}

std::string without_bad_bytes(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (is_control(c)) c = '_';
    if (!is_utf8(out))
        for (char& c : out)
            if (static_cast<unsigned char>(c) >= 0x80) c = '_';
    return out;
}

// "20261125T190102Z"
std::string compact(core::instant time) {
    std::string out = core::to_rfc3339_seconds(time);
    std::erase_if(out, [](char c) { return c == '-' || c == ':'; });
    return out;
}

std::optional<core::instant> parse_compact(std::string_view text) {
    if (text.size() != 16) return std::nullopt;
    return core::parse_rfc3339(fmt::format("{}-{}-{}:{}:{}", text.substr(0, 4), text.substr(4, 2), text.substr(6, 5),
                                           text.substr(11, 2), text.substr(13)));
}

}  // namespace

core::result<void> check_name(std::string_view name) {
    const auto refused = [&](std::string_view why) {
        return core::failure{core::errc::usage, fmt::format("the name '{}' {}", core::printable(name, 80), why)};
    };
    if (name.empty()) return core::failure{core::errc::usage, "the file has no name"};
    if (name.size() > longest_name) return refused(fmt::format("is longer than {} bytes", longest_name));
    if (name.find('/') != std::string_view::npos) return refused("has a '/': give a name without folders");
    if (name.front() == '.') return refused("begins with a dot");
    if (std::any_of(name.begin(), name.end(), is_control)) return refused("has control characters");
    if (!is_utf8(name)) return refused("is not UTF-8");
    if (is_ours(name)) return refused("is one of taskbarge's own files; choose another");
    return {};
}

bool is_segment(std::string_view name) {
    using namespace std::string_view_literals;
    return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
           name.find_first_of("/\0"sv) == std::string_view::npos;
}

std::string fit_name(std::string_view dropped) {
    auto name = without_bad_bytes(dropped);
    if (name.empty() || name.front() == '.' || is_ours(name)) name = "input-" + name;
    return shortened_name(name);
}

std::string item_id::text() const {
    return fmt::format("{}.{}.{}", stem, compact(time), number);
}

item_id make_id(std::string_view name, core::instant time) {
    item_id out;
    for (const char c : name) {
        if (core::continues_character(c)) continue;  // one '_' for each character, not for each byte
        out.stem += is_plain(c) ? c : '_';
    }
    out.time = std::chrono::floor<std::chrono::seconds>(time);
    return out;
}

std::optional<item_id> parse_id(std::string_view text) {
    if (text.size() > 255 || text.empty() || text.front() == '.') return std::nullopt;
    if (!std::all_of(text.begin(), text.end(), is_plain)) return std::nullopt;
    const auto last = text.rfind('.');
    if (last == std::string_view::npos || last == 0) return std::nullopt;
    const auto middle = text.rfind('.', last - 1);
    if (middle == std::string_view::npos || middle == 0) return std::nullopt;
    const auto time = parse_compact(text.substr(middle + 1, last - middle - 1));
    const auto digits = text.substr(last + 1);
    item_id out;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.number);
    if (!time || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    out.stem = text.substr(0, middle);
    out.time = *time;
    // Only what text() would write: "01" is not another name for 1.
    if (out.text() != text) return std::nullopt;
    return out;
}

bool is_older(const item_id& a, const item_id& b) {
    return std::tie(a.time, a.number, a.stem) < std::tie(b.time, b.number, b.stem);
}

}  // namespace taskbarge::service::inbox
