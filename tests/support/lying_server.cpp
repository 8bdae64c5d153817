#include "support/lying_server.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "taskbarge/core/json_text.hpp"

namespace taskbarge::testing {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using clock = std::chrono::steady_clock;

namespace {

// A gzip member of nothing, as gzip itself makes it.
constexpr std::string_view empty_member("\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0", 20);
constexpr std::string_view chunked_head =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

using request = http::request<http::string_body>;

std::string whole(int status, const std::string& body, const std::string& headers = "") {
    return fmt::format("HTTP/1.1 {} Said\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\n\r\n{}", status,
                       headers, body.size(), body);
}

std::string echo_of(const request& r) {
    std::string head;
    for (const auto& f : r)
        head += fmt::format("{}: {} ", std::string(f.name_string()), std::string(f.value()));
    std::string quoted;
    core::append_json_string(quoted, head);
    return whole(422, fmt::format(R"({{"error":{}}})", quoted),
                 fmt::format("X-Request-Id: {0}\r\nRetry-After: {0}\r\n", std::string(r["x-api-key"])));
}

std::string repeated(std::string_view what, std::size_t bytes) {
    std::string out;
    out.reserve(bytes + what.size());
    while (out.size() < bytes)
        out += what;
    return out;
}

std::string page_of(std::size_t tasks) {
    std::string out = R"({"pagination":{"total_entries":)" + std::to_string(tasks) + R"(,"total_pages":1},"tasks":[)";
    for (std::size_t i = 0; i < tasks; ++i)
        out +=
            fmt::format(R"({}{{"id":"t{}","contact_id":"c{}","due_at":"2025-02-15T10:00:00Z"}})", i ? "," : "", i, i);
    return out + "]}";
}

}  // namespace

class lying_server::impl {
 public:
    explicit impl(lying_options options)
        : options_(std::move(options)),
          context_(ssl::context::tls_server),
          acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
        if (options_.tls) {
            context_.use_certificate_chain(asio::buffer(options_.identity.certificate_pem));
            context_.use_private_key(asio::buffer(options_.identity.key_pem), ssl::context::pem);
        }
        port = acceptor_.local_endpoint().port();
        asio::co_spawn(io_, accept_all(), asio::detached);
        thread_ = std::thread([this] { io_.run(); });
    }
    ~impl() {
        io_.stop();
        thread_.join();
    }

    std::uint16_t port = 0;
    std::atomic<std::size_t> requests{0}, connections{0}, tasks{0};
    std::atomic<std::uint64_t> sent{0};

 private:
    asio::awaitable<void> accept_all() {
        for (;;) {
            tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
            ++connections;
            asio::co_spawn(io_, meet(std::move(socket)), asio::detached);
        }
    }

