// Answers, and how they become bytes.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "sandbox/fixed_windows.hpp"
#include "taskbarge/core/instant.hpp"

namespace taskbarge::sandbox {

// Who speaks decides which headers an answer carries.
enum class speaker : std::uint8_t {
    apollo,  // the application: request id and rate headers
    gate,    // the check of key and rights: request id only
    proxy    // something in front of it: neither
};

// One HTTP answer, without what the connection adds.
struct answer {
    int status = 200;
    std::string body = {};
    std::string content_type = "application/json; charset=utf-8";
    speaker from = speaker::apollo;
    std::string headers = {};  // further lines, each with its CRLF
};

// A value, or the answer that says why there is none.
template <class T>
using or_answer = boost::system::result<T, answer>;

enum class after_answer { keep_alive, close };

// The whole answer as HTTP/1.1; without a Date where `date` is empty. `length_error` is added to the true
// content-length.
std::string to_wire(const answer& a, std::string_view date, after_answer then, std::int64_t length_error = 0);

// Compresses the body if that is worth it.
void gzip_body(answer& a);

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(core::instant t);

// x-rate-limit-* and its kin. An unlimited window has an empty limit and no usage.
std::string rate_header_lines(const window_usage& usage);

}  // namespace taskbarge::sandbox
