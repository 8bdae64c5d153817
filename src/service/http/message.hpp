// One HTTP request as a handler sees it, and the ways to answer it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taskbarge/core/error.hpp"

namespace taskbarge::service::http {

using header_list = std::vector<std::pair<std::string, std::string>>;

// What stands before the body. Texts are checked: `path` and `query` are percent-decoded UTF-8, without control
// characters; `path` begins with '/' and has no empty, "." or ".." segment.
struct request_head {
    std::string method;  // "GET"
    std::string path;
    header_list query;    // in order; a name without '=' has an empty value
    header_list headers;  // names in lower case
    std::optional<std::uint64_t> content_length;
    std::string id;      // ours, for logs and the answer's X-Request-Id
    std::string client;  // "127.0.0.1:40112"

    // The first of that name; empty: none.
    std::string_view header(std::string_view lower_case_name) const;
    std::optional<std::string> parameter(std::string_view name) const;
};

struct response {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    header_list headers;
};

// RFC 9457. `type` is a path of docs/service.md's list of problems, such as "unknown-job"; `title` is the same for
// every problem of that type; `detail` is for the person who reads it, and names the remedy. In the JSON the type is
// written as "/problems/unknown-job".
response problem(int status, std::string_view type, std::string_view title, std::string_view detail);

// Why a body came to no good end.
enum class body_error : std::uint8_t { none, too_large, too_slow, cut_off, malformed };

// One request and its answer. An answer's headers may not be those that the server sets itself: Content-Type and
// -Length, Transfer-Encoding, Connection, Date, X-Request-Id; a security header of its own replaces the usual one. The
// answers to HEAD are made like those to GET, and their bodies not sent. Used by one coroutine; every call is a wait on
// the network with the server's limits in time and size. Exactly one of reply() and begin() is called; a handler that
// calls neither gets a 500 sent.
class request {
 public:
    virtual ~request() = default;
    virtual const request_head& head() const = 0;

    // The next piece of the body; empty at its end. A failure (body_failure() tells which) ends the body. An answer
    // that is sent before the body was read closes the connection after it.
    virtual boost::asio::awaitable<core::result<std::string>> read_some() = 0;
    virtual body_error body_failure() const = 0;
    // The whole body, at most `most` bytes.
    virtual boost::asio::awaitable<core::result<std::string>> read_all(std::size_t most) = 0;
    // The answer for a body that failed: 413, 408 or 400 as a problem.
    virtual response body_problem() const = 0;

    virtual boost::asio::awaitable<void> reply(response a) = 0;

    // A stream: head now, pieces as they come, then end(). write() waits until the client took the piece, and gives
    // false once it has gone (also if it went while nothing was written, or ended only its own side), was too slow, or
    // asked with HEAD: the handler then leaves off. An empty piece sends nothing and tells whether the client is
    // there. When the server stops, streams go on for its stop_grace; then every wait throws operation_aborted. A
    // stream that was not ended is cut so that the client notices.
    virtual boost::asio::awaitable<void> begin(int status, std::string content_type, header_list headers) = 0;
    virtual boost::asio::awaitable<bool> write(std::string_view piece) = 0;
    virtual boost::asio::awaitable<void> end() = 0;
    // Whether the server is stopping: long streams end.
    virtual bool stopping() const = 0;
};

}  // namespace taskbarge::service::http
