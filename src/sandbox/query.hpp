// The target of a request: path and query parameters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskbarge::sandbox {

inline constexpr std::uint64_t per_page_limit = 100;  // documented
inline constexpr std::uint64_t per_page_default = 25;

struct request_target {
    std::string_view path;
    std::vector<std::pair<std::string, std::string>> parameters;  // percent-decoded

    explicit request_target(std::string_view target);
    // Adds what a body says, as Rails joins both: the entries of a list `a` are parameters `a[]`. False when the body
    // is neither empty nor a JSON object.
    bool add_body(std::string_view body);
    // All parameters of that name.
    std::vector<std::string> all(std::string_view name) const;
    // The last parameter of that name; empty when there is none.
    std::string_view get(std::string_view name) const;
    // As Rails reads numbers: what is no positive number is `otherwise`.
    std::uint64_t number(std::string_view name, std::uint64_t otherwise) const;
};

}  // namespace taskbarge::sandbox
