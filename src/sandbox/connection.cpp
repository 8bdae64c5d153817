#include "sandbox/connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>

#include "taskbarge/async/deadline.hpp"

namespace taskbarge::sandbox {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace chrono = std::chrono;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// Larger than any request of a client that means well: 64 MiB are some two million contacts.
constexpr std::uint64_t body_limit = 64ull << 20;
constexpr auto farewell_limit = chrono::seconds(1);
constexpr int dribble_pieces = 32;

using request = http::request<http::string_body>;

std::string headers_of(const request& message) {
    std::string all;
    for (const auto& field : message)
        fmt::format_to(std::back_inserter(all), "{}{}: {}", all.empty() ? "" : "; ",
                       std::string_view(field.name_string()), std::string_view(field.value()));
    return all;
}

std::string_view key_of(const request& message) {
    if (const auto it = message.find("x-api-key"); it != message.end()) return it->value();
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view authorization = message[http::field::authorization];
    return authorization.starts_with(scheme) ? authorization.substr(scheme.size()) : std::string_view();
}

bool accepts_gzip(const request& message) {
    const std::string_view accepted = message[http::field::accept_encoding];
    return accepted.find("gzip") != std::string_view::npos;
}

asio::awaitable<void> pause(chrono::milliseconds time) {
    if (time <= chrono::milliseconds(0)) co_return;
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

// Closing with nothing to linger for makes the kernel send a reset.
void reset_connection(tcp::socket& socket) {
    error_code ignored;
    socket.set_option(asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
}

void close_connection(tcp::socket& socket) {
    error_code ignored;
    socket.shutdown(tcp::socket::shutdown_both, ignored);
    socket.close(ignored);
}

void end_by_fault(tcp::socket& socket, const fault& f) {
    if (f.kind == fault_kind::reset) {
        reset_connection(socket);
    } else {
        close_connection(socket);
    }
}

// The requests and answers of one connection, over TLS or plain.
template <class Stream>
class conversation {
 public:
    conversation(Stream& stream, const connection_context& context) : stream_(stream), context_(context) {}

    asio::awaitable<void> run() {
        bool goes_on = true;
        while (goes_on)
            goes_on = co_await exchange();
    }

 private:
    sandbox::apollo& apollo() const { return context_.apollo; }
    tcp::socket& socket() { return beast::get_lowest_layer(stream_); }

    // One request and its answer; whether another one may follow.
    asio::awaitable<bool> exchange() {
        http::request_parser<http::string_body> parser;
        parser.body_limit(body_limit);
        co_await http::async_read_header(stream_, buffer_, parser, asio::use_awaitable);
        const request& message = parser.get();
        request_head head{message.method_string(), message.target(), key_of(message)};
        const admission a = apollo().admit(head);
        if (a.fault && a.fault->stage == fault_stage::request) {
            note(head, a, 0);
            end_by_fault(socket(), *a.fault);
            co_return false;
        }
        if (a.fault && a.fault->echoes) head.headers = headers_of(message);
        if (message[http::field::expect] == "100-continue") co_await send("HTTP/1.1 100 Continue\r\n\r\n");
        co_await http::async_read(stream_, buffer_, parser, asio::use_awaitable);

        co_await pause(a.wait_before);
        answer reply = apollo().serve(a, head, message.body());
        co_await pause(a.wait_after);
        ++served_;
        const bool stays = message.keep_alive();
        const bool packed = apollo().options().gzip && accepts_gzip(message);
        if (packed && !is(a, fault_kind::oversized)) gzip_body(reply);
        // Off by one: what the request before should have got is sent, its own answer waits for the next.
        const bool swapped = is(a, fault_kind::previous) && before_;
        if (swapped) std::swap(reply, *before_);
        const bool goes_on = co_await deliver(head, a, reply, stays);
        if (!swapped) before_ = std::move(reply);
        co_return goes_on;
    }

    static bool is(const admission& a, fault_kind kind) { return a.fault && a.fault->kind == kind; }

    asio::awaitable<bool> deliver(const request_head& head, const admission& a, const answer& reply, bool stays) {
        if (a.fault && withholds(*a.fault)) {
            note(head, a, 0);
            co_await withhold(*a.fault);
            co_return false;
        }
        const auto then = stays ? after_answer::keep_alive : after_answer::close;
        const std::int64_t length_error = is(a, fault_kind::length) ? a.fault->number : 0;
        const std::string wire = to_wire(reply, a.dated ? apollo().date() : "", then, length_error);
        if (is(a, fault_kind::cut) || (a.fault && a.fault->stage == fault_stage::mid_answer)) {
            note(head, a, 0);
            co_await send(std::string_view(wire).substr(0, wire.size() - (reply.body.size() + 1) / 2));
            if (!is(a, fault_kind::cut)) end_by_fault(socket(), *a.fault);
            if (is(a, fault_kind::cut)) co_await say_farewell();
            co_return false;
        }
        note(head, a, reply.status);
        if (is(a, fault_kind::dribble)) {
            co_await dribble(wire, a.fault->time);
        } else {
            co_await send(wire);
        }
        if (is(a, fault_kind::copy)) {
            // Whatever was asked meanwhile is read, and answered, after it.
            co_await pause(a.fault->time);
            co_await send(wire);
        }
        // Nothing is to come after an answer that claims to be longer than it is.
        const auto most = apollo().requests_per_connection();
        if (stays && length_error <= 0 && (!most || served_ < *most)) co_return true;
        co_await say_farewell();
        co_return false;
    }

    static bool withholds(const fault& f) {
        return f.kind == fault_kind::stall || f.kind == fault_kind::garbage ||
               ((f.kind == fault_kind::reset || f.kind == fault_kind::close) && f.stage == fault_stage::answer);
    }

    asio::awaitable<void> withhold(const fault& f) {
        if (f.kind == fault_kind::stall) {
            co_await until_client_leaves();
        } else if (f.kind == fault_kind::garbage) {
            co_await send("\x16\x03\x01 this is no HTTP\r\n\r\n");
            co_await say_farewell();
        } else {
            end_by_fault(socket(), f);
        }
    }

    asio::awaitable<void> until_client_leaves() {
        std::array<char, 4096> ignored;
        error_code gone;
        while (!gone) {
            co_await stream_.async_read_some(asio::buffer(ignored), asio::redirect_error(asio::use_awaitable, gone));
        }
    }

    asio::awaitable<void> send(std::string_view bytes) {
        co_await asio::async_write(stream_, asio::buffer(bytes), asio::use_awaitable);
    }

    asio::awaitable<void> dribble(std::string_view wire, chrono::milliseconds time) {
        const std::size_t piece = std::max<std::size_t>(1, wire.size() / dribble_pieces);
        const auto between = time / dribble_pieces;
        while (!wire.empty()) {
            co_await pause(between);
            co_await send(wire.substr(0, piece));
            wire.remove_prefix(std::min(piece, wire.size()));
        }
    }

    // An orderly end, with TLS' own good-bye if the client answers it soon.
    asio::awaitable<void> say_farewell() {
        if constexpr (!std::is_same_v<Stream, tcp::socket>) {
            co_await async::with_deadline(shut_tls(), farewell_limit);
        }
        close_connection(socket());
    }

    asio::awaitable<error_code> shut_tls() {
        error_code result;
        co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, result));
        co_return result;
    }

    void note(const request_head& head, const admission& a, int status) {
        apollo().record(a, status);
        if (!context_.log) return;
        const std::string outcome = status == 0 ? "no answer" : std::to_string(status);
        context_.log(fmt::format("{} {} {}{}", head.method, head.target.substr(0, head.target.find('?')), outcome,
                                 a.fault ? " (fault " + a.fault->spelled + ")" : ""));
    }

    Stream& stream_;
    const connection_context& context_;
    beast::flat_buffer buffer_;
    std::uint64_t served_ = 0;
    std::optional<answer> before_;  // to the request before
};

asio::awaitable<void> await_first_bytes(tcp::socket& socket) {
    std::array<char, 64> ignored;
    co_await socket.async_read_some(asio::buffer(ignored), asio::use_awaitable);
}

asio::awaitable<void> serve(tcp::socket socket, const connection_context& context) {
    const auto struck = context.apollo.admit_connection();
    if (struck) {
        if (struck->stage == fault_stage::handshake) co_await await_first_bytes(socket);
        end_by_fault(socket, *struck);
        co_return;
    }
    socket.set_option(tcp::no_delay(true));
    if (context.tls == nullptr) {
        conversation<tcp::socket> talk(socket, context);
        co_await talk.run();
    } else {
        asio::ssl::stream<tcp::socket> stream(std::move(socket), *context.tls);
        co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
        conversation<asio::ssl::stream<tcp::socket>> talk(stream, context);
        co_await talk.run();
    }
}

}  // namespace

asio::awaitable<void> serve_connection(tcp::socket socket, const connection_context& context) {
    try {
        co_await serve(std::move(socket), context);
    } catch (const boost::system::system_error&) {
        // The client left, or never spoke our language: its end of the matter, and its own to report.
    }
}

}  // namespace taskbarge::sandbox
