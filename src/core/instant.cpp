#include "taskbarge/core/instant.hpp"

#include <fmt/format.h>

namespace taskbarge::core {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// A cursor over the text: each step takes what it expects or spoils the whole.
class scanner {
 public:
    explicit scanner(std::string_view text) : rest_(text) {}

    int digits(int count) {
        int v = 0;
        for (int i = 0; i < count; ++i) {
            const char c = take();
            if (c < '0' || c > '9') good_ = false;
            v = v * 10 + (c - '0');
        }
        return v;
    }
    char one_of(std::string_view allowed) {
        const char c = take();
        if (allowed.find(c) == std::string_view::npos) good_ = false;
        return c;
    }
    // ".123456": the value in milliseconds; zero when there is no fraction.
    milliseconds fraction() {
        if (rest_.empty() || rest_.front() != '.') return milliseconds{0};
        rest_.remove_prefix(1);
        int value = 0, seen = 0;
        while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
            if (seen < 3) value = value * 10 + (rest_.front() - '0');
            ++seen;
            rest_.remove_prefix(1);
        }
        if (seen == 0) good_ = false;
        for (int i = seen; i < 3; ++i)
            value *= 10;
        return milliseconds{value};
    }
    bool done() const { return good_ && rest_.empty(); }
    bool good() const { return good_; }

 private:
    char take() {
        if (rest_.empty()) {
            good_ = false;
            return '\0';
        }
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }
    std::string_view rest_;
    bool good_ = true;
};

struct civil {
    int year, month, day, hour, minute, second, millisecond;
};

civil split(instant t) {
    const auto day = std::chrono::floor<days>(t);
    const std::chrono::year_month_day ymd{day};
    const std::chrono::hh_mm_ss time{t - day};
    return {static_cast<int>(ymd.year()),
            static_cast<int>(static_cast<unsigned>(ymd.month())),
            static_cast<int>(static_cast<unsigned>(ymd.day())),
            static_cast<int>(time.hours().count()),
            static_cast<int>(time.minutes().count()),
            static_cast<int>(time.seconds().count()),
            static_cast<int>(time.subseconds().count())};
}

class machine_clock final : public clock {
 public:
    instant now() const override { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }
    std::chrono::steady_clock::time_point steady_now() const override { return std::chrono::steady_clock::now(); }
};

template <class Number>
void put_digits(char* at, int count, Number value) {
    for (auto rest = static_cast<unsigned>(value); count > 0; rest /= 10)
        at[--count] = static_cast<char>('0' + rest % 10);
}

}  // namespace

std::string to_rfc3339(instant t) {
    const civil c = split(t);
    if (c.year < 0 || c.year > 9999)
        return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour, c.minute,
                           c.second, c.millisecond);
    // By hand: each line of a job's results has one.
    std::string out = "0000-00-00T00:00:00.000Z";
    put_digits(&out[0], 4, c.year);
    put_digits(&out[5], 2, c.month);
    put_digits(&out[8], 2, c.day);
    put_digits(&out[11], 2, c.hour);
    put_digits(&out[14], 2, c.minute);
    put_digits(&out[17], 2, c.second);
    put_digits(&out[20], 3, c.millisecond);
    return out;
}

std::string to_rfc3339_seconds(instant t) {
    const civil c = split(t);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::optional<instant> parse_rfc3339(std::string_view text) {
    scanner in(text);
    const int year = in.digits(4);
    in.one_of("-");
    const int month = in.digits(2);
    in.one_of("-");
    const int day = in.digits(2);
    in.one_of("Tt ");
    const int hour = in.digits(2);
    in.one_of(":");
    const int minute = in.digits(2);
    in.one_of(":");
    const int second = in.digits(2);
    const milliseconds fraction = in.fraction();
    const char zone = in.one_of("Zz+-");
    minutes offset{0};
    if (in.good() && (zone == '+' || zone == '-')) {
        const int offset_hours = in.digits(2);
        in.one_of(":");
        const int offset_minutes = in.digits(2);
        if (offset_hours > 23 || offset_minutes > 59) return std::nullopt;
        offset = hours{offset_hours} + minutes{offset_minutes};
        if (zone == '-') offset = -offset;
    }
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!in.done() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    const milliseconds within =
        hours{hour} + minutes{minute} + seconds{second} + (second == 60 ? milliseconds{0} : fraction);
    return instant{std::chrono::sys_days{date}} + within - offset;
}

const clock& system_clock() {
    static const machine_clock the_clock;
    return the_clock;
}

}  // namespace taskbarge::core
