// The view for tests under /sandbox/, which is no part of Apollo.
#include <fmt/format.h>

#include "sandbox/apollo.hpp"
#include "sandbox/texts.hpp"

namespace taskbarge::sandbox {

namespace {

void append_route(std::string& out, std::string_view name, const route_stats& stats) {
    fmt::format_to(std::back_inserter(out), R"("{}":{{"requests":{},"by_status":{{)", name, stats.requests());
    for (const auto& [status, count] : stats.by_status) {
        fmt::format_to(std::back_inserter(out), R"("{}":{},)", status, count);
    }
    if (out.back() == ',') out.pop_back();
    fmt::format_to(std::back_inserter(out), R"(}},"most_in_window":{{"minute":{},"hour":{},"day":{}}}}})",
                   stats.most_in_window[0], stats.most_in_window[1], stats.most_in_window[2]);
}

std::vector<std::string> lines_of(std::string_view body) {
    std::vector<std::string> lines;
    while (!body.empty()) {
        std::string_view line = body.substr(0, body.find('\n'));
        body.remove_prefix(std::min(line.size() + 1, body.size()));
        while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
            line.remove_suffix(1);
        if (!line.empty()) lines.emplace_back(line);
    }
    return lines;
}

}  // namespace

answer apollo::admin(const request_head& head, std::string_view body) {
    const std::string_view path = head.target.substr(0, head.target.find('?'));
    if (head.method == "GET" && path == "/sandbox/stats") return stats_answer();
    if (head.method == "GET" && path == "/sandbox/tasks") return tasks_answer();
    if (head.method == "POST" && path == "/sandbox/faults") {
        if (const auto changed = replace_faults(lines_of(body)); !changed) {
            return error_answer(422, changed.error().text);
        }
        return stats_answer();
    }
    return error_answer(404, "The sandbox has GET /sandbox/stats, GET /sandbox/tasks and POST /sandbox/faults");
}

answer apollo::stats_answer() const {
    const sandbox_stats stats = stats_now();
    std::string body = R"({"routes":{)";
    for (const auto& [name, route] : stats.routes) {
        append_route(body, name, route);
        body.push_back(',');
    }
    body.back() = '}';
    fmt::format_to(std::back_inserter(body),
                   R"(,"tasks":{},"pairs":{},"tasks_twice":{},"throttled":{},"connections":{},"faults":[)", stats.tasks,
                   stats.pairs, stats.tasks_twice, stats.throttled, stats.connections);
    for (const auto& [text, strikes] : stats.faults) {
        body += R"({"fault":)";
        append_json(body, text);
        fmt::format_to(std::back_inserter(body), R"(,"strikes":{}}},)", strikes);
    }
    if (body.back() == ',') body.pop_back();
    return {200, body + "]}"};
}

answer apollo::tasks_answer() const {
    answer a{200, {}, "application/jsonl"};
    visit_tasks([&](const stored_task& task) {
        append_task_line(a.body, task.id, task.contact_id, task.details, task.created_at);
    });
    return a;
}

}  // namespace taskbarge::sandbox
