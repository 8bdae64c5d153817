#include "service/http/message.hpp"

#include <algorithm>

#include "taskbarge/core/json_text.hpp"

namespace taskbarge::service::http {

std::string_view request_head::header(std::string_view lower_case_name) const {
    const auto found =
        std::ranges::find(headers, lower_case_name, [](const auto& h) { return std::string_view(h.first); });
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::string> request_head::parameter(std::string_view name) const {
    const auto found = std::ranges::find(query, name, [](const auto& q) { return std::string_view(q.first); });
    if (found == query.end()) return std::nullopt;
    return found->second;
}

response problem(int status, std::string_view type, std::string_view title, std::string_view detail) {
    response a{status, "application/problem+json", {}, {}};
    core::json_object json(a.body);
    json.text("type", "/problems/" + std::string(type));
    json.text("title", title);
    json.number("status", static_cast<std::uint64_t>(status));
    json.text("detail", detail);
    json.close();
    a.body += '\n';
    return a;
}

}  // namespace taskbarge::service::http
