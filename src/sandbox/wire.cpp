#include "sandbox/wire.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <chrono>

namespace taskbarge::sandbox {

namespace {

// Below this an answer fits a packet anyway.
constexpr std::size_t smallest_compressed = 1024;

std::string_view reason(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 408:
            return "Request Timeout";
        case 413:
            return "Payload Too Large";
        case 422:
            return "Unprocessable Entity";
        case 429:
            return "Too Many Requests";
        case 500:
            return "Internal Server Error";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        default:
            return "Error";
    }
}

}  // namespace

std::string to_wire(const answer& a, std::string_view date, after_answer then, std::int64_t length_error) {
    const std::int64_t length = std::max<std::int64_t>(0, static_cast<std::int64_t>(a.body.size()) + length_error);
    std::string out;
    out.reserve(a.body.size() + a.headers.size() + 256);
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", a.status, reason(a.status));
    if (!date.empty()) fmt::format_to(std::back_inserter(out), "Date: {}\r\n", date);
    fmt::format_to(std::back_inserter(out), "Content-Type: {}\r\nContent-Length: {}\r\n", a.content_type, length);
    if (then == after_answer::close) out += "Connection: close\r\n";
    return out.append(a.headers).append("\r\n").append(a.body);
}

void gzip_body(answer& a) {
    if (a.body.size() < smallest_compressed) return;
    z_stream z{};
    constexpr int gzip_format = 15 + 16;
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, gzip_format, 8, Z_DEFAULT_STRATEGY) != Z_OK) return;
    std::string packed(deflateBound(&z, a.body.size()), '\0');
    z.next_in = reinterpret_cast<Bytef*>(a.body.data());
    z.avail_in = static_cast<uInt>(a.body.size());
    z.next_out = reinterpret_cast<Bytef*>(packed.data());
    z.avail_out = static_cast<uInt>(packed.size());
    const bool done = deflate(&z, Z_FINISH) == Z_STREAM_END;
    packed.resize(z.total_out);
    deflateEnd(&z);
    if (!done) return;
    a.body = std::move(packed);
    a.headers += "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n";
}

std::string http_date(core::instant t) {
    namespace chrono = std::chrono;
    constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = chrono::floor<chrono::days>(t);
    const chrono::year_month_day date(day);
    const chrono::hh_mm_ss time(chrono::floor<chrono::seconds>(t - day));
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[chrono::weekday(day).c_encoding()],
                       unsigned(date.day()), months[unsigned(date.month()) - 1], int(date.year()), time.hours().count(),
                       time.minutes().count(), time.seconds().count());
}

std::string rate_header_lines(const window_usage& usage) {
    struct names {
        std::string_view limit, used, left;
    };
    constexpr std::array<names, 3> all{{{"x-rate-limit-minute", "x-minute-usage", "x-minute-requests-left"},
                                        {"x-rate-limit-hourly", "x-hourly-usage", "x-hourly-requests-left"},
                                        {"x-rate-limit-24-hour", "x-24-hour-usage", "x-24-hour-requests-left"}}};
    std::string lines;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (usage.limits[i] == 0) {
            fmt::format_to(std::back_inserter(lines), "{}:\r\n", all[i].limit);
            continue;
        }
        fmt::format_to(std::back_inserter(lines), "{}: {}\r\n{}: {}\r\n{}: {}\r\n", all[i].limit, usage.limits[i],
                       all[i].used, usage.used[i], all[i].left, usage.left(i));
    }
    return lines;
}

}  // namespace taskbarge::sandbox
