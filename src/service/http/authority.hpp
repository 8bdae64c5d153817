// Where a server is reached: "host", "host:port", "[::1]:port".
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace taskbarge::service::http {

struct authority {
    std::string host;  // a name in lower case, or an address in its usual spelling without brackets
    std::optional<std::uint16_t> port;
    std::optional<boost::asio::ip::address>
        address;  // when the host is one; an IPv4 address within an IPv6 one is IPv4
};

// Nothing when the text is none.
std::optional<authority> parse_authority(std::string_view text);

// An IPv4 address within an IPv6 one as IPv4.
boost::asio::ip::address plain(const boost::asio::ip::address& address);
// "127.0.0.1:80", "[::1]:80".
std::string to_text(const boost::asio::ip::address& address, std::uint16_t port);

}  // namespace taskbarge::service::http
