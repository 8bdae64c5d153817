#include "client/connection.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>

#include "client/exchange_headers.hpp"
#include "client/gzip.hpp"
#include "client/json_values.hpp"
#include "client/resolve.hpp"
#include "client/text.hpp"
#include "taskbarge/async/deadline.hpp"
#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::client {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using async::with_deadline;
using boost::system::error_code;

namespace {

// A header as large as this is not Apollo's.
constexpr std::uint32_t header_limit = 64U << 10U;
constexpr std::size_t read_buffer = 64U << 10U;
// A header, or a line or trailer of a chunked body, and what came along with it: more is not waited for.
constexpr std::size_t buffer_limit = header_limit + read_buffer;

connect_problem stopped() {
    return {"stopped", "stopped before the request was sent"};
}

bool is_stop(error_code ec) {
    return ec == asio::error::operation_aborted;
}

std::string seconds_text(std::chrono::milliseconds d) {
    return d.count() % 1000 == 0 ? fmt::format("{} s", d.count() / 1000) : fmt::format("{} ms", d.count());
}

std::string named(const host_port& at) {
    return fmt::format("{} port {}", at.host, at.port);
}

bool is_interim(int status) {
    return status >= 100 && status < 200 && status != 101;
}

// "timeout=5, max=100": how long the server keeps an idle connection, by its own word.
std::optional<std::chrono::seconds> keep_alive_timeout(std::string_view value) {
    const std::string text = lower_case(value);
    constexpr std::string_view name = "timeout=";
    const auto at = text.find(name);
    if (at == std::string::npos) return std::nullopt;
    const auto from = at + name.size();
    const auto to = std::min(text.find_first_not_of("0123456789", from), text.size());
    const auto n = parse_digits(std::string_view(text).substr(from, to - from));
    constexpr std::uint64_t an_hour = 3600;
    if (!n || *n > an_hour) return std::nullopt;
    return std::chrono::seconds(*n);
}

// What a limit was shared with, where that is why it was passed.
std::string beside_others(const answer_body::value_type& body) {
    return body.no_room ? ", together with others that are being read" : "";
}

}  // namespace

void not_sent(exchange& x, connect_problem why) {
    x.reach = reach::not_sent;
    x.error_code = std::move(why.code);
    x.error_text = std::move(why.text);
    x.tls_or_name_problem = why.name_or_certificate;
}

connection::connection(const asio::any_io_executor& ex, const connection_plan& plan, std::uint64_t number)
    : plan_(plan), number_(number), socket_(ex), buffer_(buffer_limit), idle_limit_(plan.idle_limit) {
    buffer_.reserve(read_buffer);
}

connection::~connection() {
    if (tls_) tls_context::retire(tls_->native_handle());
    if (at_rest_) close_politely();
}

// Awaits a step of the connection's for so long. One that does not hear that it is to end has its socket closed.
asio::awaitable<error_code> connection::in_time(asio::awaitable<error_code> step, clock::duration limit,
                                                async::outer_stop stop) {
    async::urging urged;
    urged.force = &break_off_;
    return with_deadline(std::move(step), limit, stop, urged);
}

// Opening

std::string connection::peer_name() const {
    return plan_.proxy ? "the proxy " + named(plan_.proxy->at) : named(plan_.to.at);
}

asio::awaitable<std::optional<connect_problem>> connection::open() {
    if (auto problem = co_await connect()) co_return problem;
    if (plan_.proxy) {
        if (auto problem = co_await ask_proxy()) co_return problem;
    }
    if (plan_.to.tls) {
        if (auto problem = co_await shake_hands()) co_return problem;
    }
    opened_at_ = idle_since_ = clock::now();
    reusable_ = at_rest_ = true;
    co_return std::nullopt;
}

