#include "ledger/json_array.hpp"

#include <algorithm>
#include <charconv>

#include "taskbarge/core/text.hpp"

namespace taskbarge::ledger {

namespace {

bool needs_escape(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20) {
            out += "\\u00" + core::hex({&byte, 1});
        } else {
            if (needs_escape(c)) out += '\\';
            out += c;
        }
    }
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return 0;
}

}  // namespace

std::string to_json(const core::id_list& texts) {
    std::size_t size = 2;
    for (const auto text : texts)
        size += text.size() + 3;
    std::string out;
    out.reserve(size);
    out += '[';
    for (const auto text : texts) {
        out += out.size() > 1 ? ",\"" : "\"";
        if (std::any_of(text.begin(), text.end(), needs_escape))
            append_escaped(out, text);
        else
            out += text;
        out += '"';
    }
    out += ']';
    return out;
}

std::string to_json(const std::vector<std::int64_t>& numbers) {
    std::string out(numbers.size() * 21 + 2, '\0');
    char* at = out.data();
    char* const end = at + out.size();
    *at++ = '[';
    for (const auto number : numbers) {
        if (at != out.data() + 1) *at++ = ',';
        at = std::to_chars(at, end, number).ptr;
    }
    *at++ = ']';
    out.resize(static_cast<std::size_t>(at - out.data()));
    return out;
}

bool array_cursor::next(std::int64_t& out) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    if (error != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    skip_comma();
    return true;
}

bool array_cursor::next(std::string_view& out) {
    if (rest_.empty() || rest_.front() != '"') return false;
    std::size_t stop = 1;
    while (stop < rest_.size() && rest_[stop] != '"' && rest_[stop] != '\\')
        ++stop;
    if (stop == rest_.size()) return false;
    if (rest_[stop] == '\\') return next_escaped(out);
    out = rest_.substr(1, stop - 1);
    rest_.remove_prefix(stop + 1);
    skip_comma();
    return true;
}

bool array_cursor::next_escaped(std::string_view& out) {
    unescaped_.clear();
    std::size_t at = 1;
    while (at < rest_.size() && rest_[at] != '"') {
        if (rest_[at] != '\\') {
            unescaped_ += rest_[at++];
        } else if (rest_.substr(at, 4) == "\\u00" && at + 6 <= rest_.size()) {
            unescaped_ += static_cast<char>(hex_value(rest_[at + 4]) * 16 + hex_value(rest_[at + 5]));
            at += 6;
        } else {
            if (at + 1 >= rest_.size()) return false;
            unescaped_ += rest_[at + 1];
            at += 2;
        }
    }
    if (at >= rest_.size()) return false;
    rest_.remove_prefix(at + 1);
    skip_comma();
    out = unescaped_;
    return true;
}

core::id_list texts_of(std::string_view json) {
    core::id_list out;
    array_cursor cursor(json);
    for (std::string_view text; cursor.next(text);)
        out.push_back(text);
    return out;
}

std::vector<std::int64_t> numbers_of(std::string_view json) {
    std::vector<std::int64_t> out;
    array_cursor cursor(json);
    for (std::int64_t number = 0; cursor.next(number);)
        out.push_back(number);
    return out;
}

}  // namespace taskbarge::ledger
