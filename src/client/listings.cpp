// Answers that list things: tasks, users, the usage of each route.
#include <fmt/format.h>

#include "client/json_values.hpp"
#include "client/list_page.hpp"
#include "taskbarge/client/answer.hpp"

namespace taskbarge::client {

namespace {

namespace dom = simdjson::dom;

seen_task read_task(const dom::object& task) {
    const auto text = [&](std::string_view key) { return std::string(text_member(task, key)); };
    seen_task seen;
    seen.id = text("id");
    seen.contact_id = core::canonical_id(text_member(task, "contact_id"));
    seen.user_id = text("user_id");
    seen.type = text("type");
    seen.priority = text("priority");
    seen.status = text("status");
    seen.note = text("note");
    seen.due_at = time_member(task, "due_at");
    seen.created_at = time_member(task, "created_at");
    return seen;
}

std::string full_name(const dom::object& user) {
    const std::string_view first = text_member(user, "first_name");
    const std::string_view last = text_member(user, "last_name");
    std::string name(first);
    if (!first.empty() && !last.empty()) name += ' ';
    name += last;
    return name.empty() ? std::string(text_member(user, "name")) : name;
}

rate_headers::window read_window(const dom::object& of_route, std::string_view key) {
    rate_headers::window window;
    dom::object values;
    dom::element limit;
    if (of_route.at_key(key).get_object().get(values)) return window;
    window.present = true;
    window.unlimited = !values.at_key("limit").get(limit) && limit.is_null();
    window.limit = number_member(values, "limit");
    window.used = number_member(values, "consumed");
    window.left = number_member(values, "left_over");
    return window;
}

// The key of a route is itself JSON: ["api/v1/tasks", "bulk_create"].
bool read_route_key(dom::parser& parser, std::string_view key, route_usage& usage) {
    dom::array names;
    std::string_view controller, action;
    if (parser.parse(key.data(), key.size()).get_array().get(names) || names.size() != 2 ||
        names.at(0).get_string().get(controller) || names.at(1).get_string().get(action))
        return false;
    usage.controller = controller;
    usage.action = action;
    return true;
}

}  // namespace

core::result<search_page> read_search(const exchange& x, std::uint64_t page, std::uint64_t per_page) {
    constexpr std::string_view what = "tasks/search";
    const json_use in_use;
    const auto body = body_of(x, what);
    if (!body) return body.error();
    const asked_page asked{page, per_page};
    const auto tasks = entries_of(*body, what, "tasks", asked);
    if (!tasks) return tasks.error();
    dom::object pagination;
    if (body->at_key("pagination").get_object().get(pagination))
        return not_readable(what, "an answer without pagination");
    const auto total_entries = number_member(pagination, "total_entries");
    const auto total_pages = number_member(pagination, "total_pages");
    if (!total_entries || !total_pages) return not_readable(what, "an answer without its number of pages");
    if (const auto other = other_page(pagination, asked)) return not_readable(what, *other);
    search_page read;
    read.tasks.reserve(tasks->size());
    for_each_object(*tasks, [&](const dom::object& task) { read.tasks.push_back(read_task(task)); });
    read.page = page;
    read.per_page = per_page;
    read.total_entries = *total_entries;
    read.total_pages = *total_pages;
    return read;
}

core::result<users_page> read_users(const exchange& x, std::uint64_t page, std::uint64_t per_page) {
    constexpr std::string_view what = "users/search";
    const json_use in_use;
    const auto body = body_of(x, what);
    if (!body) return body.error();
    const asked_page asked{page, per_page};
    const auto users = entries_of(*body, what, "users", asked);
    if (!users) return users.error();
    users_page read;
    read.page = page;
    dom::object pagination;
    if (!body->at_key("pagination").get_object().get(pagination)) {
        if (const auto other = other_page(pagination, asked)) return not_readable(what, *other);
        read.total_pages = number_member(pagination, "total_pages").value_or(0);
    }
    for_each_object(*users, [&](const dom::object& user) {
        read.users.push_back(
            {std::string(text_member(user, "id")), std::string(text_member(user, "email")), full_name(user)});
    });
    return read;
}

core::result<std::vector<route_usage>> read_usage_stats(const exchange& x) {
    constexpr std::string_view what = "usage_stats/api_usage_stats";
    constexpr std::size_t most_routes = 10'000;
    const json_use in_use;
    const auto body = body_of(x, what);
    if (!body) return body.error();
    if (body->size() > most_routes) return not_readable(what, fmt::format("the answer has {} routes", body->size()));
    std::vector<route_usage> routes;
    dom::parser key_parser;
    for (const auto& [key, value] : *body) {
        route_usage usage;
        dom::object windows;
        if (value.get_object().get(windows) || !read_route_key(key_parser, key, usage)) continue;
        for (const auto kind : core::all_window_kinds)
            usage.usage.windows[static_cast<std::size_t>(kind)] = read_window(windows, core::to_string(kind));
        routes.push_back(std::move(usage));
    }
    return routes;
}

}  // namespace taskbarge::client
