// Where requests go, taken apart once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "taskbarge/core/error.hpp"

namespace taskbarge::client {

struct host_port {
    std::string host;  // a name or an address, without brackets
    std::uint16_t port = 0;
};

struct target {
    bool tls = true;
    host_port at;
    bool is_address = false;  // `at.host` is an IP literal
    std::string host_header;  // as in a URL: brackets, and the port unless it is the scheme's own
    std::string path;         // begins with '/' or is empty; never ends with '/' unless it is a webhook's
    // What messages call the URL's and the authorities' settings.
    const char* url_setting = "apollo.base_url";
    const char* ca_setting = "--ca-file";
};

// errc::settings unless it is an https URL, or an http one to loopback, without credentials, query and fragment.
core::result<target> parse_base_url(const std::string& url);

// The same for the URL of a webhook, which that setting names, and of which nothing is appended to: its path is kept as
// it is, with its query. The text does not repeat the URL: receivers put secrets into it.
core::result<target> parse_webhook_url(const std::string& url, const char* setting = "notify.url");

struct proxy_target {
    host_port at;
    std::string authorization;  // the value of Proxy-Authorization; empty: none. A secret.
};

// errc::settings unless it is an http URL or empty. The text says what named it (`from`) but does not repeat it: it may
// hold a password.
core::result<std::optional<proxy_target>> parse_proxy(const std::string& url, const std::string& from = "the proxy");

}  // namespace taskbarge::client
