// From method and path to a handler.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/http/message.hpp"

namespace taskbarge::service::http {

// What the pattern's {names} stood for, in order.
using path_values = std::vector<std::string>;
using route_handler = std::function<boost::asio::awaitable<void>(request&, const path_values&)>;

class router {
 public:
    // "/v1/jobs/{job}/results"; a {name} is one segment; a word stands before it. GET also answers HEAD. A query may
    // hold these parameters only; without a list, any.
    void add(std::string method, std::string pattern, route_handler handle,
             std::optional<std::vector<std::string>> parameters = std::nullopt);
    // 400 for a parameter that the route does not have, 404 for an unknown path, 405 with Allow for a known one;
    // OPTIONS gives Allow.
    boost::asio::awaitable<void> handle(request& x) const;
    // "GET /v1/jobs/{job}", for metrics and for the test against the description; empty: none.
    std::string name_of(std::string_view method, std::string_view path) const;
    std::vector<std::string> names() const;

 private:
    struct route {
        std::string method, pattern;
        std::vector<std::string> segments;
        route_handler handle;
        std::optional<std::vector<std::string>> parameters;
    };
    struct found {
        const route* where = nullptr;
        path_values values;
    };
    std::optional<found> find(std::string_view method, std::string_view path) const;
    std::string allowed(std::string_view path) const;  // the methods, as in Allow; empty: no such path

    std::vector<route> routes_;
};

}  // namespace taskbarge::service::http
