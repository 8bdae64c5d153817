// Times and windows as HTTP headers and Apollo's messages spell them.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "client/json_values.hpp"
#include "client/text.hpp"
#include "taskbarge/client/answer.hpp"

namespace taskbarge::client {

namespace {

using namespace std::string_view_literals;
using std::chrono::milliseconds;

// A server that asks for more than this asks for this; it also keeps the arithmetic from overflowing.
constexpr std::chrono::seconds longest_wait = std::chrono::hours(366 * 24);

template <std::size_t N>
std::optional<unsigned> index_of(const std::array<std::string_view, N>& words, std::string_view word) {
    const auto at = std::find(words.begin(), words.end(), word);
    if (at == words.end()) return std::nullopt;
    return static_cast<unsigned>(at - words.begin());
}

std::optional<unsigned> digits(std::string_view text) {
    const auto n = parse_digits(text);
    if (!n || *n > std::numeric_limits<unsigned>::max()) return std::nullopt;
    return static_cast<unsigned>(*n);
}

}  // namespace

std::optional<milliseconds> parse_retry_after(std::string_view text, core::instant now) {
    text = trimmed(text);
    if (const auto seconds = parse_digits(text)) {
        return std::chrono::seconds(std::min<std::uint64_t>(*seconds, longest_wait.count()));
    }
    const auto date = parse_http_date(text);
    if (!date) return std::nullopt;
    return std::clamp<milliseconds>(*date - now, milliseconds(0), longest_wait);
}

std::optional<core::instant> parse_http_date(std::string_view text) {
    // "Sun, 06 Nov 1994 08:49:37 GMT"
    constexpr std::array days{"Sun"sv, "Mon"sv, "Tue"sv, "Wed"sv, "Thu"sv, "Fri"sv, "Sat"sv};
    constexpr std::array months{"Jan"sv, "Feb"sv, "Mar"sv, "Apr"sv, "May"sv, "Jun"sv,
                                "Jul"sv, "Aug"sv, "Sep"sv, "Oct"sv, "Nov"sv, "Dec"sv};
    text = trimmed(text);
    if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' || text[16] != ' ' ||
        text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT" || !index_of(days, text.substr(0, 3)))
        return std::nullopt;
    const auto day = digits(text.substr(5, 2)), year = digits(text.substr(12, 4));
    const auto month = index_of(months, text.substr(8, 3));
    const auto hour = digits(text.substr(17, 2)), minute = digits(text.substr(20, 2)),
               second = digits(text.substr(23, 2));
    if (!day || !month || !year || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month + 1),
                                           std::chrono::day(*day)};
    // 60 is a leap second.
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return core::instant(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

std::optional<core::window_kind> window_named_in(std::string_view message) {
    struct spelling {
        std::string_view words;
        core::window_kind window;
    };
    using enum core::window_kind;
    // "24 hours" before "hour"; a bare "hour" or "day" may belong to advice ("try again in an hour").
    constexpr std::array spellings{
        spelling{"per 24 hour", day}, spelling{"per 24-hour", day}, spelling{"per day", day},
        spelling{"/day", day},        spelling{"daily", day},       spelling{"per hour", hour},
        spelling{"/hour", hour},      spelling{"hourly", hour},     spelling{"per minute", minute},
        spelling{"/minute", minute},
    };
    const std::string text = lower_case(message);
    std::optional<core::window_kind> found;
    std::size_t first = std::string::npos;
    for (const auto& s : spellings) {
        const std::size_t at = text.find(s.words);
        if (at >= first) continue;
        first = at;
        found = s.window;
    }
    return found;
}

}  // namespace taskbarge::client
