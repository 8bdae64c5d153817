// What all TLS connections to one host share: trust, versions, and sessions to be resumed.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "client/target.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::client {

// TLS 1.2 or later, the peer's certificate checked against one set of authorities. For one host only, whose sessions
// it keeps. Used by one thread.
class tls_context {
 public:
    // `ca_file`: PEM, trusted instead of the system's store; empty: the system's. errc::settings if it cannot be read,
    // with a text that names the setting it came from.
    static core::result<std::shared_ptr<tls_context>> make(const std::string& ca_file,
                                                           const char* setting = "--ca-file");
    tls_context(const tls_context&) = delete;
    tls_context& operator=(const tls_context&) = delete;

    boost::asio::ssl::context& native() { return context_; }

    // Prepares a connection that has not begun its handshake: the name to be asked for and to be proven, and a session
    // to resume if there is one.
    void prepare(SSL* ssl, const target& to);
    // To be called before a connection is given up: without it OpenSSL takes its session for broken.
    static void retire(SSL* ssl);

 private:
    struct session_deleter {
        void operator()(SSL_SESSION* s) const { SSL_SESSION_free(s); }
    };
    using session_ptr = std::unique_ptr<SSL_SESSION, session_deleter>;

    tls_context();
    static int on_new_session(SSL* ssl, SSL_SESSION* session);
    session_ptr take_session();

    boost::asio::ssl::context context_;
    std::deque<session_ptr> sessions_;  // oldest first
};

// Why the handshake failed, if it did because of the peer's certificate; nothing otherwise.
std::optional<std::string> certificate_problem(SSL* ssl, const target& to);

}  // namespace taskbarge::client
