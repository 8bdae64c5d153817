// One client's connection: its requests, one after the other, and their answers.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "service/http/answer_head.hpp"
#include "service/http/crowding.hpp"
#include "service/http/message.hpp"
#include "service/http/request_reader.hpp"
#include "service/http/server.hpp"

namespace taskbarge::service::http {

// What a connection needs of its server, which outlives it.
class connection_host {
 public:
    virtual ~connection_host() = default;
    virtual const server_options& options() const = 0;
    virtual boost::asio::awaitable<void> handle(request& x) = 0;
    virtual void note(const served& s) = 0;
    virtual std::string next_id() = 0;
    virtual bool is_stopping() const = 0;
    // Whether no further connection is accepted: this one does not stay after its answer.
    virtual bool is_full() const = 0;
};

class server_connection final : public request {
 public:
    server_connection(boost::asio::ip::tcp::socket socket, connection_host& host);

    // Serves the connection to its end. Nothing that the client does throws.
    boost::asio::awaitable<void> run();
    // Ends the wait for a next request, if that is what is waited for.
    void stop_if_idle();
    // What its place is held for.
    place_holder standing() const;
    // Ends it at once, in favour of one that waits: without an answer, and without waiting for the client to leave.
    void give_way();

    const request_head& head() const override;
    boost::asio::awaitable<core::result<std::string>> read_some() override;
    body_error body_failure() const override { return body_failure_; }
    boost::asio::awaitable<core::result<std::string>> read_all(std::size_t most) override;
    response body_problem() const override;
    boost::asio::awaitable<void> reply(response a) override;
    boost::asio::awaitable<void> begin(int status, std::string content_type, header_list headers) override;
    boost::asio::awaitable<bool> write(std::string_view piece) override;
    boost::asio::awaitable<void> end() override;
    bool stopping() const override { return host_.is_stopping(); }

 private:
    using clock = std::chrono::steady_clock;
    enum class stage : std::uint8_t { unanswered, streaming, answered };
    // What of the client is waited for.
    enum class wait : std::uint8_t { nothing, request, rest_of_head, body, taking, leaving };

    boost::asio::awaitable<bool> read_head();
    boost::asio::awaitable<void> refuse(const response& a);
    boost::asio::awaitable<void> serve();
    boost::asio::awaitable<void> finish(std::exception_ptr error);
    boost::asio::awaitable<boost::system::error_code> receive(clock::duration limit);
    boost::asio::awaitable<boost::system::error_code> receive_some();
    boost::asio::awaitable<bool> send(std::string_view bytes);
    boost::asio::awaitable<boost::system::error_code> send_all(std::string_view bytes);
    boost::asio::awaitable<void> say_farewell();
    boost::asio::awaitable<void> drain();
    void begin_wait(wait what, clock::time_point since);
    core::failure fail_body(body_error why);
    clock::duration idle_patience() const;
    clock::duration body_patience() const;
    std::string build_head(int status, std::string_view content_type, const header_list& headers, body_framing framing,
                           std::uint64_t size);
    bool is_head_request() const { return head().method == "HEAD"; }
    bool client_left();
    void reset();
    void start_request();
    void note(std::string error);

    boost::asio::ip::tcp::socket socket_;
    connection_host& host_;
    std::string client_;
    request_reader reader_;
    wait wait_ = wait::nothing;
    clock::time_point wait_since_;
    bool first_ = true;  // no request was read yet
    bool gone_ = false;  // nothing more can be sent

    // Of the request that is served.
    bool stays_ = false;   // the connection, after the answer; the client was told so
    bool failed_ = false;  // on our side
    stage stage_ = stage::unanswered;
    bool chunked_ = false;
    bool continued_ = false;
    int status_ = 0;
    clock::time_point started_;
    clock::duration body_waited_{0};
    std::uint64_t body_bytes_ = 0;
    std::uint64_t bytes_out_ = 0;
    body_error body_failure_ = body_error::none;
};

}  // namespace taskbarge::service::http
