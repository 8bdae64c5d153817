// A client that sends exactly the bytes it is told to, over a blocking socket. Every wait ends after ten seconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskbarge::testing {

struct received {
    int status = 0;  // 0: no answer came
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    bool whole = false;                               // the body came to its proper end
    std::string header(std::string_view name) const;  // as written by the server
};

enum class body_of : std::uint8_t { any, head };

class raw_client {
 public:
    raw_client();  // not connected yet
    explicit raw_client(std::uint16_t port);
    raw_client(raw_client&& o) noexcept;
    raw_client& operator=(raw_client&&) = delete;
    ~raw_client();

    void connect(std::uint16_t port);
    bool try_connect(std::uint16_t port);
    void take_little();  // before connect(): a small window, so that a server soon has to wait
    // False once the server does not take bytes any more.
    bool send(std::string_view bytes);
    // What the socket takes until it would have to wait for longer than that.
    std::size_t send_until_blocked(std::string_view bytes);
    received read(body_of what = body_of::any);
    // Some bytes as they come; empty: the end, or nothing came.
    std::string read_some();
    // Whether bytes, or the end, are there within so many milliseconds.
    bool readable(int milliseconds);
    // All that comes until the server ends the connection; `ended` false if it does not.
    std::string read_to_end();
    bool ended() const { return ended_; }
    bool was_reset() const { return reset_; }
    void end_sending();
    void close();

 private:
    bool fill();
    std::string take_line();

    int socket_;
    std::string buffer_;
    bool ended_ = false, reset_ = false;
};

}  // namespace taskbarge::testing
