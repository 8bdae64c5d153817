#include "support/scripted_server.hpp"

#include <openssl/ssl.h>
#include <zlib.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace taskbarge::testing {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

std::string http_answer(int status, const std::string& body, const header_list& headers) {
    std::string out = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\n";
    bool framed = false;
    for (const auto& [name, value] : headers) {
        out += name + ": " + value + "\r\n";
        framed = framed || name == "Content-Length" || name == "Transfer-Encoding" || value == "close";
    }
    if (!framed) out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return out + "\r\n" + body;
}

std::string gzipped(const std::string& text) {
    z_stream z{};
    constexpr int gzip_window = 15 + 16, memory = 8;
    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window, memory, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error("deflateInit2");
    std::string out(deflateBound(&z, text.size()), '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    const int status = deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    deflateEnd(&z);
    if (status != Z_STREAM_END) throw std::runtime_error("deflate");
    return out;
}

std::string chunked(const std::string& text, std::size_t piece) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        const std::string part = text.substr(at, piece);
        char size[20];
        std::snprintf(size, sizeof size, "%zx", part.size());
        out += std::string(size) + "\r\n" + part + "\r\n";
    }
    return out + "0\r\n\r\n";
}

std::string seen_request::header(const std::string& name) const {
    for (const auto& [n, v] : headers)
        if (n == name) return v;
    return {};
}

class scripted_server::impl {
 public:
    explicit impl(server_options options)
        : options_(std::move(options)),
          context_(ssl::context::tls_server),
          acceptor_(io_, tcp::endpoint(asio::ip::make_address(options_.address), 0)) {
        if (options_.tls) prepare_tls();
        port = acceptor_.local_endpoint().port();
        fallback = answer_with(200, R"({"success":true,"tasks":[]})");
        asio::co_spawn(io_, accept_all(), asio::detached);
        thread_ = std::thread([this] { io_.run(); });
    }
    ~impl() {
        io_.stop();
        thread_.join();
    }

    template <class Done>
    bool wait(Done done) {
        constexpr auto unreasonable = std::chrono::seconds(20);
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, unreasonable, done);
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::deque<reply> replies;
    std::deque<greeting> greetings;
    reply fallback;
    std::vector<seen_request> requests;
    std::size_t connections = 0;
    std::size_t closed = 0;
    std::size_t resumed = 0;
    std::uint16_t port = 0;

 private:
    void prepare_tls() {
        context_.use_certificate_chain(asio::buffer(options_.identity.certificate_pem));
        context_.use_private_key(asio::buffer(options_.identity.key_pem), ssl::context::pem);
        if (options_.max_tls_version == 0) return;
        SSL_CTX_set_min_proto_version(context_.native_handle(), TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context_.native_handle(), options_.max_tls_version);
        // Below level 1 the old versions may be spoken at all.
        SSL_CTX_set_security_level(context_.native_handle(), 0);
    }

    asio::awaitable<void> accept_all() {
        for (;;) {
            tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
            asio::co_spawn(io_, meet(std::move(socket)), asio::detached);
        }
    }

    greeting next_greeting() {
        const std::lock_guard lock(mutex);
        ++connections;
        if (greetings.empty()) return greeting::serve;
        const greeting g = greetings.front();
        greetings.pop_front();
        return g;
    }

