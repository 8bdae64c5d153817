#include "sandbox/task_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sandbox/query.hpp"
#include "sandbox/seeded.hpp"
#include "sandbox/texts.hpp"

namespace taskbarge::sandbox {

namespace chrono = std::chrono;

namespace {

std::string made_up_id(std::uint64_t mixed) {
    return fmt::format("77{:06x}{:016x}", mixed & 0xffffffu, mix(mixed));
}

// Why the faults in force refuse a request as a whole, if they do.
std::optional<answer> refusal_by(fault_plan& plan, const create_request& request, const known_contact& known) {
    if (const fault* cap = plan.cap();
        cap != nullptr && request.contacts.size() > static_cast<std::uint64_t>(cap->number)) {
        plan.note_strike(*cap);
        if (cap->status == 413) return page_answer(413);
        return error_answer(422, fmt::format("contact_ids exceeds the maximum limit of {} per request", cap->number));
    }
    if (const fault* bad = plan.bad_user(core::canonical_id(request.details.user_id))) {
        plan.note_strike(*bad);
        return error_answer(422, "User not found");
    }
    if (!plan.has_bad_contacts() && !known) return std::nullopt;
    for (const std::string_view contact : request.contacts) {
        const std::string id = core::canonical_id(contact);
        if (known && !known(id)) return error_answer(422, "One or more contacts were not found");
        if (const fault* bad = plan.bad_contact(id)) {
            plan.note_strike(*bad);
            return error_answer(422, bad->named ? "Contact not found: " + id : "One or more contacts were not found");
        }
    }
    return std::nullopt;
}

}  // namespace

task_service::task_service(const sandbox_options& options, const core::clock& clock)
    : options_(options),
      clock_(clock),
      store_(options.seed, static_cast<std::uint32_t>(
                               mix(options.seed, static_cast<std::uint64_t>(clock.now().time_since_epoch().count())))) {
    if (options.search_hides_finished) store_.hide_finished();
    add_existing_tasks();
}

// Half a year of other people's work to either side of now, in as many kinds as keep the list lively.
void task_service::add_existing_tasks() {
    constexpr std::uint64_t kinds = 64;
    const auto today = chrono::floor<chrono::days>(clock_.now());
    for (std::uint64_t kind = 0; kind < kinds; ++kind) {
        const std::uint64_t h = mix(options_.seed, kind);
        core::task_details details;
        details.user_id = user_id(h % 6);
        details.type = static_cast<core::task_type>((h >> 8) % 7);
        details.priority = static_cast<core::task_priority>((h >> 16) % 3);
        details.due_at = today + chrono::days(static_cast<int>((h >> 24) % 360) - 180) +
                         chrono::hours(static_cast<int>((h >> 40) % 24));
        std::vector<std::string> ids;
        for (std::uint64_t i = kind; i < options_.existing_tasks; i += kinds)
            ids.push_back(made_up_id(mix(h, i)));
        const std::vector<std::string_view> contacts(ids.begin(), ids.end());
        store_.add(details.view(), contacts, today - chrono::days(30), steady_point::min(), task_origin::existing);
    }
}

core::result<void> task_service::open_journal() {
    if (options_.journal.empty()) return {};
    auto opened = journal::open(options_.journal);
    if (!opened) return opened.error();
    journal_ = std::move(*opened);
    if (!options_.journal_reload) return {};
    return read_journal(options_.journal, [this](const journal_entry& e) {
        return store_.restore(e.id, e.details, e.contact_id, e.created_at);
    });
}

task_store::index task_service::create(const core::task_view& details, std::span<const std::string_view> contacts,
                                       core::instant at, chrono::milliseconds lag) {
    const auto first = store_.add(details, contacts, at, clock_.steady_now() + lag);
    if (journal_.active()) {
        std::string lines;
        for (auto i = first; i < store_.size(); ++i) {
            const auto task = store_.at(i);
            append_task_line(lines, task.id, task.contact_id, details, at);
        }
        journal_.write(lines);
    }
    return first;
}

void task_service::put_off(const create_request& request, std::span<const std::string_view> contacts, const fault& f,
                           chrono::milliseconds lag) {
    put_off_.emplace(clock_.steady_now() + f.later,
                     put_off_creation{core::task_details(request.details), {contacts.begin(), contacts.end()}, lag});
}

void task_service::make_up_to(steady_point due, const fault_plan& plan) {
    const auto end = put_off_.upper_bound(due);
    for (auto it = put_off_.begin(); it != end; ++it) {
        const put_off_creation& late = it->second;
        const std::vector<std::string_view> contacts(late.contacts.begin(), late.contacts.end());
        create(late.details.view(), contacts, clock_.now() + plan.skew(server_clock::tasks), late.lag);
    }
    put_off_.erase(put_off_.begin(), end);
}

void task_service::catch_up(const fault_plan& plan) {
    make_up_to(clock_.steady_now(), plan);
}

void task_service::finish(const fault_plan& plan) {
    make_up_to(steady_point::max(), plan);
}

answer task_service::bulk_create(std::string_view body, fault_plan& plan, const fault* f, std::uint64_t place,
                                 const known_contact& known) {
    auto request = reader_.read(body);
    if (!request) return request.error();
    if (auto refusal = refusal_by(plan, *request, known)) return *refusal;

    const auto lag = plan.lag(route::bulk_create, place);
    std::vector<std::string_view> unnamed;
    if (is(f, fault_kind::missing)) {
        unnamed = take_out(request->contacts, static_cast<std::uint64_t>(f->number), mix(options_.seed, place));
    } else if (f != nullptr && f->kind != fault_kind::delay && f->moment != fault_moment::after) {
        unnamed.swap(request->contacts);
    }
    const core::instant at = clock_.now() + plan.skew(server_clock::tasks);
    const auto first = create(request->details, request->contacts, at, lag);
    const auto named = request->contacts.size();
    if (!unnamed.empty() && f->moment == fault_moment::later) put_off(*request, unnamed, *f, lag);
    if (!unnamed.empty() && f->moment == fault_moment::after) create(request->details, unnamed, at, lag);
    return {200, created_body(request->details, at, first, named, f, place)};
}

std::string task_service::created_body(const core::task_view& details, core::instant at, task_store::index first,
                                       std::size_t count, const fault* f, std::uint64_t place) const {
    const task_writer writer(options_.minimal_answers ? task_shape::ids : task_shape::full, details, at);
    const auto number = f != nullptr ? static_cast<std::size_t>(f->number) : 0;
    std::string body;
    body.reserve(64 + count * (options_.minimal_answers ? 80 : 3400));
    body = R"({"success":true,"tasks":[)";
    const auto append = [&](std::size_t i, contact_mention mention) {
        const auto task = store_.at(first + static_cast<task_store::index>(i));
        writer.append(body, is(f, fault_kind::same_id) ? store_.id_of(first) : task.id, task.contact_id, mention);
        body.push_back(',');
    };
    for (std::size_t i = 0; i < count; ++i) {
        const bool anonymous = is(f, fault_kind::anonymous) && i < number;
        append(i, anonymous ? contact_mention::left_out : contact_mention::named);
    }
    if (is(f, fault_kind::repeated)) {
        for (std::size_t i = 0; i < std::min(number, count); ++i)
            append(i, contact_mention::named);
    }
    if (is(f, fault_kind::foreign)) {
        for (std::size_t i = 0; i < number; ++i) {
            const std::uint64_t h = mix(mix(options_.seed, place), i);
            writer.append(body, made_up_id(mix(h, 1)), made_up_id(mix(h, 2)));
            body.push_back(',');
        }
    }
    if (body.back() == ',') body.pop_back();
    return body += "]}";
}

answer task_service::search(std::string_view target, const fault_plan& plan, const fault* f) {
    const request_target asked(target);
    const std::uint64_t page = asked.number("page", 1);
    const std::uint64_t per_page = asked.number("per_page", per_page_default);
    if (per_page > per_page_limit) return error_answer(422, "Per page not supported");
    if (page > std::max<std::uint64_t>(1, options_.search_visible / per_page_limit)) {
        return error_answer(422, "Page not supported");
    }
    search_filter filter;
    if (options_.search_filters) {
        filter.contact_id = core::canonical_id(asked.get("contact_id"));
        filter.user_id = asked.get("user_id");
    }
    const auto order = asked.get("sort_by_field") == "task_priority" ? search_order::priority : search_order::due_at;
    const std::uint64_t visible = plan.visible().value_or(options_.search_visible);
    const std::uint64_t offset = (page - 1) * per_page;
    const std::uint64_t most = per_page + (is(f, fault_kind::longer) ? static_cast<std::uint64_t>(f->number) : 0);
    const std::uint64_t count = offset < visible ? std::min(most, visible - offset) : 0;
    auto found = store_.search(order, filter, offset, count, clock_.steady_now());
    if (is(f, fault_kind::hides)) {
        // The same ones each time that the page is asked for: two looks agree.
        take_out(found.tasks, static_cast<std::uint64_t>(f->number), mix(options_.seed, page));
    }
    return {200, fmt::format(R"({}"pagination":{{"page":{},"per_page":{},"total_entries":{},"total_pages":{}}},)"
                             R"("pipeline_total":{},"num_fetch_result":null}})",
                             found_body(found), page, per_page, found.total, (found.total + per_page - 1) / per_page,
                             found.total)};
}

std::string task_service::found_body(const task_store::found& found) const {
    std::string body = R"({"breadcrumbs":[],"tasks":[)";
    for (const auto i : found.tasks) {
        const auto task = store_.at(i);
        const task_writer writer(options_.minimal_answers ? task_shape::fields : task_shape::full, task.details->view(),
                                 task.created_at, task.origin == task_origin::api ? "api" : "zp_ui");
        writer.append(body, task.id, task.contact_id);
        body.push_back(',');
    }
    if (body.back() == ',') body.pop_back();
    return body += "],";
}

}  // namespace taskbarge::sandbox
