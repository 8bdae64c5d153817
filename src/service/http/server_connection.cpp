#include "service/http/server_connection.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "service/http/authority.hpp"
#include "taskbarge/async/deadline.hpp"

namespace taskbarge::service::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// A piece of an answer has piece_timeout to be taken: with this size a client that takes less than 2 KiB/s is cut.
constexpr std::size_t send_slice = 64UL * 1024;
// How long is waited for the client to take the last answer and end its side.
constexpr auto farewell_limit = std::chrono::seconds(2);

// Seconds: a year, so that sums of times cannot overflow.
constexpr std::uint64_t most_earned = 365ull * 24 * 3600;

// Bytes a second below which a body is slow when others wait for the place: a poor line is as fast, and who holds all
// places with bodies has to send 16 MiB a second.
constexpr std::uint64_t crowded_rate = 64UL * 1024;

// The time that so many bytes may take.
std::chrono::seconds earned(std::uint64_t bytes, std::uint64_t rate) {
    return std::chrono::seconds(std::min(bytes / std::max<std::uint64_t>(rate, 1), most_earned));
}

std::string name_of(const tcp::socket& socket) {
    error_code gone;
    const tcp::endpoint peer = socket.remote_endpoint(gone);
    if (gone) return "unknown";
    return to_text(plain(peer.address()), peer.port());
}

std::string text_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "something that is no std::exception";
    }
}

bool is_stop(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
        return e.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

std::string_view detail_of(body_error why) {
    switch (why) {
        case body_error::too_large:
            return "The body is larger than is taken here.";
        case body_error::too_slow:
            return "The body came too slowly; send it over a better line, or in smaller parts.";
        case body_error::cut_off:
            return "The connection ended before the body did.";
        case body_error::malformed:
            return "The body's chunks are malformed.";
        case body_error::none:
            break;
    }
    throw std::logic_error("the body did not fail");
}

}  // namespace

server_connection::server_connection(tcp::socket socket, connection_host& host)
    : socket_(std::move(socket)),
      host_(host),
      client_(name_of(socket_)),
      reader_({host.options().header_limit, host.options().body_limit}) {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    // A client that vanished without a word is noticed by what it does not acknowledge.
    const auto patience = static_cast<unsigned>(host.options().piece_timeout.count());
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof(patience));
}

const request_head& server_connection::head() const {
    return reader_.head();
}

asio::awaitable<void> server_connection::run() {
    bool goes_on = co_await read_head();
    while (goes_on) {
        co_await serve();
        goes_on = stays_ && !gone_ && !host_.is_stopping();
        if (goes_on) {
            reader_.next();
            goes_on = co_await read_head();
        } else {
            co_await say_farewell();
        }
    }
    if (gone_) reset();
}

void server_connection::stop_if_idle() {
    error_code ignored;
    if (wait_ == wait::request) socket_.cancel(ignored);
}

place_holder server_connection::standing() const {
    const auto waited = clock::now() - wait_since_;
    switch (wait_) {
        case wait::nothing:
            break;
        case wait::request:
        case wait::rest_of_head:
        case wait::leaving:
            return {holding::silence, waited};
        case wait::body:
            return {holding::slowness, body_waited_ + waited - earned(body_bytes_, crowded_rate)};
        case wait::taking:
            // Streams have their own limit in number, and are what somebody is waiting for.
            if (stage_ != stage::streaming) return {holding::slowness, waited};
            break;
    }
    return {};
}

void server_connection::give_way() {
    gone_ = true;
    error_code ignored;
    // What it has been sent is left to the kernel to bring to it, but not what it does not take.
    if (wait_ == wait::taking)
        reset();
    else
        socket_.close(ignored);
}

// A client that connects and says nothing holds a place no longer than a slow one.
server_connection::clock::duration server_connection::idle_patience() const {
    const server_options& options = host_.options();
    return first_ ? std::min(options.idle_timeout, options.header_timeout) : options.idle_timeout;
}

// Whether there is a request to serve. If not, the connection has ended, or has been told why it does.
asio::awaitable<bool> server_connection::read_head() {
    const server_options& options = host_.options();
    std::optional<clock::time_point> begun;
    const auto since = clock::now();
    for (;;) {
        const progress p = reader_.read_head();
        if (p == progress::ready) co_return true;
        if (p == progress::refused) {
            co_await refuse(reader_.refusal());
            co_return false;
        }
        if (!begun && reader_.begun()) begun = clock::now();
        if (!begun && host_.is_stopping()) co_return false;
        const clock::duration limit = begun ? *begun + options.header_timeout - clock::now() : idle_patience();
        // A new client is given time from when it came, and not from its first byte: it came with something to say.
        begin_wait(begun ? wait::rest_of_head : wait::request, begun && !first_ ? *begun : since);
        const error_code ec = co_await receive(limit);
        wait_ = wait::nothing;
        if (gone_) co_return false;
        if (!ec) continue;
        if (!begun) co_return false;
        if (ec == asio::error::timed_out) {
            const response late = problem(408, "request-too-slow", "The request came too slowly",
                                          "Its headers must be complete within a few seconds.");
            co_await refuse(late);
        } else {
            start_request();
            note({});
        }
        co_return false;
    }
}