    asio::awaitable<void> meet(tcp::socket socket) {
        const greeting how = next_greeting();
        const std::size_t number = connections - 1;
        if (how == greeting::close_on_accept) {
            close(socket);
        } else if (how == greeting::stall_on_accept) {
            held_.push_back(std::move(socket));
        } else if (options_.tls) {
            ssl::stream<tcp::socket> stream(std::move(socket), context_);
            error_code ec;
            co_await stream.async_handshake(ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, ec));
            if (!ec) {
                count_resumption(stream.native_handle());
                co_await serve(stream, how, number);
            }
            close(stream.lowest_layer());
        } else {
            co_await serve(socket, how, number);
            close(socket);
        }
    }

    void count_resumption(SSL* native) {
        const std::lock_guard lock(mutex);
        if (SSL_session_reused(native) == 1) ++resumed;
    }

    template <class Stream>
    asio::awaitable<void> serve(Stream& stream, greeting how, std::size_t number) {
        error_code ec;
        if (how == greeting::close_after_handshake) co_return;
        if (how == greeting::garbage_after_handshake)
            co_await asio::async_write(stream, asio::buffer("what\r\n\r\n", 8), asio::use_awaitable);
        boost::beast::flat_buffer buffer;
        if (how == greeting::refuse_early) {
            co_await refuse(stream, buffer);
            co_return;
        }
        for (;;) {
            http::request_parser<http::string_body> parser;
            parser.body_limit(64U << 20U);
            co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, ec));
            if (ec) co_return;
            const reply r = note(parser.get(), number);
            const std::size_t size = std::min(r.wire.size(), r.cut_at.value_or(r.wire.size()));
            if (size > 0)
                co_await asio::async_write(stream, asio::buffer(r.wire.data(), size),
                                           asio::redirect_error(asio::use_awaitable, ec));
            if (r.then == farewell::none) continue;
            if (r.then == farewell::reset) reset_on_close(stream.lowest_layer());
            if (r.then == farewell::orderly) say_goodbye(stream);
            co_return;
        }
    }

    template <class Stream>
    asio::awaitable<void> refuse(Stream& stream, boost::beast::flat_buffer& buffer) {
        error_code ec;
        http::request_parser<http::empty_body> head;
        head.body_limit(boost::none);
        co_await http::async_read_header(stream, buffer, head, asio::redirect_error(asio::use_awaitable, ec));
        const std::string answer = http_answer(413, "");
        co_await asio::async_write(stream, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, ec));
    }

    reply note(const http::request<http::string_body>& request, std::size_t number) {
        seen_request seen{
            std::string(request.method_string()), std::string(request.target()), request.body(), {}, number};
        for (const auto& f : request) {
            std::string name(f.name_string());
            for (char& c : name)
                c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            seen.headers.emplace_back(std::move(name), std::string(f.value()));
        }
        const std::lock_guard lock(mutex);
        requests.push_back(std::move(seen));
        changed.notify_all();
        if (replies.empty()) return fallback;
        reply r = std::move(replies.front());
        replies.pop_front();
        return r;
    }

    static void say_goodbye(tcp::socket&) {}
    static void say_goodbye(ssl::stream<tcp::socket>& stream) {
        // Writes close_notify without waiting for the other side's.
        error_code ignored;
        SSL* const native = stream.native_handle();
        SSL_set_shutdown(native, SSL_RECEIVED_SHUTDOWN);
        stream.shutdown(ignored);
    }

    template <class Socket>
    static void reset_on_close(Socket& socket) {
        error_code ignored;
        socket.set_option(asio::socket_base::linger(true, 0), ignored);
    }

    template <class Socket>
    void close(Socket& socket) {
        error_code ignored;
        socket.close(ignored);
        const std::lock_guard lock(mutex);
        ++closed;
        changed.notify_all();
    }

    server_options options_;
    asio::io_context io_;
    ssl::context context_;
    tcp::acceptor acceptor_;
    std::vector<tcp::socket> held_;
    std::thread thread_;
};

scripted_server::scripted_server(server_options options) : impl_(std::make_unique<impl>(std::move(options))) {}
scripted_server::~scripted_server() = default;

std::uint16_t scripted_server::port() const {
    return impl_->port;
}

void scripted_server::script(std::vector<reply> replies) {
    const std::lock_guard lock(impl_->mutex);
    impl_->replies.assign(replies.begin(), replies.end());
}

void scripted_server::greet(std::vector<greeting> greetings) {
    const std::lock_guard lock(impl_->mutex);
    impl_->greetings.assign(greetings.begin(), greetings.end());
}

void scripted_server::fallback(reply r) {
    const std::lock_guard lock(impl_->mutex);
    impl_->fallback = std::move(r);
}

std::vector<seen_request> scripted_server::requests() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->requests;
}

std::size_t scripted_server::connections() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->connections;
}

std::size_t scripted_server::resumed_sessions() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->resumed;
}

bool scripted_server::wait_for_closed(std::size_t count) const {
    return impl_->wait([&] { return impl_->closed >= count; });
}

bool scripted_server::wait_for_requests(std::size_t count) const {
    return impl_->wait([&] { return impl_->requests.size() >= count; });
}

}  // namespace taskbarge::testing
