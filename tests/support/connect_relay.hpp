// A small HTTP proxy that knows CONNECT only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace taskbarge::testing {

struct relay_options {
    std::string refusal;  // sent instead of connecting, such as "HTTP/1.1 407 Go Away\r\n\r\n"
    bool stall = false;   // reads the request and says nothing
};

// Listens on a free loopback port, on a thread of its own. A tunnel leads to the port asked for on 127.0.0.1, whatever
// the name. Members may be called from any thread.
class connect_relay {
 public:
    explicit connect_relay(relay_options options = {});
    ~connect_relay();
    connect_relay(const connect_relay&) = delete;
    connect_relay& operator=(const connect_relay&) = delete;

    std::uint16_t port() const;
    // The request heads as they came.
    std::vector<std::string> heads() const;

 private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace taskbarge::testing