    asio::awaitable<void> meet(tcp::socket socket) {
        if (!options_.tls) {
            co_await serve(socket);
            co_return;
        }
        ssl::stream<tcp::socket> stream(std::move(socket), context_);
        error_code ec;
        co_await stream.async_handshake(ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, ec));
        if (!ec) co_await serve(stream);
    }

    template <class Stream>
    asio::awaitable<void> serve(Stream& stream) {
        boost::beast::flat_buffer buffer;
        error_code ec;
        while (!ec) {
            http::request_parser<http::string_body> parser;
            co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, ec));
            if (ec) break;
            const bool lies = requests++ < options_.lies;
            ec = co_await answer(stream, parser.get(), lies ? options_.what : lie::none);
        }
    }

    template <class Stream>
    asio::awaitable<error_code> answer(Stream& stream, const request& r, lie what) {
        switch (what) {
            case lie::none:
                break;
            case lie::answers_twice: {
                const auto text = honest(r, false);
                const error_code ec = co_await write(stream, text);
                co_await pause(options_.late);
                co_return ec ? ec : co_await write(stream, text);
            }
            case lie::mixes_up: {
                auto own = honest(r, false);
                co_return co_await write(stream, std::exchange(kept_, std::move(own)).value_or(whole(500, "{}")));
            }
            case lie::one_id:
                co_return co_await write(stream, honest(r, true));
            case lie::echoes_head:
                co_return co_await write(stream, echo_of(r));
            case lie::endless_extension:
                co_return co_await write_endless(stream, std::string(chunked_head) + "5;x=", "y");
            case lie::endless_trailers:
                co_return co_await write_endless(stream, std::string(chunked_head) + "2\r\n{}\r\n0\r\n",
                                                 "X-More: y\r\n");
            case lie::endless_interim:
                co_return co_await write_endless(stream, "", "HTTP/1.1 103 Early Hints\r\n\r\n");
            case lie::huge_body:
                co_return co_await write_endless(stream, std::string(chunked_head),
                                                 "1000\r\n" + std::string(4096, ' ') + "\r\n");
            case lie::tiny_chunks_then_silence:
                co_return co_await write_tiny_chunks(stream);
            case lie::huge_page:
                co_return co_await write(stream, whole(200, page_of(options_.amount)));
            case lie::empty_members:
                co_return co_await write(
                    stream, whole(200, repeated(empty_member, options_.amount), "Content-Encoding: gzip\r\n"));
        }
        co_return co_await write(stream, honest(r, false));
    }

    std::string honest(const request& r, bool one_id) {
        if (!std::string_view(r.target()).ends_with("/tasks/bulk_create")) return whole(200, page_of(0));
        simdjson::dom::parser parser;
        simdjson::dom::array contacts;
        std::string made = "[]";
        if (parser.parse(r.body())["contact_ids"].get(contacts) == simdjson::SUCCESS)
            made = core::json_list(contacts, [&](std::string& out, const simdjson::dom::element& contact) {
                out += fmt::format(R"({{"id":"6b{:022x}","contact_id":{}}})", one_id ? 1 : ++tasks,
                                   simdjson::minify(contact));
            });
        return whole(200, fmt::format(R"({{"success":true,"tasks":{}}})", made));
    }

    template <class Stream>
    asio::awaitable<error_code> write(Stream& stream, std::string text) {
        error_code ec;
        sent += co_await asio::async_write(stream, asio::buffer(text), asio::redirect_error(asio::use_awaitable, ec));
        co_return ec;
    }

    // `piece` again and again, many at once; then the connection ends.
    template <class Stream>
    asio::awaitable<error_code> write_endless(Stream& stream, std::string begin, std::string piece) {
        constexpr std::size_t at_once = 64U << 10U;
        error_code ec = co_await write(stream, std::move(begin));
        const auto pieces = repeated(piece, at_once);
        for (std::size_t bytes = 0; !ec && bytes < options_.amount; bytes += pieces.size())
            ec = co_await write(stream, pieces);
        co_return ec ? ec : asio::error::eof;
    }

    template <class Stream>
    asio::awaitable<error_code> write_tiny_chunks(Stream& stream) {
        const auto until = clock::now() + options_.lasts;
        const auto chunks = repeated("1\r\n \r\n", 600);
        error_code ec = co_await write(stream, std::string(chunked_head));
        for (std::size_t bytes = 0; !ec && bytes < options_.amount && clock::now() < until; bytes += chunks.size())
            ec = co_await write(stream, chunks);
        if (!ec) co_await pause(std::chrono::seconds(20));
        co_return ec ? ec : asio::error::eof;
    }

    asio::awaitable<void> pause(std::chrono::milliseconds how_long) {
        asio::steady_timer timer(io_, how_long);
        error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }

    lying_options options_;
    asio::io_context io_;
    ssl::context context_;
    tcp::acceptor acceptor_;
    std::optional<std::string> kept_;
    std::thread thread_;
};

lying_server::lying_server(lying_options options) : impl_(std::make_unique<impl>(std::move(options))) {}
lying_server::~lying_server() = default;

std::uint16_t lying_server::port() const {
    return impl_->port;
}
std::size_t lying_server::requests() const {
    return impl_->requests;
}
std::size_t lying_server::connections() const {
    return impl_->connections;
}
std::size_t lying_server::tasks_made() const {
    return impl_->tasks;
}
std::uint64_t lying_server::bytes_sent() const {
    return impl_->sent;
}

}  // namespace taskbarge::testing
