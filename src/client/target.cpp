#include "client/target.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <initializer_list>
#include <limits>
#include <map>
#include <string_view>

#include "client/json_values.hpp"
#include "client/text.hpp"
#include "taskbarge/client/apollo_client.hpp"

namespace taskbarge::client {

namespace urls = boost::urls;
namespace ip = boost::asio::ip;

namespace {

std::optional<ip::address> as_address(const std::string& host) {
    boost::system::error_code ec;
    const auto address = ip::make_address(host, ec);
    if (ec) return std::nullopt;
    return address;
}

bool is_loopback(const std::string& host) {
    if (equal_ignoring_case(host, "localhost")) return true;
    const auto address = as_address(host);
    return address && address->is_loopback();
}

core::failure bad_url(const std::string& url, std::string_view rule) {
    return {core::errc::settings, one_line(fmt::format("apollo.base_url \"{}\": {}", url, rule))};
}

core::failure bad_proxy(const std::string& from) {
    return {
        core::errc::settings,
        fmt::format("{} is not a URL of the form http://[user:password@]host:port; proxies of another kind (socks5, "
                    "https) cannot be used",
                    from)};
}

// Host without brackets and port, the scheme's own where none is named; nothing when either makes no sense.
std::optional<host_port> host_and_port(const urls::url_view& url, std::uint16_t scheme_port) {
    host_port at{url.host_address(), scheme_port};
    if (at.host.empty() || at.host.find_first_of(" \r\n\t") != std::string::npos) return std::nullopt;
    if (url.has_port() && !url.port().empty()) {
        const auto port = parse_digits(std::string_view(url.port()));
        if (!port || *port == 0 || *port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
        at.port = static_cast<std::uint16_t>(*port);
    }
    return at;
}

std::string base64(const std::string& text) {
    std::string out((text.size() + 2) / 3 * 4 + 1, '\0');  // the encoder writes a NUL
    const int written =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(written));
    return out;
}

}  // namespace

namespace {

// Everything but the path: scheme, host and port by the rules that both kinds of URL share. The broken rule otherwise.
std::optional<target> read_target(const urls::url_view& url, std::string_view& rule) {
    const bool tls = url.scheme_id() == urls::scheme::https;
    if (!tls && url.scheme_id() != urls::scheme::http) {
        rule = "must begin with https://";
        return std::nullopt;
    }
    if (url.has_userinfo()) {
        rule = "must not hold a user name or password";
        return std::nullopt;
    }
    const std::uint16_t scheme_port = tls ? 443 : 80;
    const auto at = host_and_port(url, scheme_port);
    if (!at) {
        rule = "has no usable host or port";
        return std::nullopt;
    }
    if (!tls && !is_loopback(at->host)) {
        rule = "plain http is used to loopback only; use https";
        return std::nullopt;
    }
    target to;
    to.tls = tls;
    to.at = *at;
    const auto address = as_address(at->host);
    to.is_address = address.has_value();
    to.host_header = address && address->is_v6() ? "[" + at->host + "]" : at->host;
    if (at->port != scheme_port) to.host_header += fmt::format(":{}", at->port);
    return to;
}

core::failure bad_webhook(std::string_view setting, std::string_view rule) {
    return {core::errc::settings, fmt::format("{}: {}", setting, rule)};
}

}  // namespace

core::result<target> parse_base_url(const std::string& url) {
    const auto parsed = urls::parse_uri(url);
    if (!parsed) return bad_url(url, "not a URL such as https://api.apollo.io/api/v1");
    if (parsed->has_userinfo())  // without repeating it
        return {core::failure{core::errc::settings, "apollo.base_url must not hold a user name or password"}};
    if (parsed->has_query() || parsed->has_fragment()) return bad_url(url, "must end with its path: no ? and no #");
    std::string_view rule;
    auto to = read_target(*parsed, rule);
    if (!to) return bad_url(url, rule);
    to->path = std::string(parsed->encoded_path());
    while (to->path.ends_with('/'))
        to->path.pop_back();
    return *to;
}

core::result<target> parse_webhook_url(const std::string& url, const char* setting) {
    const auto parsed = urls::parse_uri(url);
    if (!parsed) return bad_webhook(setting, "not a URL such as https://example.com/hook");
    if (parsed->has_fragment()) return bad_webhook(setting, "must not hold a #");
    std::string_view rule;
    auto to = read_target(*parsed, rule);
    if (!to) return bad_webhook(setting, rule);
    to->path = std::string(parsed->encoded_path());
    if (to->path.empty()) to->path = "/";
    if (parsed->has_query()) to->path += "?" + std::string(parsed->encoded_query());
    to->url_setting = setting;
    to->ca_setting = "notify.ca_file";
    return *to;
}

core::result<void> check_base_url(const std::string& url) {
    const auto parsed = parse_base_url(url);
    if (!parsed) return parsed.error();
    return {};
}

core::result<void> check_proxy(const std::string& url) {
    const auto parsed = parse_proxy(url, "send.proxy");
    if (!parsed) return parsed.error();
    return {};
}

core::result<void> check_webhook_url(const std::string& setting, const std::string& url) {
    const auto parsed = parse_webhook_url(url, setting.c_str());
    if (!parsed) return parsed.error();
    return {};
}

core::result<std::optional<proxy_target>> parse_proxy(const std::string& url, const std::string& from) {
    if (url.empty()) return std::optional<proxy_target>();
    const auto parsed = urls::parse_uri(url);
    if (!parsed || parsed->scheme_id() != urls::scheme::http) return bad_proxy(from);
    const auto at = host_and_port(*parsed, 80);
    if (!at) return bad_proxy(from);
    proxy_target proxy{*at, {}};
    if (parsed->has_userinfo()) proxy.authorization = "Basic " + base64(parsed->user() + ":" + parsed->password());
    return std::optional(std::move(proxy));
}

namespace {

using environment_map = std::map<std::string, std::string>;

// The first that is not empty.
named_proxy first_of(const environment_map& environment, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        const auto it = environment.find(name);
        if (it != environment.end() && !it->second.empty()) return {it->second, name};
    }
    return {};
}

// "10.0.0.0/8": whether it is a network that has this address.
bool is_network_of(std::string_view entry, const std::string& host) {
    const auto address = as_address(host);
    if (!address || entry.find('/') == std::string_view::npos) return false;
    boost::system::error_code ec;
    if (address->is_v4()) {
        const auto net = ip::make_network_v4(std::string(entry), ec);
        return !ec && net.canonical() == ip::network_v4(address->to_v4(), net.prefix_length()).canonical();
    }
    const auto net = ip::make_network_v6(std::string(entry), ec);
    return !ec && net.canonical() == ip::network_v6(address->to_v6(), net.prefix_length()).canonical();
}

// One entry of NO_PROXY: "*", a network, a host, a domain with or without a leading dot, these with an optional port.
bool exempts(std::string_view entry, const host_port& at) {
    if (entry == "*" || is_network_of(entry, at.host)) return true;
    const std::string with_port = fmt::format(":{}", at.port);
    const bool bare_v6 = entry.find(':') != entry.rfind(':') && !entry.starts_with('[');
    if (!bare_v6 && entry.ends_with(with_port)) entry.remove_suffix(with_port.size());
    if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
    if (entry.starts_with("*.")) entry.remove_prefix(1);
    if (entry.starts_with('.')) entry.remove_prefix(1);
    if (entry.empty()) return false;
    if (equal_ignoring_case(entry, at.host)) return true;
    const std::string_view host = at.host;
    return host.size() > entry.size() && host[host.size() - entry.size() - 1] == '.' &&
           equal_ignoring_case(host.substr(host.size() - entry.size()), entry);
}

bool is_exempt(const std::string& no_proxy, const host_port& at) {
    constexpr std::string_view separators = ", \t";
    std::string_view rest = no_proxy;
    while (!rest.empty()) {
        const auto end = std::min(rest.find_first_of(separators), rest.size());
        if (end != 0 && exempts(rest.substr(0, end), at)) return true;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
}

}  // namespace

named_proxy proxy_for(const std::string& base_url, const environment_map& environment) {
    // The more liberal of the two kinds of URL: it is the host that counts.
    const auto to = parse_webhook_url(base_url);
    if (!to || !to->tls || is_loopback(to->at.host)) return {};
    // The lower-case spelling wins, as for curl.
    auto proxy = first_of(environment, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
    if (proxy.url.empty() || is_exempt(first_of(environment, {"no_proxy", "NO_PROXY"}).url, to->at)) return {};
    if (proxy.url.find("://") == std::string::npos) proxy.url = "http://" + proxy.url;
    return proxy;
}

bool leaves_this_machine(const std::string& base_url) {
    const auto to = parse_base_url(base_url);
    return !to || !is_loopback(to->at.host);
}

std::string without_password(const std::string& url) {
    const auto begin = url.find("://");
    const auto from = begin == std::string::npos ? 0 : begin + 3;
    const auto at = url.rfind('@', url.find('/', from));
    return at == std::string::npos || at < from ? url : url.substr(0, from) + url.substr(at + 1);
}

}  // namespace taskbarge::client
