#include "service/http/answer_head.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <stdexcept>

#include "service/http/ascii.hpp"
#include "service/http/guard.hpp"

namespace taskbarge::service::http {

namespace {

void require_fit(std::string_view name) {
    for (const std::string_view ours :
         {"connection", "content-length", "content-type", "date", "transfer-encoding", "x-request-id"}) {
        if (equal_ignoring_case(name, ours))
            throw std::logic_error(fmt::format("a handler may not set the header {}", name));
    }
    const auto no_name = [](char c) { return c <= ' ' || c == ':' || is_control(c); };
    if (name.empty() || std::ranges::any_of(name, no_name))
        throw std::logic_error("a handler set a header without a fit name");
}

void append(std::string& text, std::string_view name, std::string_view value) {
    if (std::ranges::any_of(value, is_control))
        throw std::logic_error(fmt::format("the header {} would not stay one line", name));
    text.append(name).append(": ").append(value).append("\r\n");
}

bool has_header(const header_list& headers, std::string_view name) {
    return std::ranges::any_of(headers, [&](const auto& h) { return equal_ignoring_case(h.first, name); });
}

}  // namespace

bool has_body(int status) {
    return status != 204 && status != 304;
}

std::string answer_head(const answer_frame& frame, std::string_view content_type, const header_list& headers,
                        std::string_view id) {
    const auto reason =
        boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(frame.status)));
    std::string text = fmt::format("HTTP/1.1 {} {}\r\n", frame.status, std::string_view(reason.data(), reason.size()));
    append(text, "Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(frame.now)));
    append(text, "X-Request-Id", id);
    if (has_body(frame.status)) {
        if (!content_type.empty()) append(text, "Content-Type", content_type);
        if (frame.framing == body_framing::sized) append(text, "Content-Length", fmt::to_string(frame.size));
        if (frame.framing == body_framing::chunked) append(text, "Transfer-Encoding", "chunked");
    }
    // HTTP/1.1 stays without a word, HTTP/1.0 closes without one: saying it is right for both.
    append(text, "Connection", frame.after == then::close ? "close" : "keep-alive");
    for (const auto& [name, value] : headers) {
        require_fit(name);
        append(text, name, value);
    }
    for (const auto& [name, value] : security_headers())
        if (!has_header(headers, name)) append(text, name, value);
    return text += "\r\n";
}

}  // namespace taskbarge::service::http
