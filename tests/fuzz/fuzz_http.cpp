// The bytes of a connection, as a client may send them: what is read of them keeps the rules that handlers rely on,
// however the network cuts the bytes, and every request that is read gets one answer.
#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>

#include "service/http/answer_head.hpp"
#include "service/http/guard.hpp"
#include "service/http/request_reader.hpp"
#include "service/http/router.hpp"
#include "support/memory_request.hpp"

namespace {

using namespace taskbarge::service::http;

constexpr read_limits limits{.header = 512, .body = 256};

void require(bool holds) {
    if (!holds) std::abort();
}

bool is_text(std::string_view text) {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; };
    return simdjson::validate_utf8(text.data(), text.size()) && std::ranges::none_of(text, control);
}

void check(const request_head& head) {
    require(!head.method.empty() && head.path.starts_with('/') && is_text(head.path));
    require((head.path + '/').find("//") == std::string::npos || head.path == "/");
    require((head.path + '/').find("/./") == std::string::npos && (head.path + '/').find("/../") == std::string::npos);
    for (const auto& [name, value] : head.query)
        require(is_text(name) && is_text(value));
    int lengths = 0, codings = 0, hosts = 0;
    for (const auto& [name, value] : head.headers) {
        require(!name.empty() && std::ranges::none_of(name, [](char c) { return (c >= 'A' && c <= 'Z') || c <= ' '; }));
        require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
        lengths += name == "content-length";
        codings += name == "transfer-encoding";
        hosts += name == "host";
    }
    require(lengths + codings <= 1 && hosts <= 1 && head.content_length.has_value() == (lengths == 1));
}

router make_router() {
    router r;
    r.add("GET", "/v1/jobs/{job}", [](request& x, const path_values& values) -> boost::asio::awaitable<void> {
        require(values.size() == 1 && !values[0].empty() && values[0].find('/') == std::string::npos);
        response a{200, "text/plain", values[0], {}};
        co_await x.reply(std::move(a));
    });
    r.add("POST", "/v1/jobs", [](request& x, const path_values&) -> boost::asio::awaitable<void> {
        auto body = co_await x.read_all(limits.body);
        response a{201, "text/plain", body ? *body : std::string(), {}};
        co_await x.reply(std::move(a));
    });
    return r;
}

// What a server does with a request, without the network. The status and the body of its answer.
std::string serve(const request_head& head, const std::string& body) {
    static const router routes = make_router();
    static const guard keeper({taskbarge::core::secret("0123456789abcdef"), "127.0.0.1:8642", {"tasks.example.com"}});
    response given;
    if (auto refused = keeper.refuse(head)) {
        given = std::move(*refused);
    } else {
        taskbarge::testing::memory_request x(head, std::deque<std::string>{body});
        taskbarge::testing::run_to_end(routes.handle(x));
        require(x.answers == 1 && x.ended);
        given = std::move(x.given);
    }
    const answer_frame frame{given.status, body_framing::sized, given.body.size(), then::close, {}};
    const std::string bytes = answer_head(frame, given.content_type, given.headers, "id");
    require(bytes.find("\r\n\r\n") == bytes.size() - 4 && bytes.find('\0') == std::string::npos);
    return std::to_string(given.status) + given.body;
}

// All that came of the bytes, cut into steps of that size.
std::string story_of(std::string_view bytes, std::size_t step) {
    request_reader reader(limits);
    std::string story, piece, body;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        reader.append(bytes.substr(at, step));
        for (;;) {
            const progress head = reader.read_head();
            if (head == progress::more) break;
            if (head == progress::refused) {
                require(reader.refusal().status >= 400 && reader.refusal().status < 600);
                return story + "refused " + std::to_string(reader.refusal().status);
            }
            const progress got = reader.read_body(piece);
            body += piece;
            require(body.size() <= limits.body);
            if (got == progress::more) break;
            if (got == progress::refused)
                return story + "body " + std::to_string(static_cast<int>(reader.body_failure()));
            if (!piece.empty()) continue;
            check(reader.head());
            const auto length = reader.head().content_length;
            require(!length || *length == body.size());
            story += reader.head().method + ' ' + reader.head().path + ' ' + body + ' ' + serve(reader.head(), body) +
                     (reader.keep_alive() ? "\n" : " close\n");
            body.clear();
            reader.next();
        }
    }
    return story;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    require(story_of(bytes, bytes.size()) == story_of(bytes, 1 + data[0] % 16));
    return 0;
}
