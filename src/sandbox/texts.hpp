// The answers that Apollo and the proxies before it give in the same words every time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "sandbox/faults.hpp"
#include "sandbox/wire.hpp"

namespace taskbarge::sandbox {

// "api/v1/tasks/bulk_create", as Apollo names a route in its texts.
std::string_view route_path(route r);
// "api/v1/tasks" and "bulk_create", as its usage statistics name it.
struct route_key {
    std::string_view controller, action;
};
route_key usage_key(route r);

// {"error": text}
answer error_answer(int status, std::string_view text);
answer wrong_key_answer();
answer forbidden_answer(route r);
answer throttled_answer(route r, core::window_kind window, std::uint64_t limit);
// What a request gets that fails with `status`: JSON from Apollo, a page from the proxies.
answer status_answer(route r, int status);
answer page_answer(int status);  // HTML

// GET /users/search: a handful of users, always the same.
answer users_answer(std::string_view target);
// The id of one of them.
std::string_view user_id(std::size_t number);

}  // namespace taskbarge::sandbox
