#include "sandbox/texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sandbox/query.hpp"
#include "sandbox/task_json.hpp"

namespace taskbarge::sandbox {

std::string_view route_path(route r) {
    switch (r) {
        case route::bulk_create:
            return "api/v1/tasks/bulk_create";
        case route::search:
            return "api/v1/tasks/search";
        case route::users:
            return "api/v1/users/search";
        case route::usage_stats:
            return "api/v1/usage_stats/api_usage_stats";
        case route::contacts_search:
            return "api/v1/contacts/search";
        case route::contact:
            return "api/v1/contacts/show";
        case route::contacts_create:
            return "api/v1/contacts/bulk_create";
        case route::labels:
            return "api/v1/labels";
        case route::stages:
            return "api/v1/contact_stages";
    }
    return "";
}

route_key usage_key(route r) {
    const std::string_view path = route_path(r);
    if (r == route::labels || r == route::stages) return {path, "index"};
    const auto slash = path.rfind('/');
    return {path.substr(0, slash), path.substr(slash + 1)};
}

answer error_answer(int status, std::string_view text) {
    std::string body = "{\"error\":";
    append_json(body, text);
    return {status, body + "}"};
}

answer wrong_key_answer() {
    return {401, "Invalid API key. See https://docs.apollo.io/reference/authentication for how to authenticate.",
            "text/plain; charset=utf-8", speaker::gate};
}

answer forbidden_answer(route r) {
    if (r == route::contacts_search) {
        return {403, R"({"message":"This endpoint is only available to Apollo users on paid plans."})",
                "application/json; charset=utf-8", speaker::gate};
    }
    answer a{403, fmt::format(R"({{"error":"This API key is not authorized to access {}. Request an API key from your )"
                              R"(administrator that includes this endpoint in its configured scope.",)"
                              R"("error_code":"API_INACCESSIBLE"}})",
                              route_path(r))};
    a.from = speaker::gate;
    return a;
}

answer throttled_answer(route r, core::window_kind window, std::uint64_t limit) {
    return {429,
            fmt::format(R"({{"message":"The maximum number of api calls allowed for {} is {} times per {}. Please )"
                        R"(upgrade your plan from https://app.apollo.io/#/settings/plans/upgrade."}})",
                        route_path(r), limit, core::to_string(window))};
}

answer page_answer(int status) {
    std::string_view title = "Apollo.io";
    switch (status) {
        case 200:
            break;
        case 408:
            title = "408 Request Time-out";
            break;
        case 413:
            title = "413 Request Entity Too Large";
            break;
        case 502:
            title = "502 Bad Gateway";
            break;
        case 503:
            title = "503 Service Temporarily Unavailable";
            break;
        case 504:
            title = "504 Gateway Time-out";
            break;
        default:
            title = "The web server reported an error";
            break;
    }
    return {status,
            fmt::format("<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
                        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
                        title),
            "text/html", speaker::proxy};
}

answer status_answer(route r, int status) {
    switch (status) {
        case 400:
            return error_answer(400, "There was a problem in the JSON you submitted");
        case 401:
            return wrong_key_answer();
        case 403:
            return forbidden_answer(r);
        case 404:
            return error_answer(404, "Not Found");
        case 422:
            // Of the three that Apollo documents for a contact, the one that says nothing about whether it exists.
            if (r == route::contact) return error_answer(422, "You are not authorized to view this page.");
            return error_answer(422, "type and user can not be blank");
        case 500:
            if (r == route::contacts_create)
                return error_answer(500, "An error occurred while creating contacts. Please try again.");
            return {500, R"({"status":500,"error":"Internal Server Error"})"};
        default:
            return page_answer(status);
    }
}

namespace {

struct user {
    std::string_view id, email, first_name, last_name;
};
constexpr std::array<user, 6> all_users{{{"66302798d03b9601c7934ebf", "dana.reyes@example.com", "Dana", "Reyes"},
                                         {"66302798d03b9601c7934ec0", "sam.okafor@example.com", "Sam", "Okafor"},
                                         {"66302798d03b9601c7934ec1", "lena.fischer@example.com", "Lena", "Fischer"},
                                         {"66302798d03b9601c7934ec2", "raj.patel@example.com", "Raj", "Patel"},
                                         {"66302798d03b9601c7934ec3", "mei.tanaka@example.com", "Mei", "Tanaka"},
                                         {"66302798d03b9601c7934ec4", "tom.baker@example.com", "Tom", "Baker"}}};

}  // namespace

std::string_view user_id(std::size_t number) {
    return all_users[number % all_users.size()].id;
}

answer users_answer(std::string_view target) {
    const request_target asked(target);
    const std::uint64_t page = asked.number("page", 1);
    const std::uint64_t per_page = std::min<std::uint64_t>(asked.number("per_page", 25), 100);
    const std::uint64_t pages = (all_users.size() + per_page - 1) / per_page;
    // The first two come as texts, as in Apollo's own example.
    std::string body =
        fmt::format(R"({{"pagination":{{"page":"{}","per_page":"{}","total_entries":{},"total_pages":{}}},"users":[)",
                    page, per_page, all_users.size(), pages);
    for (std::uint64_t i = (page - 1) * per_page; i < std::min<std::uint64_t>(page * per_page, all_users.size()); ++i) {
        const user& u = all_users[i];
        fmt::format_to(std::back_inserter(body),
                       R"({{"id":"{}","team_id":"6095a710bd01d100a506d4ac","first_name":"{}","last_name":"{}",)"
                       R"("title":null,"email":"{}","created_at":"2024-08-23T18:56:24.067Z","deleted":false,)"
                       R"("name":"{} {}"}},)",
                       u.id, u.first_name, u.last_name, u.email, u.first_name, u.last_name);
    }
    if (body.back() == ',') body.pop_back();
    return {200, body + "]}"};
}

}  // namespace taskbarge::sandbox
