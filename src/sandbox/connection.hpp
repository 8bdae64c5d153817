// One connection of a client, from accept to end: HTTP over TLS or plain, with the faults that strike the transport.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <string_view>

#include "sandbox/apollo.hpp"

namespace taskbarge::sandbox {

struct connection_context {
    sandbox::apollo& apollo;
    boost::asio::ssl::context* tls;                  // nullptr: plain HTTP
    std::function<void(std::string_view line)> log;  // one line per request; may be empty
};

// Serves the connection to its end. Whatever the client or the network does ends it quietly; other exceptions (the
// journal takes no more) pass through. What `context` refers to must outlive it.
boost::asio::awaitable<void> serve_connection(boost::asio::ip::tcp::socket socket, const connection_context& context);

}  // namespace taskbarge::sandbox
