// A request's target, taken apart and decoded.
#pragma once

#include <string>
#include <string_view>

#include "service/http/message.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::service::http {

struct request_target {
    std::string path;   // as in request_head
    header_list query;  // as in request_head
    std::string host;   // of the absolute form; else empty
};

// "/path?query" or "http://host/path?query". A failure's text says what is wrong with it; its code is errc::input.
core::result<request_target> parse_target(std::string_view text);

}  // namespace taskbarge::service::http
