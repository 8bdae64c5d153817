#include "core/settings_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>
#include <utility>

#include "taskbarge/core/text.hpp"

namespace taskbarge::core {

namespace {

using std::chrono::milliseconds;

struct unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array<unit, 5> duration_units{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<unit, 8> size_units{{{"B", 1},
                                          {"KiB", 1u << 10},
                                          {"MiB", 1u << 20},
                                          {"GiB", 1u << 30},
                                          {"kB", 1000},
                                          {"KB", 1000},
                                          {"MB", 1'000'000},
                                          {"GB", 1'000'000'000}}};

// "64MiB" -> 64 and "MiB". Nothing unless it begins with a digit.
std::optional<std::pair<std::uint64_t, std::string_view>> split_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    return std::pair(number, text.substr(static_cast<std::size_t>(end - text.data())));
}

template <std::size_t N>
std::optional<std::uint64_t> with_unit(std::string_view text, const std::array<unit, N>& units) {
    const auto parts = split_number(text);
    if (!parts) return std::nullopt;
    const auto known = std::find_if(units.begin(), units.end(), [&](const unit& u) { return u.name == parts->second; });
    if (known == units.end()) return std::nullopt;
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (parts->first > most / known->factor) return std::nullopt;
    return parts->first * known->factor;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
    const auto parts = split_number(text);
    if (!parts || !parts->second.empty()) return std::nullopt;
    return parts->first;
}

std::optional<double> percentage(std::string_view text) {
    if (text.size() < 2 || text.back() != '%') return std::nullopt;
    double number = 0;
    const auto last = text.data() + text.size() - 1;
    const auto [end, error] = std::from_chars(text.data(), last, number, std::chars_format::fixed);
    if (error != std::errc{} || end != last || !(number >= 0 && number <= 100)) return std::nullopt;
    return number;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
    const auto ms = with_unit(text, duration_units);
    // A hundred years bounds every wait and keeps sums of instants and durations far from overflow.
    constexpr std::uint64_t most = 36'500ull * 86'400'000ull;
    if (!ms || *ms > most) return std::nullopt;
    return milliseconds(static_cast<std::int64_t>(*ms));
}

std::string plain_word(std::string_view word) {
    std::string out;
    for (const char c : word)
        if (std::string_view(" -_.\t").find(c) == std::string_view::npos) out += lower(c);
    return out.empty() ? std::string(word) : out;  // a dash alone is a word
}

std::string toml_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out.append({'\\', c});
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out + '"';
}

std::string format_duration(milliseconds d) {
    if (d.count() == 0) return "0s";
    for (auto u = duration_units.rbegin(); u != duration_units.rend(); ++u) {
        const auto factor = static_cast<std::int64_t>(u->factor);
        if (d.count() % factor == 0) return fmt::format("{}{}", d.count() / factor, u->name);
    }
    return fmt::format("{}ms", d.count());
}

namespace detail {

std::optional<std::string> read_text(const raw_value& v) {
    const auto* text = std::get_if<std::string>(&v.data);
    return text ? std::optional(*text) : std::nullopt;
}

std::optional<std::vector<std::string>> read_list(const raw_value& v) {
    if (const auto* list = std::get_if<std::vector<std::string>>(&v.data)) return *list;
    // One text stands for a list of one.
    if (const auto* text = std::get_if<std::string>(&v.data)) {
        return text->empty() ? std::vector<std::string>{} : std::vector<std::string>{*text};
    }
    return std::nullopt;
}

std::optional<std::map<std::string, std::string>> read_table(const raw_value& v) {
    const auto* table = std::get_if<std::map<std::string, std::string>>(&v.data);
    return table ? std::optional(*table) : std::nullopt;
}

bool is_false(const raw_value& v) {
    if (const auto* truth = std::get_if<bool>(&v.data)) return !*truth;
    const auto* text = std::get_if<std::string>(&v.data);
    return text && !v.origin->typed && *text == "false";
}

std::optional<std::uint64_t> read_count(const raw_value& v) {
    if (const auto* number = std::get_if<std::int64_t>(&v.data)) {
        return *number >= 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
    }
    const auto* text = std::get_if<std::string>(&v.data);
    return text && !v.origin->typed ? whole_number(*text) : std::nullopt;
}

std::optional<milliseconds> read_duration(const raw_value& v) {
    const auto* text = std::get_if<std::string>(&v.data);
    return text ? parse_duration(*text) : std::nullopt;
}

std::optional<std::uint64_t> read_size(const raw_value& v) {
    if (const auto plain = read_count(v)) return plain;
    const auto* text = std::get_if<std::string>(&v.data);
    return text ? with_unit(*text, size_units) : std::nullopt;
}

std::optional<double> read_percentage(const raw_value& v) {
    const auto* text = std::get_if<std::string>(&v.data);
    return text ? percentage(*text) : std::nullopt;
}

std::optional<share_or_count> read_share(const raw_value& v) {
    if (const auto percent = read_percentage(v)) return share_or_count{*percent, std::nullopt};
    if (const auto count = read_count(v)) return share_or_count{0, count};
    // In a file "200" is as clear as 200.
    if (const auto* text = std::get_if<std::string>(&v.data)) {
        if (const auto count = whole_number(*text)) return share_or_count{0, count};
    }
    return std::nullopt;
}

namespace {

bool is_loopback(std::string_view host) {
    if (host == "localhost" || host == "[::1]") return true;
    if (host.substr(0, 4) != "127.") return false;
    return host.find_first_not_of("0123456789.") == std::string_view::npos &&
           std::count(host.begin(), host.end(), '.') == 3;
}

bool is_port(std::string_view text) {
    const auto port = whole_number(text);
    return port && *port >= 1 && *port <= 65535;
}

// Where the port's colon stands in "host:port" or "[v6]:port"; npos: there is none.
std::size_t port_colon(std::string_view authority) {
    const auto bracket = authority.rfind(']');
    return authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
}

bool is_host(std::string_view host) {
    if (host.empty()) return false;
    if (host.front() == '[') {
        return host.size() > 2 && host.back() == ']' &&
               host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdef:.") == std::string_view::npos;
    }
    return host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") == std::string_view::npos;
}

bool has_blank_or_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20; });
}

}  // namespace

checked_url check_base_url(std::string_view text) {
    const auto scheme_end = text.find("://");
    const std::string scheme = scheme_end == std::string_view::npos ? "" : lower_case(text.substr(0, scheme_end));
    if (scheme != "https" && scheme != "http") return {"", "must begin with https:// (http:// only to loopback)"};
    if (has_blank_or_control(text)) return {"", "must not hold blanks or control characters"};
    const auto rest = text.substr(scheme_end + 3);
    if (rest.find_first_of("?#") != std::string_view::npos) return {"", "must not have a query or a fragment"};
    const auto slash = std::min(rest.find('/'), rest.size());
    const std::string authority = lower_case(rest.substr(0, slash));
    if (authority.find('@') != std::string::npos) return {"", "must not hold a user name or password"};
    const auto colon = port_colon(authority);
    const auto host = std::string_view(authority).substr(0, colon);
    if (!is_host(host)) return {"", "must name a host, as in https://api.apollo.io/api/v1"};
    if (colon != std::string::npos && !is_port(std::string_view(authority).substr(colon + 1)))
        return {"", "must have a port from 1 to 65535"};
    if (scheme == "http" && !is_loopback(host))
        return {"", "must use https; plain http is allowed only to this machine (localhost, 127.0.0.1, [::1])"};
    auto path = rest.substr(slash);
    while (!path.empty() && path.back() == '/') {
        path.remove_suffix(1);
    }
    return {fmt::format("{}://{}{}", scheme, authority, path), ""};
}

std::optional<std::string> resolve_path(const std::string& path, const value_origin& origin) {
    if (path.empty() || path == ":memory:") return path;
    if (path == "~" || path.rfind("~/", 0) == 0) {
        if (origin.home.empty()) return std::nullopt;
        return origin.home + path.substr(1);
    }
    if (path.front() == '/' || origin.folder.empty()) return path;
    return (std::filesystem::path(origin.folder) / path).lexically_normal().string();
}

}  // namespace detail
}  // namespace taskbarge::core
