#include "reader/iso_date.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// What is left of the text; each take moves on only when it fits.
class cursor {
 public:
    explicit cursor(std::string_view text) : rest_(text) {}
    bool done() const { return rest_.empty(); }
    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    // A word of ASCII letters in any case; `word` is in capitals.
    bool take_word(std::string_view word) {
        if (rest_.size() < word.size()) return false;
        for (std::size_t i = 0; i < word.size(); ++i)
            if ((rest_[i] & ~0x20) != word[i]) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    bool next_is_digit() const { return !rest_.empty() && is_digit(rest_.front()); }
    // Exactly `count` digits.
    std::optional<int> number(std::size_t count) {
        if (rest_.size() < count) return std::nullopt;
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (!is_digit(rest_[i])) return std::nullopt;
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }
    // Digits of a fraction of a second; what is finer than a millisecond is cut off.
    std::optional<milliseconds> fraction() {
        if (!next_is_digit()) return std::nullopt;
        int value = 0, scale = 100;
        for (; next_is_digit(); rest_.remove_prefix(1), scale /= 10)
            value += (rest_.front() - '0') * scale;
        return milliseconds(value);
    }

 private:
    std::string_view rest_;
};

std::optional<std::chrono::local_days> take_day(cursor& in) {
    const auto year = in.number(4);
    if (!year || !in.take('-')) return std::nullopt;
    const auto month = in.number(2);
    if (!month || !in.take('-')) return std::nullopt;
    const auto day = in.number(2);
    if (!day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    return std::chrono::local_days{date};
}

std::optional<milliseconds> take_time(cursor& in) {
    const auto hour = in.number(2);
    if (!hour || *hour > 23 || !in.take(':')) return std::nullopt;
    const auto minute = in.number(2);
    if (!minute || *minute > 59) return std::nullopt;
    milliseconds time = hours(*hour) + minutes(*minute);
    if (!in.take(':')) return time;
    const auto second = in.number(2);
    if (!second || *second > 59) return std::nullopt;
    time += seconds(*second);
    if (!in.take('.') && !in.take(',')) return time;
    const auto fraction = in.fraction();
    if (!fraction) return std::nullopt;
    return time + *fraction;
}

bool take_utc(cursor& in) {
    return in.take_word("UTC") || in.take_word("GMT");
}

std::optional<minutes> take_offset(cursor& in) {
    if (in.take('Z') || in.take('z')) return minutes(0);
    const bool east = in.take('+');
    if (!east && !in.take('-')) return std::nullopt;
    const auto hour = in.number(2);
    if (!hour || *hour > 23) return std::nullopt;
    minutes offset = hours(*hour);
    const bool colon = in.take(':');
    if (colon || in.next_is_digit()) {
        const auto minute = in.number(2);
        if (!minute || *minute > 59) return std::nullopt;
        offset += minutes(*minute);
    }
    return east ? offset : -offset;
}

}  // namespace

std::optional<written_date> parse_iso_date(std::string_view text) {
    cursor in(text);
    const auto day = take_day(in);
    if (!day) return std::nullopt;
    written_date found{*day, std::nullopt, std::nullopt};
    if (in.done()) return found;
    if (!in.take('T') && !in.take('t') && !in.take(' ')) return std::nullopt;
    found.time = take_time(in);
    if (!found.time) return std::nullopt;
    if (in.done()) return found;
    in.take(' ');  // "2025-02-15 10:00:00 +0100" is what many programs write
    if (take_utc(in)) {
        found.offset = minutes(0);
    } else {
        found.offset = take_offset(in);
        // "2025-02-15 10:00:00 +0000 UTC"
        if (found.offset == minutes(0) && in.take(' ') && !take_utc(in)) return std::nullopt;
    }
    if (!found.offset || !in.done()) return std::nullopt;
    return found;
}

std::optional<milliseconds> parse_time_of_day(std::string_view text) {
    cursor in(text);
    const auto time = take_time(in);
    if (!time || !in.done()) return std::nullopt;
    return time;
}

}  // namespace taskbarge::reader
