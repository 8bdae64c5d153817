#include "service/http/guard.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "service/http/ascii.hpp"
#include "service/http/authority.hpp"
#include "taskbarge/core/sha256.hpp"

namespace taskbarge::service::http {

namespace {

constexpr std::size_t shortest_token = 16;
constexpr std::uint16_t http_port = 80, https_port = 443;

// Takes the same time wherever the two differ, and whatever their lengths: their digests are compared.
bool same_secret(std::string_view given, std::string_view expected) {
    const auto a = core::sha256_of(given), b = core::sha256_of(expected);
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// Probes, and the page without any of the data that it shows.
bool is_open(std::string_view path) {
    return path == "/healthz" || path == "/readyz" || path == "/" || path == "/openapi.yaml" ||
           path.starts_with("/assets/");
}

// A ticket changes nothing either: it is a way to look.
bool only_looks(const request_head& head) {
    return head.method == "GET" || head.method == "HEAD" || head.method == "OPTIONS" || head.path == "/v1/tickets";
}

bool names_loopback(const authority& a) {
    return a.host == "localhost" || (a.address && a.address->is_loopback());
}

// A page can make a browser call any address by a name of its own (DNS rebinding), but the browser then sends that
// name. An address in its place cannot be rebound, so a server on all addresses takes every one.
bool is_reached_by(const authority& listen, const authority& host) {
    if (host.host == listen.host) return true;
    if (names_loopback(listen)) return names_loopback(host);
    return listen.address && listen.address->is_unspecified() && (host.address || names_loopback(host));
}

bool is_default_port(std::uint16_t port) {
    return port == http_port || port == https_port;
}

bool allows_host(const authority& allowed, const authority& host) {
    if (allowed.host != host.host) return false;
    if (!allowed.port) return true;
    // Without a port the request came for its scheme's own, which a proxy before us may have taken away.
    return host.port ? *host.port == *allowed.port : is_default_port(*allowed.port);
}

bool is_our_host(const guard_options& options, const authority& host) {
    const auto listen = parse_authority(options.listen);
    if (listen && is_reached_by(*listen, host)) return true;
    return std::ranges::any_of(options.allowed_hosts, [&](const std::string& text) {
        const auto allowed = parse_authority(text);
        return allowed && allows_host(*allowed, host);
    });
}

struct origin {
    authority site;
    std::uint16_t port = 0;  // said or not
    std::uint16_t default_port = 0;
};

std::optional<origin> parse_origin(std::string_view text) {
    origin o;
    for (const auto& [scheme, port] : {std::pair<std::string_view, std::uint16_t>{"http://", http_port},
                                       std::pair<std::string_view, std::uint16_t>{"https://", https_port}}) {
        if (!text.starts_with(scheme)) continue;
        auto site = parse_authority(text.substr(scheme.size()));
        if (!site) return std::nullopt;
        o.default_port = port;
        o.port = site->port.value_or(port);
        o.site = std::move(*site);
        return o;
    }
    return std::nullopt;
}

// A page of the place that is asked, or of one of the further names: there a port counts unless it is the usual one,
// since who serves another port of that host may be anybody.
bool is_our_origin(const guard_options& options, const authority& host, const origin& from) {
    if (from.site.host == host.host && from.port == host.port.value_or(from.default_port)) return true;
    return std::ranges::any_of(options.allowed_hosts, [&](const std::string& text) {
        const auto allowed = parse_authority(text);
        return allowed && allowed->host == from.site.host && from.port == allowed->port.value_or(from.default_port);
    });
}

// The token of "Bearer <token>"; the scheme's case does not matter.
std::optional<std::string_view> bearer(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    if (!equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
    authorization.remove_prefix(scheme.size());
    authorization.remove_prefix(std::min(authorization.find_first_not_of(' '), authorization.size()));
    return authorization;
}

response no_token(bool wrong_one) {
    response a = wrong_one
                     ? problem(401, "unauthorized", "A token is needed", "The bearer token is not the one in use.")
                     : problem(401, "unauthorized", "A token is needed",
                               "Send the service's token in the header: Authorization: Bearer TOKEN.");
    a.headers.emplace_back("WWW-Authenticate", wrong_one ? R"(Bearer realm="taskbarge", error="invalid_token")"
                                                         : R"(Bearer realm="taskbarge")");
    return a;
}

}  // namespace

bool is_loopback(std::string_view listen) {
    const auto a = parse_authority(listen);
    return a && names_loopback(*a);
}

core::result<void> check_token(const core::secret& token) {
    const std::string& text = token.reveal();
    const bool visible = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
    if (text.size() >= shortest_token && visible) return {};
    return core::failure{core::errc::settings,
                         "the service's token must be at least 16 characters, all of them visible "
                         "ASCII without blanks; make one with: openssl rand -hex 32"};
}

std::optional<response> guard::refuse(const request_head& head, bool has_ticket) const {
    const auto host = parse_authority(head.header("host"));
    if (!host) {
        return problem(400, "no-host", "The Host header is missing",
                       "Send the name and port by which the service is reached in the Host header.");
    }
    if (!is_our_host(options_, *host)) {
        return problem(421, "wrong-host", "The service is not reached by this name",
                       "Use the address of serve.listen, or add the name of the Host header to serve.allowed_hosts.");
    }
    if (const std::string_view from = head.header("origin"); !from.empty()) {
        const auto page = parse_origin(from);
        if (!page || !is_our_origin(options_, *host, *page)) {
            return problem(403, "foreign-origin", "Pages of other sites may not use the service",
                           "The Origin header names another site; add its name to serve.allowed_hosts to trust it.");
        }
    }
    return refuse_caller(head, has_ticket);
}

std::optional<response> guard::refuse_caller(const request_head& head, bool has_ticket) const {
    if (!needs_token() || is_open(head.path)) return std::nullopt;
    const auto given = bearer(head.header("authorization"));
    if (!given) return has_ticket ? std::nullopt : std::optional(no_token(false));
    if (same_secret(*given, options_.token.reveal())) return std::nullopt;
    const bool reads = !options_.read_token.empty() && same_secret(*given, options_.read_token.reveal());
    if (!reads) return no_token(true);
    if (only_looks(head)) return std::nullopt;
    return problem(403, "read-only", "This token may only read",
                   "Use the token of serve.token_file for what changes something.");
}

bool guard::may_write(const request_head& head) const {
    if (!needs_token()) return true;
    const auto given = bearer(head.header("authorization"));
    return given && same_secret(*given, options_.token.reveal());
}

const header_list& security_headers() {
    static const header_list headers{
        {"X-Content-Type-Options", "nosniff"},
        {"Cache-Control", "no-store"},
        {"X-Frame-Options", "DENY"},
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };
    return headers;
}

}  // namespace taskbarge::service::http
