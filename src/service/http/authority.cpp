#include "service/http/authority.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <charconv>

#include "service/http/ascii.hpp"

namespace taskbarge::service::http {

namespace ip = boost::asio::ip;

namespace {

constexpr std::size_t longest_name = 255;  // as DNS has it

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '.' || c == '_';
}

// Empty: no port, which RFC 3986 allows.
bool read_port(std::string_view text, std::optional<std::uint16_t>& port) {
    if (text.empty()) return true;
    std::uint16_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, bad] = std::from_chars(text.data(), end, value);
    if (bad != std::errc() || stop != end) return false;
    port = value;
    return true;
}

std::optional<ip::address> read_address(const std::string& host) {
    boost::system::error_code bad;
    const ip::address address = ip::make_address(host, bad);
    if (bad) return std::nullopt;
    return plain(address);
}

}  // namespace

std::optional<authority> parse_authority(std::string_view text) {
    authority a;
    const bool bracketed = text.starts_with('[');
    const std::size_t end = bracketed ? text.find(']') : std::min(text.find(':'), text.size());
    if (end == std::string_view::npos) return std::nullopt;
    a.host = text.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
    text.remove_prefix(bracketed ? end + 1 : end);
    if (!text.empty() && (text.front() != ':' || !read_port(text.substr(1), a.port))) return std::nullopt;
    if (a.host.empty() || a.host.size() > longest_name) return std::nullopt;
    std::ranges::transform(a.host, a.host.begin(), core::lower);
    a.address = read_address(a.host);
    if (bracketed) {
        if (a.host.find(':') == std::string::npos || !a.address) return std::nullopt;
    } else if (!std::ranges::all_of(a.host, is_name_char)) {
        return std::nullopt;
    }
    if (a.address) a.host = a.address->to_string();
    return a;
}

ip::address plain(const ip::address& address) {
    const bool mapped = address.is_v6() && address.to_v6().is_v4_mapped();
    return mapped ? ip::make_address_v4(ip::v4_mapped, address.to_v6()) : address;
}

std::string to_text(const ip::address& address, std::uint16_t port) {
    const std::string host = address.to_string();
    return address.is_v6() ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace taskbarge::service::http
