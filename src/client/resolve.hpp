// Names to addresses, with a limit in time that holds.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <vector>

#include "client/target.hpp"

namespace taskbarge::client {

struct resolved {
    boost::system::error_code error;  // timed_out, operation_aborted, or the resolver's
    std::vector<boost::asio::ip::tcp::endpoint> endpoints;
};

// Looks the host up, afresh each time. An address is its own answer. IPv6 and IPv4 alternate, beginning with the kind
// that the system puts first, so that one that leads nowhere does not use up the other's time.
boost::asio::awaitable<resolved> resolve(const host_port& at, std::chrono::milliseconds limit);

}  // namespace taskbarge::client
