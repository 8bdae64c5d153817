// Who may ask, and for what: bearer token, Host and Origin. Plain functions of the request's head.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/http/message.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/secret.hpp"

namespace taskbarge::service::http {

struct guard_options {
    core::secret token;  // for all that there is; empty: none is asked for
    std::string listen;  // address and port in use
    std::vector<std::string>
        allowed_hosts;          // further names (without port, or with one) under which the service is reached
    core::secret read_token{};  // for looking only; empty: there is none
};

// Whether the address can be reached from this machine alone.
bool is_loopback(std::string_view listen);

// A token that is fit for use: at least 16 characters, ASCII without blanks. errc::settings names the rule.
core::result<void> check_token(const core::secret& token);

class guard {
 public:
    explicit guard(guard_options options) : options_(std::move(options)) {}

    // Nothing: let it pass. Else the answer: 400 no Host, 421 a Host that is not ours (DNS rebinding), 403 an Origin
    // that is not ours (a page of another site), or a change that is asked for with the token for reading, 401 no or a
    // wrong token, with WWW-Authenticate. Tokens are compared in constant time. Probes and the page itself need none.
    // `has_ticket`: the request may do without, see tickets.
    std::optional<response> refuse(const request_head& head, bool has_ticket = false) const;
    // Whether this one, which was let pass, may change something.
    bool may_write(const request_head& head) const;
    bool needs_token() const { return !options_.token.empty(); }

 private:
    std::optional<response> refuse_caller(const request_head& head, bool has_ticket) const;
    guard_options options_;
};

// Headers that every answer carries: nosniff, no-store, no framing, a content security policy, no referrer.
const header_list& security_headers();

}  // namespace taskbarge::service::http
