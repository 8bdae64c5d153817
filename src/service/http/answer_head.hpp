// What stands before an answer's body, as bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/http/message.hpp"

namespace taskbarge::service::http {

enum class body_framing : std::uint8_t {
    sized,       // Content-Length
    chunked,     // Transfer-Encoding
    until_close  // for HTTP/1.0
};

enum class then : std::uint8_t { keep_alive, close };

struct answer_frame {
    int status = 200;
    body_framing framing = body_framing::sized;
    std::uint64_t size = 0;  // of a sized body
    then after = then::close;
    std::chrono::system_clock::time_point now;
};

// Whether an answer of that status has a body.
bool has_body(int status);

// With the headers that every answer carries; a security header that is given takes the place of the usual one. Throws
// std::logic_error for headers that are not the handler's to set, or would end a line.
std::string answer_head(const answer_frame& frame, std::string_view content_type, const header_list& headers,
                        std::string_view id);

}  // namespace taskbarge::service::http
