#include "sandbox/apollo.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sandbox/query.hpp"
#include "sandbox/seeded.hpp"
#include "sandbox/texts.hpp"

namespace taskbarge::sandbox {

namespace chrono = std::chrono;

namespace {

constexpr std::string_view admin_prefix = "/sandbox/";

bool is_read(route r) {
    return r == route::users || r == route::contact || r == route::labels || r == route::stages;
}

std::optional<route> route_of(const request_head& head) {
    constexpr std::string_view contacts = "/api/v1/contacts/";
    const std::string_view path = head.target.substr(0, head.target.find('?'));
    if (head.method == "GET" && path.starts_with(contacts) && path.size() > contacts.size()) return route::contact;
    for (const route r : all_routes) {
        const std::string_view method = is_read(r) ? "GET" : "POST";
        if (head.method == method && path.size() > 1 && path.substr(1) == route_path(r)) return r;
    }
    return std::nullopt;
}

std::string request_id(std::uint64_t seed, std::uint64_t number) {
    const std::uint64_t a = mix(seed, number);
    const std::uint64_t b = mix(a);
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff,
                       0x8000 | (b >> 48 & 0x3fff), b & 0xffffffffffff);
}

// The body of an answer of `bytes` that is still the JSON it was: spaces may follow.
void pad(answer& a, std::int64_t bytes) {
    if (static_cast<std::int64_t>(a.body.size()) < bytes) a.body.resize(static_cast<std::size_t>(bytes), ' ');
}

// The answer to a request as a careless debugging aid leaves it: with the request's headers, its key among them, where
// a client might log them.
void repeat_headers(answer& a, std::string_view headers) {
    if (a.content_type.starts_with("application/json")) {
        a.body = error_answer(a.status, fmt::format("The request could not be handled: {}", headers)).body;
    } else {
        a.body.append(headers).append("\r\n");
    }
    a.headers += fmt::format("x-request-id: {}\r\n", headers);
}

}  // namespace

core::result<std::vector<fault>> parse_faults(const std::vector<std::string>& texts) {
    std::vector<fault> faults;
    for (const std::string& text : texts) {
        auto parsed = parse_fault(text);
        if (!parsed) return parsed.error();
        faults.push_back(std::move(*parsed));
    }
    return faults;
}