// Answers what is no request.
asio::awaitable<void> server_connection::refuse(const response& a) {
    start_request();
    const answer_frame frame{a.status, body_framing::sized, a.body.size(), then::close,
                             std::chrono::system_clock::now()};
    const std::string bytes = answer_head(frame, a.content_type, a.headers, head().id) + a.body;
    const bool sent = co_await send(bytes);
    if (sent) status_ = a.status;
    note({});
    co_await say_farewell();
}

void server_connection::start_request() {
    first_ = false;
    stage_ = stage::unanswered;
    chunked_ = continued_ = false;
    status_ = 0;
    started_ = clock::now();
    body_waited_ = {};
    body_bytes_ = bytes_out_ = 0;
    body_failure_ = body_error::none;
    stays_ = failed_ = false;
    reader_.head().id = host_.next_id();
    reader_.head().client = client_;
}

asio::awaitable<void> server_connection::serve() {
    start_request();
    std::exception_ptr error;
    try {
        co_await host_.handle(*this);
    } catch (...) {
        error = std::current_exception();
    }
    const bool cut = (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none;
    if (cut) {
        // By the server's stop: from here on every wait throws.
        reset();
        note(error && !is_stop(error) ? text_of(error) : std::string());
    } else {
        co_await finish(error);
    }
}

asio::awaitable<void> server_connection::finish(std::exception_ptr error) {
    std::string told = error ? text_of(error) : std::string();
    if (stage_ == stage::unanswered) {
        if (!error) told = "the handler gave no answer";
        failed_ = true;
        response sorry =
            problem(500, "internal-error", "The service failed",
                    "This is a bug; the service's log tells more under the request's id, " + head().id + ".");
        co_await reply(std::move(sorry));
    }
    if (!told.empty()) stays_ = false;
    // A stream that is cut must not look like one that has ended.
    if (stage_ == stage::streaming) gone_ = true;
    note(std::move(told));
}

void server_connection::note(std::string error) {
    served s;
    s.method = reader_.head().method;
    s.path = reader_.head().path;
    s.status = status_;
    s.bytes_in = reader_.taken();
    s.bytes_out = bytes_out_;
    s.took = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - started_);
    s.id = reader_.head().id;
    s.client = client_;
    s.error = std::move(error);
    host_.note(s);
}

asio::awaitable<error_code> server_connection::receive_some() {
    error_code ec;
    const asio::mutable_buffer room = reader_.prepare();
    const std::size_t count = co_await socket_.async_read_some(room, asio::redirect_error(asio::use_awaitable, ec));
    reader_.commit(count);
    co_return ec;
}

// error::timed_out past the limit.
asio::awaitable<error_code> server_connection::receive(clock::duration limit) {
    if (limit <= clock::duration::zero()) co_return error_code(asio::error::timed_out);
    co_return co_await async::with_deadline(receive_some(), limit);
}

asio::awaitable<error_code> server_connection::send_all(std::string_view bytes) {
    error_code ec;
    bytes_out_ +=
        co_await asio::async_write(socket_, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, ec));
    co_return ec;
}

asio::awaitable<bool> server_connection::send(std::string_view bytes) {
    while (!gone_ && !bytes.empty()) {
        const std::string_view slice = bytes.substr(0, send_slice);
        begin_wait(wait::taking, clock::now());
        const error_code ec = co_await async::with_deadline(send_all(slice), host_.options().piece_timeout);
        wait_ = wait::nothing;
        if (ec) gone_ = true;
        bytes.remove_prefix(slice.size());
    }
    co_return !gone_;
}

void server_connection::begin_wait(wait what, clock::time_point since) {
    wait_ = what;
    wait_since_ = since;
}

core::failure server_connection::fail_body(body_error why) {
    body_failure_ = why;
    return {core::errc::input, std::string(detail_of(why))};
}

// How long the client may let us wait for more of its body: never longer than piece_timeout, and over the whole body
// no longer than its bytes would take at the least rate. Only waits count: a slow handler is not the client's fault.
server_connection::clock::duration server_connection::body_patience() const {
    const server_options& options = host_.options();
    const clock::duration left = options.piece_timeout + earned(body_bytes_, options.least_rate) - body_waited_;
    return std::min<clock::duration>(options.piece_timeout, left);
}

