// Bytes of a connection in, requests out: all that is checked before anybody looks at a request. Knows no socket.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "service/http/message.hpp"

namespace taskbarge::service::http {

struct read_limits {
    std::size_t header = 16UL * 1024;  // bytes of a request's line and headers
    std::uint64_t body = 4ull << 30;
};

enum class progress : std::uint8_t {
    more,    // bytes are missing
    ready,   // what was asked for is there
    refused  // the bytes are no request that is served: nothing more can be read from them
};

//     reader.append(bytes);
//     while (reader.read_head() == progress::ready) {
//         while (reader.read_body(piece) == progress::ready && !piece.empty()) use(piece);
//         reader.next();
//     }
class request_reader {
 public:
    explicit request_reader(read_limits limits);
    ~request_reader();
    request_reader(const request_reader&) = delete;
    request_reader& operator=(const request_reader&) = delete;

    // Room for bytes from the connection, and how many of them came.
    boost::asio::mutable_buffer prepare();
    void commit(std::size_t bytes);
    void append(std::string_view bytes);

    // Whether a request has begun: some of its bytes are there.
    bool begun() const;
    progress read_head();
    // After `ready`. Id and client are for the caller to fill in.
    request_head& head();
    const request_head& head() const;
    bool keep_alive() const;
    bool is_http_1_0() const;
    // The client waits for "100 Continue" before it sends the body, of which nothing has come.
    bool awaits_continue() const;
    // After `refused`, the answer; the connection ends with it.
    const response& refusal() const;

    // The next piece of the body. Ready and empty: the body has ended; the same again from then on.
    progress read_body(std::string& piece);
    bool body_ended() const;
    body_error body_failure() const;

    // Bytes of this request that were understood so far.
    std::uint64_t taken() const;
    // Goes on with the request that begins after this one's body, which has ended.
    void next();

 private:
    class parser;

    progress refuse(int status, std::string_view type, std::string_view title, std::string_view detail);
    progress malformed(std::string_view detail);
    progress fail_body(body_error why);
    progress scan();
    progress parse(std::size_t head_size);
    progress check_framing();
    progress check_target();
    std::string_view bytes() const;
    void consume(std::size_t count);

    read_limits limits_;
    boost::beast::flat_buffer buffer_;
    std::unique_ptr<parser> parser_;
    response refusal_;
    body_error body_failure_ = body_error::none;
    std::uint64_t taken_ = 0;
    std::uint64_t body_bytes_ = 0;
    std::size_t scanned_ = 0;     // bytes of the head that were looked at
    std::size_t line_start_ = 0;  // of the head's line that is being looked at
    bool blank_line_seen_ = false;
    bool head_read_ = false;
    bool wants_more_ = false;  // the body goes on with bytes that are not all there
};

}  // namespace taskbarge::service::http
