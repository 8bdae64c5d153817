#include "taskbarge/core/contact_key.hpp"

#include <fmt/format.h>
#include <idn2.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "taskbarge/core/printable.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::core {
namespace {

constexpr std::size_t longest_cell = 2000;  // more would only cost time
constexpr std::size_t longest_key = 320;    // of an e-mail address, and far more than the others have

struct with_free {
    void operator()(std::uint8_t* p) const { std::free(p); }
};
using library_text = std::unique_ptr<std::uint8_t, with_free>;

const std::uint8_t* as_bytes(std::string_view text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::string text_from(const library_text& text, std::size_t size) {
    return {reinterpret_cast<const char*>(text.get()), size};
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_letter_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Of UTF-8, in NFC. Empty only where there is no memory for it.
std::string lower_nfc(std::string_view text) {
    if (is_ascii(text)) return lower_case(text);
    std::size_t size = 0;
    const library_text composed(u8_normalize(UNINORM_NFC, as_bytes(text), text.size(), nullptr, &size));
    if (!composed) return {};
    std::size_t lower_size = 0;
    const library_text lower(u8_tolower(composed.get(), size, nullptr, UNINORM_NFC, nullptr, &lower_size));
    return lower ? text_from(lower, lower_size) : std::string();
}

// The usual character, for which no table need be looked at.
bool is_plain(char c) {
    return c > ' ' && c < '\x7F';
}

bool is_blank_code(ucs4_t c) {
    return c <= ' ' || uc_is_property_white_space(c);
}

bool shows(ucs4_t c) {
    return c > ' ' && c != 0x7F && !(c >= 0x80 && c <= 0x9F) && !uc_is_property_white_space(c) &&
           !uc_is_property_default_ignorable_code_point(c);
}

// Without what does not show at both ends. `text` is UTF-8.
std::string_view shown_part(std::string_view text) {
    while (!text.empty() && !is_plain(text.front())) {
        ucs4_t c = 0;
        const int size = u8_mbtouc(&c, as_bytes(text), text.size());
        if (shows(c)) break;
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    while (!text.empty() && !is_plain(text.back())) {
        ucs4_t c = 0;
        const auto* const end = as_bytes(text) + text.size();
        const auto* const last = u8_prev(&c, end, as_bytes(text));
        if (last == nullptr || shows(c)) break;
        text.remove_suffix(static_cast<std::size_t>(end - last));
    }
    return text;
}

// What stands in `text` that does not show, for messages; empty: nothing.
std::string hidden_in(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        if (is_plain(text[at])) {
            ++at;
            continue;
        }
        ucs4_t c = 0;
        at += static_cast<std::size_t>(u8_mbtouc(&c, as_bytes(text) + at, text.size() - at));
        if (is_blank_code(c)) return c == ' ' ? "a blank" : "a blank or line break";
        if (!shows(c)) return fmt::format("a character that does not show (U+{:04X})", c);
    }
    return {};
}

// "%C3%A9" to its byte; what is no such code stays.
std::string percent_decoded(std::string_view text) {
    const auto digit = [](char c) {
        if (is_digit(c)) return c - '0';
        const char small = static_cast<char>(c | 0x20);
        return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
    };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? digit(text[i + 1]) : -1;
        const int low = high < 0 ? -1 : digit(text[i + 2]);
        if (low < 0) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

bool is_utf8(std::string_view text) {
    return is_ascii(text) || u8_check(as_bytes(text), text.size()) == nullptr;
}

constexpr const char* like_address = "write it like dana@example.com";
constexpr const char* like_salesforce = "write the id of a contact (003...) or lead (00Q...), 15 or 18 characters";
constexpr const char* like_hubspot = "write the contact's record id, digits only";
constexpr const char* like_profile = "write it like https://www.linkedin.com/in/dana-reyes";

failure no_key(std::string_view text, std::string_view why) {
    return {errc::input, fmt::format("\"{}\" {}", printable(text, 60), why)};
}

failure no_address(std::string_view text, std::string_view why) {
    return no_key(text, fmt::format("is no e-mail address: {}; {}", why, like_address));
}

// What is wrong with a domain in its ASCII form; empty: nothing.
std::string fault_of_domain(std::string_view domain) {
    constexpr std::size_t longest_label = 63, longest_domain = 253;
    if (domain.find('.') == std::string_view::npos) return "its domain has no dot";
    if (domain.size() > longest_domain) return "its domain is too long";
    for (std::size_t from = 0; from <= domain.size();) {
        const std::size_t end = std::min(domain.find('.', from), domain.size());
        const std::string_view label = domain.substr(from, end - from);
        if (label.empty()) return "its domain has a dot too many";
        if (label.size() > longest_label) return "its domain is too long";
        for (const char c : label)
            if (!is_letter_character(c) && !is_digit(c) && c != '-' && c != '_')
                return fmt::format("its domain has a {}", printable(std::string_view(&c, 1)));
        from = end + 1;
    }
    return {};
}

// The domain in its ASCII form and lower case; empty where it has none.
std::string ascii_domain(std::string_view domain) {
    if (is_ascii(domain)) return lower_case(domain);
    std::uint8_t* found = nullptr;
    const std::string terminated(domain);
    if (idn2_lookup_u8(as_bytes(terminated), &found, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK) return {};
    const library_text owned(found);
    return lower_case(reinterpret_cast<const char*>(owned.get()));
}

result<std::string> address_key(std::string_view cell) {
    std::string_view text = cell;
    // "Dana Reyes <dana@example.com>"
    if (const auto open = text.rfind('<'); text.ends_with('>') && open != std::string_view::npos)
        text = shown_part(text.substr(open + 1, text.size() - open - 2));
    std::string decoded;
    constexpr std::string_view scheme = "mailto:";
    if (lower_case(text.substr(0, scheme.size())) == scheme) {
        decoded = percent_decoded(text.substr(scheme.size(), text.find('?') - scheme.size()));
        if (!is_utf8(decoded)) return no_address(cell, "it is not UTF-8");
        text = shown_part(decoded);
    }
    const auto at = text.find('@');
    if (at == std::string_view::npos) return no_address(cell, "it has no @");
    if (text.find('@', at + 1) != std::string_view::npos)
        return no_key(cell, "has more than one @; keep one address in a cell, like dana@example.com");
    if (const auto hidden = hidden_in(text); !hidden.empty()) return no_address(cell, "it has " + hidden);
    if (at == 0) return no_address(cell, "nothing stands before the @");
    if (at + 1 == text.size()) return no_address(cell, "nothing stands behind the @");
    const auto odd = text.substr(0, at).find_first_of("()<>[]:;,\\\"");
    if (odd != std::string_view::npos) return no_address(cell, fmt::format("it has a {}", text[odd]));
    const std::string domain = ascii_domain(text.substr(at + 1));
    if (domain.empty()) return no_address(cell, "its domain cannot be one");
    if (const auto wrong = fault_of_domain(domain); !wrong.empty()) return no_address(cell, wrong);
    std::string local = lower_nfc(text.substr(0, at));
    if (local.empty() || local.size() + 1 + domain.size() > longest_key) return no_address(cell, "it is too long");
    return local + "@" + domain;
}

struct salesforce_object {
    std::string_view prefix, name;
};
constexpr salesforce_object other_objects[] = {
    {"001", "an account"},        {"005", "a user"},    {"006", "an opportunity"}, {"00D", "an organization"},
    {"00G", "a group"},           {"00O", "a report"},  {"00T", "a task"},         {"00U", "an event"},
    {"00v", "a campaign member"}, {"02s", "an e-mail"}, {"500", "a case"},         {"701", "a campaign"},
    {"800", "a contract"},
};

// The three characters that stand for the capitals of the fifteen before, five of them each.
std::string capitals_of(std::string_view id) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    std::string out;
    for (std::size_t group = 0; group < 3; ++group) {
        std::size_t bits = 0;
        for (std::size_t i = 0; i < 5; ++i)
            if (const char c = id[group * 5 + i]; c >= 'A' && c <= 'Z') bits |= std::size_t{1} << i;
        out += digits[bits];
    }
    return out;
}

result<std::string> salesforce_key(std::string_view text) {
    constexpr std::size_t short_size = 15, long_size = 18;
    const bool plain =
        std::all_of(text.begin(), text.end(), [](char c) { return is_letter_character(c) || is_digit(c); });
    if (!plain || (text.size() != short_size && text.size() != long_size))
        return no_key(text, fmt::format("is no id of Salesforce's; {}", like_salesforce));
    const std::string_view id = text.substr(0, short_size), prefix = id.substr(0, 3);
    const auto is_of = [&](const salesforce_object& o) { return o.prefix == prefix; };
    if (const auto* other = std::find_if(std::begin(other_objects), std::end(other_objects), is_of);
        other != std::end(other_objects))
        return no_key(text, fmt::format("is the id of {} in Salesforce; {}", other->name, like_salesforce));
    if (prefix.front() == 'a')
        return no_key(text, fmt::format("is the id of a record of one's own kind in Salesforce; {}", like_salesforce));
    if (prefix == "00q")
        return no_key(text, "is an id of Salesforce's whose capitals were lost; export it anew, they count");
    if (prefix != "003" && prefix != "00Q")
        return no_key(text, fmt::format("is no id of a contact or lead in Salesforce; {}", like_salesforce));
    if (text.size() == long_size && text.substr(short_size) != capitals_of(id))
        return no_key(text,
                      "is an id of Salesforce's that was changed: its last three characters do not fit the "
                      "capitals of the others; export it anew");
    return std::string(id);
}

result<std::string> hubspot_key(std::string_view text) {
    constexpr std::size_t most_digits = 19;
    std::string_view digits = text;
    // As programs write whole numbers that count with fractions.
    if (digits.ends_with(".0")) digits.remove_suffix(2);
    const auto all_digits = !digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit);
    if (!all_digits) {
        const bool rounded = text.find_first_of("eE") != std::string_view::npos && is_digit(text.front()) &&
                             text.find_first_not_of("0123456789.,+-eE") == std::string_view::npos;
        return no_key(text, rounded ? "is a number that was rounded; export the column of HubSpot's ids as text"
                                    : fmt::format("is no id of HubSpot's; {}", like_hubspot));
    }
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    if (digits.empty() || digits.size() > most_digits)
        return no_key(text, fmt::format("is no id of HubSpot's: it is {}; {}",
                                        digits.empty() ? "zero" : "longer than 19 digits", like_hubspot));
    return std::string(digits);
}

result<std::string> profile_key(std::string_view cell) {
    const auto refuse = [&](std::string_view why) {
        return no_key(cell, fmt::format("is no profile on LinkedIn{}; {}", why, like_profile));
    };
    std::string_view path = cell;
    const auto begins = [&](std::string_view with) { return lower_case(path.substr(0, with.size())) == with; };
    if (!begins("in/") && !begins("/in/")) {
        for (const std::string_view scheme : {"https://", "http://", "//"}) {
            if (!begins(scheme)) continue;
            path.remove_prefix(scheme.size());
            break;
        }
        const auto host_end = std::min(path.find_first_of("/?#"), path.size());
        const std::string host = lower_case(path.substr(0, host_end));
        if (host != "linkedin.com" && !host.ends_with(".linkedin.com")) return refuse("");
        path.remove_prefix(host_end);
    }
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    if (begins("sales/")) return refuse(" but a page of its Sales Navigator, which has other addresses");
    if (begins("company/") || begins("school/") || begins("showcase/")) return refuse(" but a company's page");
    if (begins("pub/")) return refuse(" as it is written today (/pub/ is the old form)");
    if (!begins("in/")) return refuse("");
    path.remove_prefix(3);
    const std::string decoded = percent_decoded(path.substr(0, path.find_first_of("/?#")));
    if (!is_utf8(decoded)) return refuse(": its name is not UTF-8");
    const std::string_view name = shown_part(decoded);
    if (name.empty()) return refuse(": it names nobody");
    const auto is_blank_in = [](std::string_view text) { return hidden_in(text).find("blank") != std::string::npos; };
    if (is_blank_in(name) || name.find_first_of("/?#%\\<>\"@,;") != std::string_view::npos)
        return refuse(": its name has what no such name has");
    std::string key = lower_nfc(name);
    if (key.empty() || key.size() + 3 > longest_key) return refuse(": its name is too long");
    return "in/" + key;
}

}  // namespace

std::string_view to_string(key_kind kind) {
    constexpr std::array<std::string_view, key_kind_count> names{"salesforce_id", "hubspot_id", "email",
                                                                 "linkedin_url"};
    return names[static_cast<std::size_t>(kind)];
}

std::optional<key_kind> key_kind_named(std::string_view name) {
    for (const key_kind kind : all_key_kinds)
        if (to_string(kind) == name) return kind;
    return std::nullopt;
}

result<std::string> comparable_key(key_kind kind, std::string_view text) {
    if (text.size() > longest_cell) return no_key(text, fmt::format("is too long for {}", to_string(kind)));
    if (!is_utf8(text)) return no_key("", fmt::format("is no {}: it is not UTF-8", to_string(kind)));
    const std::string_view cell = shown_part(text);
    if (cell.empty()) return failure{errc::input, fmt::format("{} is empty", to_string(kind))};
    switch (kind) {
        case key_kind::salesforce_id:
            return salesforce_key(cell);
        case key_kind::hubspot_id:
            return hubspot_key(cell);
        case key_kind::email:
            return address_key(cell);
        case key_kind::linkedin_url:
            break;
    }
    return profile_key(cell);
}

}  // namespace taskbarge::core
