// The view for tests under /sandbox/, which is no part of Apollo.
#include <fmt/format.h>

#include <algorithm>

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
    if (head.method == "GET" && path == "/sandbox/contacts") return contacts_answer();
    constexpr std::string_view one_contact = "/sandbox/contacts/";
    if (head.method == "DELETE" && path.starts_with(one_contact)) {
        return changed_contacts("remove", path.substr(one_contact.size()));
    }
    if (head.method == "POST" && path == "/sandbox/contacts") return changed_contacts("add", body);
    if (head.method == "POST" && path.starts_with(one_contact)) {
        return changed_contacts(path.substr(one_contact.size()), body);
    }
    return error_answer(404,
                        "The sandbox has GET /sandbox/stats, /sandbox/tasks and /sandbox/contacts, POST "
                        "/sandbox/faults, /sandbox/contacts, /sandbox/contacts/remove and /sandbox/contacts/merge, "
                        "and DELETE /sandbox/contacts/ID");
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
                   R"(,"tasks":{},"pairs":{},"tasks_twice":{},"contacts":{},"contacts_created":{},"throttled":{},)"
                   R"("connections":{},"faults":[)",
                   stats.tasks, stats.pairs, stats.tasks_twice, stats.contacts, stats.contacts_created, stats.throttled,
                   stats.connections);
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

answer apollo::contacts_answer() const {
    answer a{200, {}, "application/jsonl"};
    contacts_.store().for_each([&](const stored_contact& c) {
        append_contact(a.body, c, contact_shape::fields);
        a.body.push_back('\n');
    });
    return a;
}

// One contact a line: "add" takes JSON, "remove" ids, "merge" two ids with a blank between them.
answer apollo::changed_contacts(std::string_view what, std::string_view body) {
    std::uint64_t changed = 0;
    for (const std::string& line : lines_of(body)) {
        if (what == "add") {
            if (const auto added = contacts_.add(line); !added) return error_answer(422, added.error().text);
            ++changed;
        } else if (what == "remove") {
            changed += contacts_.remove(line) ? 1 : 0;
        } else if (what == "merge") {
            const auto blank = std::min(line.find(' '), line.size());
            const auto into = std::string_view(line).substr(std::min(blank + 1, line.size()));
            changed += contacts_.merge(std::string_view(line).substr(0, blank), into) ? 1 : 0;
        } else {
            return error_answer(404, "Contacts can be added, removed and merged");
        }
    }
    return {200, fmt::format(R"({{"changed":{},"contacts":{}}})", changed, contacts_.store().size())};
}

}  // namespace taskbarge::sandbox