asio::awaitable<std::optional<connect_problem>> connection::connect() {
    const host_port& at = plan_.proxy ? plan_.proxy->at : plan_.to.at;
    auto found = co_await resolve(at, plan_.connect_timeout);
    if (is_stop(found.error)) co_return stopped();
    if (!plan_.to.tls) std::erase_if(found.endpoints, [](const auto& e) { return !e.address().is_loopback(); });
    if (found.error || found.endpoints.empty()) {
        const std::string why = found.error == asio::error::timed_out
                                    ? "no answer within " + seconds_text(plan_.connect_timeout)
                                    : (found.error ? found.error.message() : "it has no usable address");
        // "Try again" and silence pass by themselves; a name that does not exist does not.
        const bool final =
            found.error != asio::error::timed_out && found.error != asio::error::host_not_found_try_again;
        co_return connect_problem{"dns_failed",
                                  fmt::format("the name {} could not be looked up: {}", at.host, one_line(why)), final};
    }
    const auto until = clock::now() + plan_.connect_timeout;
    error_code last;
    for (std::size_t i = 0; i < found.endpoints.size(); ++i) {
        const auto left = std::max(until - clock::now(), clock::duration::zero());
        const auto share = left / static_cast<clock::rep>(found.endpoints.size() - i);
        const error_code ec = co_await in_time(connect_to(found.endpoints[i]), share);
        if (!ec) co_return std::nullopt;
        if (is_stop(ec)) co_return stopped();
        // A refusal says more than silence.
        if (!last || last == asio::error::timed_out) last = ec;
    }
    co_return cannot_connect(found.endpoints, last);
}

asio::awaitable<error_code> connection::connect_to(tcp::endpoint endpoint) {
    error_code ec, ignored;
    socket_.close(ignored);
    co_await socket_.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, ec));
    if (!ec) ec = bound_the_kernel();
    if (!ec) socket_.set_option(tcp::no_delay(true), ignored);
    co_return ec;
}

namespace {

error_code set_option(int socket, int level, int name, const void* value, socklen_t size) {
    if (::setsockopt(socket, level, name, value, size) == 0) return {};
    return {errno, boost::system::system_category()};
}

}  // namespace

