#include "client/exchange_headers.hpp"

#include <fmt/format.h>

#include "client/json_values.hpp"
#include "client/text.hpp"

namespace taskbarge::client {

namespace http = boost::beast::http;

namespace {

struct window_names {
    const char* limit;
    const char* used;
    const char* left;
};

// By core::window_kind.
constexpr std::array<window_names, 3> names_of_windows{{
    {"x-rate-limit-minute", "x-minute-usage", "x-minute-requests-left"},
    {"x-rate-limit-hourly", "x-hourly-usage", "x-hourly-requests-left"},
    {"x-rate-limit-24-hour", "x-24-hour-usage", "x-24-hour-requests-left"},
}};

std::optional<std::string_view> field(const http::fields& fields, std::string_view name) {
    const auto it = fields.find(name);
    if (it == fields.end()) return std::nullopt;
    return trimmed(it->value());
}

std::optional<std::uint64_t> number(const std::optional<std::string_view>& text) {
    return text ? parse_digits(*text) : std::nullopt;
}

rate_headers::window read_window(const http::fields& fields, const window_names& names) {
    rate_headers::window window;
    const auto limit = field(fields, names.limit);
    window.limit = number(limit);
    window.used = number(field(fields, names.used));
    window.left = number(field(fields, names.left));
    window.unlimited = limit && limit->empty();
    window.present = window.unlimited || window.limit || window.used || window.left;
    return window;
}

// Those that gateways are known by.
std::string trace_of(const http::fields& fields, const core::secret& key) {
    std::string trace;
    for (const char* const name : {"Server", "Via", "CF-RAY", "X-Amz-Cf-Id", "X-Served-By", "X-Iinfo", "X-Squid-Error"})
        if (const auto value = field(fields, name); value && !value->empty())
            trace += fmt::format("{}{}: {}", trace.empty() ? "" : ", ", name, *value);
    return one_line_without(key, trace);
}

}  // namespace

rate_headers read_rate_headers(const http::fields& fields) {
    rate_headers rates;
    for (std::size_t i = 0; i < names_of_windows.size(); ++i)
        rates.windows[i] = read_window(fields, names_of_windows[i]);
    return rates;
}

void read_headers(const http::fields& fields, const core::secret& key, exchange& x) {
    const auto text = [&](std::string_view name) { return one_line_without(key, field(fields, name).value_or("")); };
    x.content_type = text("content-type");
    x.request_id = text("x-request-id");
    x.retry_after = text("retry-after");
    x.location = text("location");
    x.trace = trace_of(fields, key);
    x.server_date = parse_http_date(field(fields, "date").value_or(""));
    x.rates = read_rate_headers(fields);
}

}  // namespace taskbarge::client