apollo::apollo(sandbox_options options, fault_plan plan, const core::clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      tasks_(options_, clock),
      contacts_(options_, clock),
      plan_(std::move(plan)),
      routes_{{{fixed_windows(options_.limits, options_.lengths)},
               {fixed_windows(options_.search_limits, options_.lengths)},
               {fixed_windows(options_.users_limits, options_.lengths)},
               {fixed_windows(options_.usage_limits, options_.lengths)},
               {fixed_windows(options_.contacts_search_limits, options_.lengths)},
               {fixed_windows(options_.contact_limits, options_.lengths)},
               {fixed_windows(options_.contacts_create_limits, options_.lengths)},
               {fixed_windows(options_.lists_limits, options_.lengths)},
               {fixed_windows(options_.lists_limits, options_.lengths)}}} {
    for (const route r : all_routes) {
        state(r).forbidden = std::ranges::find(options_.forbid, to_string(r)) != options_.forbid.end();
    }
}

core::result<void> apollo::open() {
    const std::lock_guard lock(mutex_);
    if (auto r = tasks_.open_journal(); !r) return r;
    return contacts_.load();
}

admission apollo::admit(const request_head& head) {
    const std::lock_guard lock(mutex_);
    admission a;
    a.number = ++requests_;
    a.route = route_of(head);
    if (head.key != options_.api_key) {
        a.refused = wrong_key_answer();
    } else if (!a.route && !head.target.starts_with(admin_prefix)) {
        a.refused = error_answer(404, "Not Found");
        a.refused->from = speaker::gate;
    } else if (a.route && state(*a.route).forbidden) {
        a.refused = forbidden_answer(*a.route);
    }
    if (!a.route) return a;
    add_waits(a);
    if (a.refused) {
        a.dated = !plan_.leaves_out_date(*a.route, a.place);
        return a;
    }
    route_state& at = state(*a.route);
    const auto now = clock_.steady_now();
    if (const auto shut = at.windows.take(now)) {
        a.refused = throttled(*a.route, *shut);
    } else {
        a.place = ++at.places;
        at.windows.spend(plan_.spend(*a.route, a.place));
        a.fault = plan_.strike(*a.route, a.place);
    }
    a.dated = !plan_.leaves_out_date(*a.route, a.place);
    if (a.fault && a.fault->kind == fault_kind::delay) {
        (a.fault->moment == fault_moment::before ? a.wait_before : a.wait_after) += a.fault->time;
    }
    a.usage = at.windows.usage(now);
    return a;
}

// Half of the latency passes on either side of the creation, so that a client killed meanwhile leaves both fates.
void apollo::add_waits(admission& a) const {
    const double spread = static_cast<double>(options_.latency_jitter.count()) * share(mix(options_.seed, a.number));
    const auto latency = options_.latency + chrono::milliseconds(static_cast<std::int64_t>(spread));
    a.wait_before = latency / 2;
    a.wait_after = latency - a.wait_before;
}

answer apollo::throttled(route r, const fixed_windows::shut_window& shut) const {
    answer a = throttled_answer(r, shut.kind, shut.limit);
    const auto seconds = std::max<std::int64_t>(1, chrono::ceil<chrono::seconds>(shut.reopens_in).count());
    a.headers = fmt::format("retry-after: {}\r\n", seconds);
    return a;
}

answer apollo::serve(const admission& a, const request_head& head, std::string_view body) {
    const std::lock_guard lock(mutex_);
    tasks_.catch_up(plan_);
    contacts_.catch_up();
    if (a.route && !a.refused) contacts_.let_others_work(plan_, *a.route, a.place);
    answer result = a.refused ? *a.refused : a.route ? distorted(a, honest_answer(a, head, body)) : admin(head, body);
    if (a.fault && a.fault->echoes) {
        repeat_headers(result, head.headers);
    } else if (result.from != speaker::proxy) {
        result.headers += fmt::format("x-request-id: {}\r\n", request_id(options_.seed, a.number));
    }
    if (a.route && result.from == speaker::apollo) result.headers += rate_header_lines(a.usage);
    return result;
}

answer apollo::honest_answer(const admission& a, const request_head& head, std::string_view body) {
    switch (*a.route) {
        case route::bulk_create:
            return tasks_.bulk_create(body, plan_, a.fault.get(), a.place, known_contacts());
        case route::search:
            return tasks_.search(head.target, plan_, a.fault.get());
        case route::users:
            return users_answer(head.target);
        case route::usage_stats:
            return usage_stats_answer();
        case route::contacts_search:
            return contacts_.search(head.target, body, a.fault.get());
        case route::contact:
            return contacts_.show(head.target, a.fault.get(), a.place);
        case route::contacts_create:
            return contacts_.bulk_create(body, plan_, a.fault.get(), a.place);
        case route::labels:
            return contacts_.labels();
        case route::stages:
            return contacts_.stages();
    }
    return error_answer(404, "Not Found");
}

known_contact apollo::known_contacts() const {
    if (!options_.known_contacts_only) return {};
    return [this](std::string_view id) { return contacts_.store().find(id).has_value(); };
}

answer apollo::usage_stats_answer() {
    constexpr std::array<std::string_view, 3> names{"minute", "hour", "day"};
    std::string body = "{";
    for (const route r : all_routes) {
        const route_key key = usage_key(r);
        const window_usage usage = state(r).windows.usage(clock_.steady_now());
        fmt::format_to(std::back_inserter(body), R"("[\"{}\", \"{}\"]":{{)", key.controller, key.action);
        for (std::size_t i = names.size(); i-- > 0;) {  // the day first, as Apollo does
            if (usage.limits[i] == 0) {
                fmt::format_to(std::back_inserter(body), R"("{}":{{"limit":null,"consumed":{},"left_over":null}},)",
                               names[i], usage.used[i]);
            } else {
                fmt::format_to(std::back_inserter(body), R"("{}":{{"limit":{},"consumed":{},"left_over":{}}},)",
                               names[i], usage.limits[i], usage.used[i], usage.left(i));
            }
        }
        body.back() = '}';
        body.push_back(',');
    }
    body.back() = '}';
    return {200, body};
}

answer apollo::distorted(const admission& a, answer honest) const {
    if (!a.fault) return honest;
    switch (a.fault->kind) {
        case fault_kind::status:
            return status_answer(*a.route, a.fault->status);
        case fault_kind::throttle:
            return fault_429(a);
        case fault_kind::html:
            return page_answer(200);
        case fault_kind::success_false:
            return {200, R"({"success":false,"tasks":[]})"};
        case fault_kind::oversized:
            pad(honest, a.fault->number);
            return honest;
        default:
            return honest;
    }
}

answer apollo::fault_429(const admission& a) const {
    const fault& f = *a.fault;
    const std::uint64_t limit = a.usage.limits[static_cast<std::size_t>(f.window)];
    answer result = throttled_answer(*a.route, f.window, limit > 0 ? limit : 600);
    if (f.retry == retry_form::seconds) {
        result.headers = fmt::format("retry-after: {}\r\n", f.number);
    } else if (f.retry == retry_form::http_date) {
        const auto until = clock_.now() + plan_.skew(server_clock::date) + chrono::seconds(f.number);
        result.headers = fmt::format("retry-after: {}\r\n", http_date(until));
    }
    return result;
}

void apollo::record(const admission& a, int status) {
    if (!a.route) return;
    const std::lock_guard lock(mutex_);
    ++state(*a.route).by_status[status];
}

std::shared_ptr<const fault> apollo::admit_connection() {
    const std::lock_guard lock(mutex_);
    ++connections_;
    return plan_.strike_connection(++connection_places_);
}

std::optional<std::uint64_t> apollo::requests_per_connection() const {
    const std::lock_guard lock(mutex_);
    return plan_.close_after();
}

std::string apollo::date() const {
    const std::lock_guard lock(mutex_);
    return http_date(clock_.now() + plan_.skew(server_clock::date));
}

void apollo::finish() {
    const std::lock_guard lock(mutex_);
    tasks_.finish(plan_);
    contacts_.finish();
}

core::result<void> apollo::set_faults(const std::vector<std::string>& faults) {
    const std::lock_guard lock(mutex_);
    return replace_faults(faults);
}

core::result<void> apollo::replace_faults(const std::vector<std::string>& faults) {
    auto parsed = parse_faults(faults);
    if (!parsed) return parsed.error();
    plan_ = fault_plan(std::move(*parsed), options_.seed);
    for (route_state& at : routes_)
        at.places = 0;
    connection_places_ = 0;
    return {};
}

sandbox_stats apollo::stats() const {
    const std::lock_guard lock(mutex_);
    return stats_now();
}

sandbox_stats apollo::stats_now() const {
    tasks_.catch_up(plan_);
    sandbox_stats all;
    for (const route r : all_routes) {
        const route_state& at = routes_[static_cast<std::size_t>(r)];
        all.routes[std::string(to_string(r))] = {at.by_status, at.windows.most_used()};
        if (const auto it = at.by_status.find(429); it != at.by_status.end()) all.throttled += it->second;
    }
    const auto counts = tasks_.store().count_pairs();
    all.tasks = tasks_.store().size_of(task_origin::api);
    all.pairs = counts.pairs;
    all.tasks_twice = counts.twice;
    contacts_.catch_up();
    all.contacts = contacts_.store().size();
    all.contacts_created = contacts_.created();
    all.connections = connections_;
    all.faults = plan_.strikes();
    return all;
}

void apollo::for_each_task(const std::function<void(const stored_task&)>& visit) const {
    const std::lock_guard lock(mutex_);
    visit_tasks(visit);
}

void apollo::visit_tasks(const std::function<void(const stored_task&)>& visit) const {
    tasks_.catch_up(plan_);
    const task_store& store = tasks_.store();
    for (task_store::index i = 0; i < store.size(); ++i) {
        task_store::view task = store.at(i);
        if (task.origin != task_origin::api) continue;
        visit({std::move(task.id), std::move(task.contact_id), task.details->view(), task.created_at});
    }
}

std::uint64_t apollo::count_of(std::string_view contact_id, const core::task_view& details) const {
    const std::string id = core::canonical_id(contact_id);
    std::uint64_t count = 0;
    for_each_task([&](const stored_task& task) {
        if (task.contact_id == id && task.details == details) ++count;
    });
    return count;
}

void apollo::for_each_contact(const std::function<void(const stored_contact&)>& visit) const {
    const std::lock_guard lock(mutex_);
    contacts_.catch_up();
    contacts_.store().for_each(visit);
}

core::result<std::string> apollo::add_contact(std::string_view json) {
    const std::lock_guard lock(mutex_);
    return contacts_.add(json);
}

bool apollo::remove_contact(std::string_view id) {
    const std::lock_guard lock(mutex_);
    return contacts_.remove(id);
}

bool apollo::merge_contacts(std::string_view from, std::string_view into) {
    const std::lock_guard lock(mutex_);
    return contacts_.merge(from, into);
}

}  // namespace taskbarge::sandbox
