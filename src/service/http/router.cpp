#include "service/http/router.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "taskbarge/core/edit_distance.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::service::http {

namespace {

constexpr std::size_t shown_text = 200;  // bytes of what the client sent, within an answer's detail

// "/v1/jobs" -> {"v1", "jobs"}; "/" -> {}.
std::vector<std::string> segments_of(std::string_view path) {
    std::vector<std::string> segments;
    while (path.size() > 1) {
        path.remove_prefix(1);
        const std::size_t end = std::min(path.find('/'), path.size());
        segments.emplace_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    return segments;
}

bool is_name(std::string_view segment) {
    return segment.starts_with('{');
}

std::optional<path_values> match(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
    if (pattern.size() != path.size()) return std::nullopt;
    path_values values;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (is_name(pattern[i])) {
            values.push_back(path[i]);
        } else if (pattern[i] != path[i]) {
            return std::nullopt;
        }
    }
    return values;
}

// A word stands before a name: /jobs/latest before /jobs/{job}.
bool is_closer(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return std::ranges::lexicographical_compare(a, b, {}, is_name, is_name);
}

// What was asked for and not understood must not be answered as if it had not been asked: onyl=failed.
std::optional<response> refuse_parameters(const header_list& query,
                                          const std::optional<std::vector<std::string>>& known) {
    if (!known) return std::nullopt;
    for (const auto& [name, value] : query) {
        if (std::ranges::find(*known, name) != known->end()) continue;
        const auto shown = core::printable(name, shown_text);
        return problem(400, "bad-parameter", "A parameter cannot be used",
                       known->empty() ? "This path takes no parameters, and not " + shown + "."
                                      : "This path takes no parameter " + shown + "; the nearest is " +
                                            core::nearest(name, *known) + ".");
    }
    return std::nullopt;
}

bool answers(std::string_view route_method, std::string_view method) {
    return route_method == method || (route_method == "GET" && method == "HEAD");
}

}  // namespace

void router::add(std::string method, std::string pattern, route_handler handle,
                 std::optional<std::vector<std::string>> parameters) {
    auto segments = segments_of(pattern);
    routes_.push_back(
        {std::move(method), std::move(pattern), std::move(segments), std::move(handle), std::move(parameters)});
}

std::optional<router::found> router::find(std::string_view method, std::string_view path) const {
    const auto segments = segments_of(path);
    std::optional<found> best;
    for (const route& r : routes_) {
        if (!answers(r.method, method)) continue;
        auto values = match(r.segments, segments);
        if (values && (!best || is_closer(r.segments, best->where->segments))) best = found{&r, std::move(*values)};
    }
    return best;
}

std::string router::allowed(std::string_view path) const {
    const auto segments = segments_of(path);
    std::set<std::string> methods;
    for (const route& r : routes_) {
        if (!match(r.segments, segments)) continue;
        methods.insert(r.method);
        if (r.method == "GET") methods.insert("HEAD");
    }
    if (methods.empty()) return {};
    methods.insert("OPTIONS");
    std::string list;
    for (const std::string& m : methods)
        list += (list.empty() ? "" : ", ") + m;
    return list;
}

boost::asio::awaitable<void> router::handle(request& x) const {
    const request_head& head = x.head();
    const auto there = find(head.method, head.path);
    if (there) {
        if (auto refused = refuse_parameters(head.query, there->where->parameters))
            co_await x.reply(std::move(*refused));
        else
            co_await there->where->handle(x, there->values);
        co_return;
    }
    const std::string methods = allowed(head.path);
    response a;
    if (methods.empty()) {
        a = problem(404, "unknown-path", "There is nothing at this path",
                    "Nothing is served at " + core::printable(head.path, shown_text) + ".");
    } else if (head.method == "OPTIONS") {
        a.status = 204;
        a.content_type.clear();
    } else {
        a = problem(405, "wrong-method", "The path does not take this method",
                    core::printable(head.path, shown_text) + " takes " + methods + ", not " +
                        core::printable(head.method, shown_text) + ".");
    }
    if (!methods.empty()) a.headers.emplace_back("Allow", methods);
    co_await x.reply(std::move(a));
}

std::string router::name_of(std::string_view method, std::string_view path) const {
    const auto there = find(method, path);
    return there ? there->where->method + " " + there->where->pattern : std::string();
}

std::vector<std::string> router::names() const {
    std::vector<std::string> all;
    for (const route& r : routes_)
        all.push_back(r.method + " " + r.pattern);
    return all;
}

}  // namespace taskbarge::service::http
