// An HTTPS server that follows a script: what each connection and each request meets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/test_authority.hpp"

namespace taskbarge::testing {

// How a connection is ended by the server.
enum class farewell {
    none,     // it is kept open
    orderly,  // TLS close_notify, then closed
    abrupt,   // closed without close_notify
    reset     // TCP RST
};

// What happens to a request.
struct reply {
    std::string wire;                   // the bytes of the answer; empty: none
    std::optional<std::size_t> cut_at;  // only so many of them
    farewell then = farewell::none;     // after that
};

using header_list = std::vector<std::pair<std::string, std::string>>;
// An HTTP/1.1 answer. Content-Length is added unless a framing header is given.
std::string http_answer(int status, const std::string& body, const header_list& headers = {});
std::string gzipped(const std::string& text);
std::string chunked(const std::string& text, std::size_t piece);

inline reply answer_with(int status, const std::string& body, const header_list& headers = {}) {
    return {http_answer(status, body, headers), std::nullopt, farewell::none};
}
// The request is read and never answered.
inline reply stall() {
    return {};
}
// The request is read, then the connection ends.
inline reply drop(farewell how) {
    return {"", std::nullopt, how};
}

// What a connection meets before its first request.
enum class greeting {
    serve,
    close_on_accept,          // before the handshake
    stall_on_accept,          // no handshake
    close_after_handshake,    // the request is never read
    garbage_after_handshake,  // something that is no HTTP, unasked
    refuse_early              // answers 413 after the head of the first request and closes
};

struct seen_request {
    std::string method, target, body;
    header_list headers;
    std::size_t connection = 0;  // from 0
    // The value of a header, by its exact lower-case name; empty if absent.
    std::string header(const std::string& name) const;
};

struct server_options {
    bool tls = true;
    certificate identity;     // with tls
    int max_tls_version = 0;  // such as TLS1_1_VERSION; 0: any
    std::string address = "127.0.0.1";
};

// Listens on a free loopback port and serves on a thread of its own. Members may be called from any thread. Requests
// take replies in the order in which they arrive, over all connections; past the script each gets `fallback`.
class scripted_server {
 public:
    explicit scripted_server(server_options options);
    ~scripted_server();
    scripted_server(const scripted_server&) = delete;
    scripted_server& operator=(const scripted_server&) = delete;

    std::uint16_t port() const;
    void script(std::vector<reply> replies);
    void greet(std::vector<greeting> greetings);
    void fallback(reply r);

    std::vector<seen_request> requests() const;
    std::size_t connections() const;
    std::size_t resumed_sessions() const;
    // Waits until the server has closed so many connections; false if that takes unreasonably long.
    bool wait_for_closed(std::size_t count) const;
    // Waits until so many requests were read.
    bool wait_for_requests(std::size_t count) const;

 private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace taskbarge::testing
