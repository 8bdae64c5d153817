// The target of a request: path and query parameters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskbarge::sandbox {

struct request_target {
    std::string_view path;
    std::vector<std::pair<std::string, std::string>> parameters;  // percent-decoded

    explicit request_target(std::string_view target);
    // The last parameter of that name; empty when there is none.
    std::string_view get(std::string_view name) const;
    // As Rails reads numbers: what is no positive number is `otherwise`.
    std::uint64_t number(std::string_view name, std::uint64_t otherwise) const;
};

}  // namespace taskbarge::sandbox
