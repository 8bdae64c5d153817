#include "client/tls_context.hpp"

#include <fmt/format.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <stdexcept>

#include "taskbarge/client/apollo_client.hpp"

namespace taskbarge::client {

namespace ssl = boost::asio::ssl;

namespace {

// Servers give out two tickets a connection; more than this only grow old.
constexpr std::size_t kept_sessions = 16;

int context_slot() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

void require(bool ok, const char* what) {
    if (!ok) throw std::runtime_error(fmt::format("TLS cannot be set up: {}", what));
}

}  // namespace

tls_context::tls_context() : context_(ssl::context::tls_client) {
    SSL_CTX* const ctx = context_.native_handle();
    context_.set_verify_mode(ssl::verify_peer);
    require(SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1, "minimum version");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    require(SSL_CTX_set_ex_data(ctx, context_slot(), this) == 1, "context data");
    SSL_CTX_sess_set_new_cb(ctx, &tls_context::on_new_session);
}

core::result<std::shared_ptr<tls_context>> tls_context::make(const std::string& ca_file, const char* setting) {
    std::shared_ptr<tls_context> made(new tls_context);
    boost::system::error_code ec;
    if (ca_file.empty()) {
        made->context_.set_default_verify_paths(ec);
        if (ec) return core::failure{core::errc::settings, "the system's certificate store: " + ec.message()};
        return made;
    }
    made->context_.load_verify_file(ca_file, ec);
    if (ec)
        return core::failure{core::errc::settings, fmt::format("{} {}: no readable PEM file with certificates ({})",
                                                               setting, ca_file, ec.message())};
    return made;
}

core::result<void> check_ca_file(const std::string& path, const char* setting) {
    const auto made = tls_context::make(path, setting);
    if (!made) return made.error();
    return {};
}

void tls_context::prepare(SSL* native, const target& to) {
    X509_VERIFY_PARAM* const rule = SSL_get0_param(native);
    X509_VERIFY_PARAM_set_hostflags(rule, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (to.is_address) {
        require(X509_VERIFY_PARAM_set1_ip_asc(rule, to.at.host.c_str()) == 1, "address to be proven");
    } else {
        require(X509_VERIFY_PARAM_set1_host(rule, to.at.host.c_str(), to.at.host.size()) == 1, "name to be proven");
        require(SSL_set_tlsext_host_name(native, to.at.host.c_str()) == 1, "server name");
    }
    constexpr std::array<unsigned char, 9> http_1_1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    require(SSL_set_alpn_protos(native, http_1_1.data(), http_1_1.size()) == 0, "protocol");
    if (const session_ptr session = take_session()) SSL_set_session(native, session.get());
}

void tls_context::retire(SSL* native) {
    SSL_set_shutdown(native, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

int tls_context::on_new_session(SSL* native, SSL_SESSION* session) {
    auto* const self = static_cast<tls_context*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(native), context_slot()));
    self->sessions_.emplace_back(session);
    if (self->sessions_.size() > kept_sessions) self->sessions_.pop_front();
    return 1;  // the session is ours now
}

tls_context::session_ptr tls_context::take_session() {
    while (!sessions_.empty()) {
        session_ptr newest = std::move(sessions_.back());
        sessions_.pop_back();
        if (SSL_SESSION_is_resumable(newest.get()) != 1) continue;
        // A TLS 1.3 ticket is for one use (RFC 8446, C.4); an older session serves until it is replaced.
        if (SSL_SESSION_get_protocol_version(newest.get()) < TLS1_3_VERSION) {
            SSL_SESSION_up_ref(newest.get());
            sessions_.emplace_front(newest.get());
        }
        return newest;
    }
    return nullptr;
}

std::optional<std::string> certificate_problem(SSL* native, const target& to) {
    const long verdict = SSL_get_verify_result(native);
    switch (verdict) {
        case X509_V_OK:
            return std::nullopt;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return fmt::format("the certificate of {} is not made out to this name: check {}", to.host_header,
                               to.url_setting);
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return fmt::format(
                "the certificate of {} is not valid now ({}): check this machine's clock, else it is "
                "the server's to renew",
                to.host_header, X509_verify_cert_error_string(verdict));
        default:
            return fmt::format(
                "the certificate of {} is not trusted ({}): if this server is meant, name its "
                "authority's certificate with {}",
                to.host_header, X509_verify_cert_error_string(verdict), to.ca_setting);
    }
}

}  // namespace taskbarge::client
