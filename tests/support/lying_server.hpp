// A server that answers as no server should: what a client must see through, and live through.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "support/test_authority.hpp"

namespace taskbarge::testing {

enum class lie {
    none,                      // a task for each contact; an empty page of a search
    answers_twice,             // a copy of each answer follows `late` after it, on the same connection
    mixes_up,                  // each request gets the answer to the one before, whichever connection that was on
    one_id,                    // one task id for all contacts of a request
    echoes_head,               // 422, with the head of the request in the body and X-Request-Id
    endless_extension,         // a chunk line that does not end
    endless_trailers,          // trailers that do not end
    endless_interim,           // 103 again and again
    tiny_chunks_then_silence,  // valid chunks of one byte for `lasts`, then nothing
    huge_page,                 // a search page of `amount` tasks, whatever was asked
    huge_body,                 // a body of `amount` bytes without a length, never ended
    empty_members              // gzip members that hold nothing, `amount` bytes of them
};

struct lying_options {
    lie what = lie::none;
    bool tls = false;
    certificate identity;  // with tls
    std::chrono::milliseconds late{30};
    std::chrono::milliseconds lasts{200};
    // Bytes or tasks, as the lie has it. What is endless ends after so many bytes too: a client that reads on is seen
    // by its memory, not by a full disk.
    std::size_t amount = 8U << 20U;
    std::size_t lies = SIZE_MAX;  // answers that are lies; those after them are honest
};

// Listens on a free loopback port, on a thread of its own, for as long as it lives. Members may be called from any
// thread.
class lying_server {
 public:
    explicit lying_server(lying_options options);
    ~lying_server();
    lying_server(const lying_server&) = delete;
    lying_server& operator=(const lying_server&) = delete;

    std::uint16_t port() const;
    std::size_t requests() const;
    std::size_t connections() const;
    std::size_t tasks_made() const;  // also those of lies
    // Bytes that were handed to the system: how long a client went on reading.
    std::uint64_t bytes_sent() const;

 private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace taskbarge::testing
