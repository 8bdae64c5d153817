// One connection to the API's host, straight or through a proxy, and one request at a time on it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/answer_body.hpp"
#include "client/gzip.hpp"
#include "client/target.hpp"
#include "client/tls_context.hpp"
#include "taskbarge/async/deadline.hpp"
#include "taskbarge/client/answer.hpp"

namespace taskbarge::client {

// What every connection of a pool has in common.
struct connection_plan {
    target to;
    std::optional<proxy_target> proxy;
    std::shared_ptr<tls_context> tls;
    std::chrono::milliseconds connect_timeout{0};
    std::chrono::milliseconds request_timeout{0};
    std::chrono::milliseconds idle_limit{0};
    std::uint64_t answer_limit = 0;
    core::secret key;                       // taken out of every text that the peer chose and that is kept
    std::shared_ptr<answer_budget> budget;  // what answers may hold together; none: no bound but each one's
};

// Why there is no connection: nothing was sent.
struct connect_problem {
    std::string code;
    std::string text;
    bool name_or_certificate = false;  // see exchange::tls_or_name_problem
};
void not_sent(exchange& x, connect_problem why);

// Used by coroutines of one thread. The plan outlives it. Its coroutines report errors by value even when stopped:
// they are to be awaited with throw_if_cancelled off.
class connection {
 public:
    using clock = std::chrono::steady_clock;

    // `number` is what its exchanges call it.
    connection(const boost::asio::any_io_executor& ex, const connection_plan& plan, std::uint64_t number);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection();

    // Resolves, connects, asks the proxy, shakes hands. A stop of the caller ends it with the code "stopped".
    boost::asio::awaitable<std::optional<connect_problem>> open();

    // Whether another request may be sent: the last answer allowed it, it is not idle for too long, and the peer has
    // neither closed it nor said anything meanwhile. Looks at the socket without waiting. Whether the last answer was
    // one to trust is the caller's to know.
    bool usable(clock::time_point now);
    bool reusable() const { return reusable_; }
    clock::time_point opened_at() const { return opened_at_; }

    // Sends a request and reads its answer into `x`: reach is no_answer or answered. `stop` says whether a stop of the
    // caller interrupts it. `request` lives until it is done.
    boost::asio::awaitable<void> exchange_once(std::string_view request, async::outer_stop stop, exchange& x);
    // The last answer was read and its body is gone: what it took of the budget is free again.
    void answer_done() { parser_.reset(); }
    // The status of the last answer, even if it broke off after its head; 0: no head came.
    int head_status() const { return head_status_; }

 private:
    using tcp = boost::asio::ip::tcp;
    using error_code = boost::system::error_code;
    using parser = boost::beast::http::response_parser<answer_body>;
    enum class stage : std::uint8_t { writing, reading };

    boost::asio::awaitable<std::optional<connect_problem>> connect();
    boost::asio::awaitable<error_code> connect_to(tcp::endpoint endpoint);
    error_code bound_the_kernel();
    void close_politely();
    boost::asio::awaitable<std::optional<connect_problem>> ask_proxy();
    boost::asio::awaitable<error_code> proxy_round_trip(std::string request, int& status, std::string& reason);
    boost::asio::awaitable<std::optional<connect_problem>> shake_hands();
    boost::asio::awaitable<error_code> handshake();
    connect_problem cannot_connect(const std::vector<tcp::endpoint>& tried, error_code last) const;
    std::string peer_name() const;
    bool quiet();
    boost::asio::awaitable<error_code> in_time(boost::asio::awaitable<error_code> step,
                                               std::chrono::steady_clock::duration limit,
                                               async::outer_stop stop = async::outer_stop::passed_on);

    boost::asio::awaitable<error_code> round_trip(std::string_view request, exchange& x);
    template <class Stream>
    boost::asio::awaitable<error_code> round_trip_on(Stream& stream, std::string_view request, exchange& x);
    template <class Stream>
    boost::asio::awaitable<error_code> read_answer(Stream& stream, exchange& x);
    template <class Stream>
    boost::asio::awaitable<error_code> read_one(Stream& stream, exchange& x);
    void begin_answer();
    void take_answer(exchange& x);
    gunzip_result unpack(answer_body::value_type& body, std::string& out) const;
    void explain(error_code ec, exchange& x) const;

    const connection_plan& plan_;
    const std::uint64_t number_;
    tcp::socket socket_;
    std::optional<boost::asio::ssl::stream<tcp::socket&>> tls_;
    boost::beast::flat_buffer buffer_;
    std::optional<parser> parser_;
    // Ends whatever is going on, for good.
    const std::function<void()> break_off_ = [this] {
        error_code ignored;
        socket_.close(ignored);
    };
    stage stage_ = stage::writing;
    bool reusable_ = false;
    bool at_rest_ = false;  // all that was written was answered
    int head_status_ = 0;
    clock::time_point opened_at_{};
    clock::time_point idle_since_{};
    clock::duration idle_limit_{};
};

}  // namespace taskbarge::client