// The kernel goes on sending what was written, for minutes where a link stalls, also for a process that is dead. A
// request that is known to have ended must not arrive after that: a close, by whatever, throws away what was not sent
// yet and resets the connection, and what nobody acknowledges is given up after as long as its answer would be waited
// for. Set past Asio, which would undo it where it closes the socket itself.
error_code connection::bound_the_kernel() {
    const ::linger at_once{1, 0};
    const auto ec = set_option(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (ec) return ec;
    const auto waited_for = plan_.request_timeout.count() > 0 ? plan_.request_timeout : plan_.connect_timeout;
    const auto limit = static_cast<unsigned>(waited_for.count());
    return set_option(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
}

// Nothing is left that could arrive too late.
void connection::close_politely() {
    const ::linger in_background{0, 0};
    (void)set_option(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &in_background, sizeof in_background);
}

connect_problem connection::cannot_connect(const std::vector<tcp::endpoint>& tried, error_code last) const {
    const std::string addresses =
        tried.size() == 1 ? tried.front().address().to_string() : fmt::format("{} addresses tried", tried.size());
    if (last == asio::error::timed_out)
        return {"connect_timeout", fmt::format("no connection to {} within {} ({})", peer_name(),
                                               seconds_text(plan_.connect_timeout), addresses)};
    return {"connect_failed", fmt::format("no connection to {}: {} ({})", peer_name(), last.message(), addresses)};
}

asio::awaitable<std::optional<connect_problem>> connection::ask_proxy() {
    const host_port& at = plan_.to.at;
    const bool bare_v6 = at.host.find(':') != std::string::npos;
    const std::string authority = fmt::format("{}{}{}:{}", bare_v6 ? "[" : "", at.host, bare_v6 ? "]" : "", at.port);
    std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", authority);
    if (!plan_.proxy->authorization.empty()) request += "Proxy-Authorization: " + plan_.proxy->authorization + "\r\n";
    request += "\r\n";

    int status = 0;
    std::string reason;
    const error_code ec = co_await in_time(proxy_round_trip(std::move(request), status, reason), plan_.connect_timeout);
    if (is_stop(ec)) co_return stopped();
    if (ec == asio::error::timed_out)
        co_return connect_problem{"proxy_failed", fmt::format("{} did not answer within {}", peer_name(),
                                                              seconds_text(plan_.connect_timeout))};
    if (ec) co_return connect_problem{"proxy_failed", fmt::format("{}: {}", peer_name(), ec.message())};
    if (status / 100 == 2) co_return std::nullopt;
    const char* const advice = status == 407 ? ": it wants a user name and password in its URL" : "";
    co_return connect_problem{"proxy_failed", one_line(fmt::format("{} does not connect to {}: status {} {}{}",
                                                                   peer_name(), authority, status, reason, advice))};
}

asio::awaitable<error_code> connection::proxy_round_trip(std::string request, int& status, std::string& reason) {
    error_code ec;
    co_await asio::async_write(socket_, asio::buffer(request), asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return ec;
    // Only the header: what follows a 2xx is the tunnel. Nobody speaks in it before us, so nothing is read too far.
    http::response_parser<http::empty_body> head;
    head.header_limit(header_limit);
    head.skip(true);
    co_await http::async_read_header(socket_, buffer_, head, asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return ec;
    status = static_cast<int>(head.get().result_int());
    reason = one_line_without(plan_.key, head.get().reason());
    if (status / 100 == 2 && buffer_.size() != 0) co_return http::error::unexpected_body;
    buffer_.clear();
    co_return ec;
}

asio::awaitable<std::optional<connect_problem>> connection::shake_hands() {
    tls_.emplace(socket_, plan_.tls->native());
    SSL* const native = tls_->native_handle();
    plan_.tls->prepare(native, plan_.to);
    const error_code ec = co_await in_time(handshake(), plan_.connect_timeout);
    if (!ec) co_return std::nullopt;
    if (is_stop(ec)) co_return stopped();
    if (auto bad = certificate_problem(native, plan_.to)) co_return connect_problem{"tls_failed", *bad, true};
    if (ec == asio::error::timed_out)
        co_return connect_problem{"tls_timeout", fmt::format("no TLS handshake with {} within {}", plan_.to.host_header,
                                                             seconds_text(plan_.connect_timeout))};
    // Errors of the protocol itself (no version in common) are as lasting as those of certificates.
    const bool lasting = ec.category() == asio::error::get_ssl_category();
    co_return connect_problem{
        "tls_failed", fmt::format("the TLS handshake with {} failed: {}", plan_.to.host_header, one_line(ec.message())),
        lasting};
}

asio::awaitable<error_code> connection::handshake() {
    error_code ec;
    co_await tls_->async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, ec));
    co_return ec;
}

// Reuse

bool connection::usable(clock::time_point now) {
    return reusable_ && now - idle_since_ < idle_limit_ && buffer_.size() == 0 && quiet();
}

// Whether the peer is silent: what it sends between two answers can only be its farewell.
bool connection::quiet() {
    char byte = 0;
    if (tls_) {
        // A farewell that came along with the last answer sits in the TLS layer already.
        ERR_clear_error();
        const int n = SSL_peek(tls_->native_handle(), &byte, 1);
        if (n > 0 || SSL_get_error(tls_->native_handle(), n) != SSL_ERROR_WANT_READ) return false;
    }
    const auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

// Exchanges

asio::awaitable<void> connection::exchange_once(std::string_view request, async::outer_stop stop, exchange& x) {
    const auto began = clock::now();
    reusable_ = at_rest_ = false;
    stage_ = stage::writing;
    x.reach = reach::no_answer;
    x.connection = number_;
    const error_code ec = co_await in_time(round_trip(request, x), plan_.request_timeout, stop);
    idle_since_ = clock::now();
    x.took = std::chrono::duration_cast<std::chrono::milliseconds>(idle_since_ - began);
    head_status_ = parser_ && parser_->is_header_done() ? static_cast<int>(parser_->get().result_int()) : 0;
    if (ec) {
        explain(ec, x);
    } else {
        at_rest_ = stage_ == stage::reading;
        take_answer(x);
    }
}

asio::awaitable<error_code> connection::round_trip(std::string_view request, exchange& x) {
    if (tls_) co_return co_await round_trip_on(*tls_, request, x);
    co_return co_await round_trip_on(socket_, request, x);
}

template <class Stream>
asio::awaitable<error_code> connection::round_trip_on(Stream& stream, std::string_view request, exchange& x) {
    error_code write_error;
    core::fault_point("before_write");
    x.bytes_sent = co_await asio::async_write(stream, asio::buffer(request),
                                              asio::redirect_error(asio::use_awaitable, write_error));
    core::fault_point("after_write");
    if (is_stop(write_error)) co_return write_error;
    if (!write_error) stage_ = stage::reading;
    // A server that wants no more of the request may have answered before it closed: then that is the answer.
    const error_code read_error = co_await read_answer(stream, x);
    if (write_error && read_error && !is_stop(read_error)) co_return write_error;
    co_return read_error;
}

template <class Stream>
asio::awaitable<error_code> connection::read_answer(Stream& stream, exchange& x) {
    constexpr int most_interim_answers = 8;
    for (int i = 0; i <= most_interim_answers; ++i) {
        const error_code ec = co_await read_one(stream, x);
        if (ec || !is_interim(static_cast<int>(parser_->get().result_int()))) co_return ec;
    }
    co_return http::error::bad_status;
}

// Piece by piece: between two of them a stop or the deadline ends it, also while more comes without a pause.
template <class Stream>
asio::awaitable<error_code> connection::read_one(Stream& stream, exchange& x) {
    begin_answer();
    error_code ec;
    while (!ec && !parser_->is_done())
        x.bytes_received +=
            co_await http::async_read_some(stream, buffer_, *parser_, asio::redirect_error(asio::use_awaitable, ec));
    co_return ec;
}

void connection::begin_answer() {
    parser_.emplace();
    parser_->header_limit(header_limit);
    parser_->body_limit(plan_.answer_limit);
    parser_->eager(true);
    auto& body = parser_->get().body();
    body.limit = plan_.answer_limit;
    if (!plan_.budget) return;
    body.share = budget_share(*plan_.budget);
    body.unpacked = budget_share(*plan_.budget);
}

void connection::take_answer(exchange& x) {
    auto& message = parser_->get();
    x.reach = reach::answered;
    x.status = static_cast<int>(message.result_int());
    read_headers(message, plan_.key, x);
    reusable_ = parser_->keep_alive() && buffer_.size() == 0 && x.status >= 200 && stage_ == stage::reading;
    idle_limit_ = plan_.idle_limit;
    // A second less than promised: our request is on its way for a part of it.
    if (const auto kept = keep_alive_timeout(message[http::field::keep_alive]))
        idle_limit_ = std::min<clock::duration>(idle_limit_, *kept - std::chrono::seconds(1));

    const std::string_view coding = trimmed(message[http::field::content_encoding]);
    if (coding.empty() || equal_ignoring_case(coding, "identity")) {
        x.body = std::move(message.body().text);
        return;
    }
    auto outcome = gunzip_result::broken;
    if (equal_ignoring_case(coding, "gzip") || equal_ignoring_case(coding, "x-gzip"))
        outcome = unpack(message.body(), x.body);
    if (outcome == gunzip_result::done) return;
    x.reach = reach::no_answer;
    x.body.clear();
    x.error_code = outcome == gunzip_result::too_large ? "answer_too_large" : "answer_unreadable";
    x.error_text = outcome == gunzip_result::too_large
                       ? fmt::format("status {}, but the answer unpacks to more than {} bytes{}", x.status,
                                     plan_.answer_limit, beside_others(message.body()))
                       : one_line_without(plan_.key, fmt::format("status {}, but the answer cannot be decoded ({})",
                                                                 x.status, coding));
}

// What it unpacks to counts as well.
gunzip_result connection::unpack(answer_body::value_type& body, std::string& out) const {
    auto limit = plan_.answer_limit;
    if (plan_.budget) limit = std::min(limit, answer_budget::first_part + plan_.budget->left());
    const auto outcome = gunzip(body.text, limit, out, simdjson::SIMDJSON_PADDING);
    body.no_room = outcome == gunzip_result::too_large && limit < plan_.answer_limit;
    if (outcome == gunzip_result::done && !body.unpacked.grow_to(out.capacity())) body.no_room = true;
    std::string().swap(body.text);
    return body.no_room ? gunzip_result::too_large : outcome;
}

void connection::explain(error_code ec, exchange& x) const {
    const bool began = parser_ && parser_->got_some();
    const auto because = [&](std::string code, const std::string& text) {
        x.error_code = std::move(code);
        x.error_text = one_line(text);
    };
    if (ec == asio::error::timed_out)
        return because("request_timeout",
                       fmt::format("no whole answer within {}", seconds_text(plan_.request_timeout)));
    if (is_stop(ec)) return because("stopped", "stopped before the answer came");
    if (stage_ == stage::writing)
        return because("write_failed", "the connection broke while the request was written: " + ec.message());
    if (ec == http::error::body_limit)
        return because("answer_too_large", fmt::format("the answer is larger than {} bytes{}", plan_.answer_limit,
                                                       beside_others(parser_->get().body())));
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
        return because(
            "answer_too_large",
            fmt::format("the header of the answer, or a line of its chunks, is larger than {} bytes", header_limit));
    const bool end = ec == http::error::end_of_stream || ec == http::error::partial_message;
    if (!end && ec.category() == http::make_error_code(http::error::end_of_stream).category())
        return because("answer_unreadable", "the answer is no HTTP: " + ec.message());
    if (began) return because("answer_cut_off", "the connection broke within the answer: " + ec.message());
    because("connection_lost", "the connection broke before an answer came: " + ec.message());
}

}  // namespace taskbarge::client