asio::awaitable<core::result<std::string>> server_connection::read_some() {
    std::string piece;
    for (;;) {
        if (body_failure_ != body_error::none) co_return fail_body(body_failure_);
        const progress p = reader_.read_body(piece);
        body_bytes_ += piece.size();
        if (p == progress::ready) co_return piece;
        if (p == progress::refused) co_return fail_body(reader_.body_failure());
        if (reader_.awaits_continue() && !continued_ && stage_ == stage::unanswered) {
            continued_ = true;
            const bool sent = co_await send("HTTP/1.1 100 Continue\r\n\r\n");
            if (!sent) co_return fail_body(body_error::cut_off);
        }
        const clock::time_point before = clock::now();
        begin_wait(wait::body, before);
        const error_code ec = co_await receive(body_patience());
        wait_ = wait::nothing;
        body_waited_ += clock::now() - before;
        if (gone_) co_return fail_body(body_error::too_slow);
        if (ec) co_return fail_body(ec == asio::error::timed_out ? body_error::too_slow : body_error::cut_off);
    }
}

asio::awaitable<core::result<std::string>> server_connection::read_all(std::size_t most) {
    std::string body;
    if (head().content_length.value_or(0) > most) co_return fail_body(body_error::too_large);
    for (;;) {
        core::result<std::string> piece = co_await read_some();
        if (!piece) co_return piece.error();
        if (piece->empty()) co_return body;
        if (piece->size() > most - body.size()) co_return fail_body(body_error::too_large);
        body += *piece;
    }
}

response server_connection::body_problem() const {
    const std::string_view detail = detail_of(body_failure_);
    if (body_failure_ == body_error::too_large) return problem(413, "body-too-large", "The body is too large", detail);
    if (body_failure_ == body_error::too_slow)
        return problem(408, "request-too-slow", "The request came too slowly", detail);
    return problem(400, "malformed-request", "The request is malformed", detail);
}

// Decides, too, whether the connection stays: what is left of a body would have to be read first.
std::string server_connection::build_head(int status, std::string_view content_type, const header_list& headers,
                                          body_framing framing, std::uint64_t size) {
    if (stage_ != stage::unanswered) throw std::logic_error("a request was answered twice");
    const bool stays = reader_.keep_alive() && reader_.body_ended() && !host_.is_stopping() && !host_.is_full() &&
                       !failed_ && framing != body_framing::until_close;
    const answer_frame frame{status, framing, size, stays ? then::keep_alive : then::close,
                             std::chrono::system_clock::now()};
    std::string text = answer_head(frame, content_type, headers, head().id);
    stays_ = stays;
    return text;
}

asio::awaitable<void> server_connection::reply(response a) {
    std::string text = build_head(a.status, a.content_type, a.headers, body_framing::sized, a.body.size());
    stage_ = stage::answered;
    if (is_head_request() || !has_body(a.status)) a.body.clear();
    // Most answers leave in one packet.
    if (a.body.size() <= send_slice) text += std::exchange(a.body, {});
    const bool sent = co_await send(text);
    if (!sent) co_return;
    status_ = a.status;
    co_await send(a.body);
}

asio::awaitable<void> server_connection::begin(int status, std::string content_type, header_list headers) {
    const body_framing framing = reader_.is_http_1_0() ? body_framing::until_close : body_framing::chunked;
    const std::string text = build_head(status, content_type, headers, framing, 0);
    chunked_ = framing == body_framing::chunked;
    stage_ = is_head_request() ? stage::answered : stage::streaming;
    const bool sent = co_await send(text);
    if (sent) status_ = status;
}

asio::awaitable<bool> server_connection::write(std::string_view piece) {
    // The answer to HEAD has no body: its handler leaves off at once.
    if (stage_ != stage::streaming || gone_) co_return false;
    if (client_left()) {
        gone_ = true;
        co_return false;
    }
    if (piece.empty()) co_return true;
    std::string chunk;
    if (chunked_) chunk = fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
    const std::string_view bytes = chunked_ ? std::string_view(chunk) : piece;
    const bool sent = co_await send(bytes);
    co_return sent;
}

asio::awaitable<void> server_connection::end() {
    if (stage_ != stage::streaming || gone_) co_return;
    if (chunked_) co_await send("0\r\n\r\n");
    if (!gone_) stage_ = stage::answered;
}

// Whether the client has ended its side. It may have done so long ago, while nothing was sent.
bool server_connection::client_left() {
    pollfd look{socket_.native_handle(), POLLRDHUP, 0};
    return ::poll(&look, 1, 0) > 0;
}

// Closing with bytes unread would send a reset, which may reach the client before it has read its answer.
asio::awaitable<void> server_connection::say_farewell() {
    error_code gone;
    if (gone_) co_return;
    socket_.shutdown(tcp::socket::shutdown_send, gone);
    if (gone) co_return;
    begin_wait(wait::leaving, clock::now());
    co_await async::with_deadline(drain(), farewell_limit);
}

asio::awaitable<void> server_connection::drain() {
    std::array<char, 4096> ignored;
    error_code ended;
    while (!ended && !gone_)
        co_await socket_.async_read_some(asio::buffer(ignored), asio::redirect_error(asio::use_awaitable, ended));
}

// Closing with nothing to linger for makes the kernel send a reset, and keep nothing for the client.
void server_connection::reset() {
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
}

}  // namespace taskbarge::service::http
