#include "sandbox/contact_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "sandbox/query.hpp"
#include "sandbox/seeded.hpp"
#include "sandbox/task_json.hpp"
#include "sandbox/texts.hpp"

namespace taskbarge::sandbox {

namespace chrono = std::chrono;
namespace dom = simdjson::dom;

namespace {

constexpr std::uint64_t last_page = 500;  // documented
constexpr std::size_t most_created = 100;

contact_order order_named(std::string_view field) {
    if (field == "contact_created_at") return contact_order::created_at;
    if (field == "contact_updated_at") return contact_order::updated_at;
    // Opened and clicked messages are activity; so is what no order is given for.
    return contact_order::last_activity;
}

contact_query query_of(const request_target& asked, bool in_all_addresses) {
    contact_query query;
    query.keywords = asked.get("q_keywords");
    query.in_all_addresses = in_all_addresses;
    query.stages = asked.all("contact_stage_ids[]");
    query.labels = asked.all("contact_label_ids[]");
    query.order = order_named(asked.get("sort_by_field"));
    query.ascending = asked.get("sort_ascending") == "true";
    return query;
}

std::string pagination_of(std::uint64_t page, std::uint64_t per_page, std::uint64_t total, bool in_texts) {
    const std::string_view quote = in_texts ? "\"" : "";
    return fmt::format(
        R"("pagination":{{"page":{0}{1}{0},"per_page":{0}{2}{0},"total_entries":{0}{3}{0},"total_pages":{0}{4}{0}}})",
        quote, page, per_page, total, (total + per_page - 1) / per_page);
}

void append_breadcrumb(std::string& out, std::string_view label, std::string_view field, std::string_view value,
                       std::string_view shown) {
    if (!out.empty()) out.push_back(',');
    fmt::format_to(std::back_inserter(out), R"({{"label":"{}","signal_field_name":"{}","value":)", label, field);
    append_json(out, value);
    out += R"(,"display_name":)";
    append_json(out, shown);
    out.push_back('}');
}

}  // namespace

contact_service::contact_service(const sandbox_options& options, const core::clock& clock)
    : options_(options), clock_(clock), maker_(options.seed, options.contacts_alike), store_(options.seed) {
    for (std::size_t i = 0; i < stages_made; ++i) {
        const made_stage& made = stage_made(i);
        stages_.push_back({std::string(made.id), std::string(made.name), std::string(made.category)});
    }
    const core::instant long_ago = chrono::sys_days(chrono::year(2021) / 1 / 4);
    for (std::size_t i = 0; i < labels_made; ++i) {
        const made_label& made = label_made(i);
        labels_.push_back({std::string(made.id), std::string(made.name), long_ago});
    }
}

stored_contact contact_service::make_next() {
    return maker_.make(next_number_++);
}

core::result<void> contact_service::load() {
    for (std::uint64_t i = 0; i < options_.contacts; ++i)
        store_.add(make_next());
    for (const std::string& json : options_.contacts_json) {
        const auto added = add(json);
        if (!added) return added.error();
    }
    return options_.contacts_file.empty() ? core::result<void>() : load_file();
}

core::result<void> contact_service::load_file() {
    std::ifstream file(options_.contacts_file);
    if (!file) return core::failure{core::errc::io, "sandbox: cannot read the contacts in " + options_.contacts_file};
    std::string line;
    for (std::uint64_t number = 1; std::getline(file, line); ++number) {
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        const auto added = add(line);
        if (!added) {
            return core::failure{core::errc::io,
                                 fmt::format("{} (line {} of {})", added.error().text, number, options_.contacts_file)};
        }
    }
    return {};
}

core::result<std::string> contact_service::add(std::string_view json) {
    const auto wrong = [](std::string_view why) {
        return core::failure{core::errc::usage, fmt::format("sandbox: a contact cannot be used: {}", why)};
    };
    dom::object object;
    if (parser_.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS) return wrong("it is no JSON object");
    stored_contact c = make_next();
    if (const std::string why = read_contact(object, c); !why.empty()) return wrong(why);
    c.id = core::canonical_id(c.id);
    if (c.id.empty()) return wrong("its id is empty");
    know_lists_of(c);
    if (!store_.add(c)) return wrong("there is another one with the id " + c.id);
    return c.id;
}

// What a contact is in, the lists show, with the id for a name.
void contact_service::know_lists_of(const stored_contact& c) {
    if (!c.contact_stage_id.empty() && std::ranges::find(stages_, c.contact_stage_id, &stage::id) == stages_.end()) {
        stages_.push_back({c.contact_stage_id, "Stage " + c.contact_stage_id, "in_progress"});
    }
    for (const std::string& id : c.label_ids) {
        if (std::ranges::find(labels_, id, &label::id) == labels_.end())
            labels_.push_back({id, "List " + id, clock_.now()});
    }
}

bool contact_service::remove(std::string_view id) {
    const auto i = store_.find(id);
    if (i) store_.remove(*i);
    return i.has_value();
}

bool contact_service::merge(std::string_view from, std::string_view into) {
    const auto a = store_.find(from), b = store_.find(into);
    if (!a || !b || *a == *b) return false;
    const stored_contact gone = store_.at(*a);
    stored_contact stays = store_.at(*b);
    std::vector<std::string> addresses = gone.other_emails;
    addresses.insert(addresses.begin(), gone.email);
    for (const std::string& address : addresses) {
        const bool known = address == stays.email || std::ranges::count(stays.other_emails, address) > 0;
        if (!known && !address.empty()) stays.other_emails.push_back(address);
    }
    const std::string& crm_id = gone.salesforce_contact_id.empty() ? gone.hubspot_vid : gone.salesforce_contact_id;
    if (!crm_id.empty()) stays.merged_crm_ids.push_back(crm_id);
    stays.updated_at = std::max(stays.updated_at, clock_.now());
    store_.remove(*a);
    store_.change(*b, stays);
    return true;
}

void contact_service::let_others_work(fault_plan& plan, route r, std::uint64_t place) {
    for (const auto& f : plan.others(r, place)) {
        if (f->kind == fault_kind::merge) {
            merge(f->ids[0], f->ids[1]);
            continue;
        }
        const std::uint64_t chance = mix(mix(options_.seed, hash_text(f->spelled)), place);
        for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(f->number); ++i) {
            if (f->kind == fault_kind::arrive) {
                stored_contact c = make_next();
                c.created_at = c.updated_at = clock_.now();
                c.last_activity_at.reset();
                c.id = contact_id_for(c.created_at, mix(chance, i));
                store_.add(c);
                continue;
            }
            const auto struck = store_.any(mix(chance, i));
            if (!struck) break;
            if (f->kind == fault_kind::gone) {
                store_.remove(*struck);
            } else {
                stored_contact c = store_.at(*struck);
                c.updated_at = clock_.now();
                const auto at = std::ranges::find(stages_, c.contact_stage_id, &stage::id) - stages_.begin();
                c.contact_stage_id = stages_[static_cast<std::size_t>(at + 1) % stages_.size()].id;
                store_.change(*struck, c);
            }
        }
    }
}

answer contact_service::search(std::string_view target, std::string_view body, const fault* f) {
    request_target asked(target);
    if (!asked.add_body(body)) return error_answer(400, "There was a problem in the JSON you submitted");
    const std::uint64_t page = asked.number("page", 1);
    const std::uint64_t per_page = asked.number("per_page", per_page_default);
    if (per_page > per_page_limit) return error_answer(422, "Per page not supported");
    const std::uint64_t offset = (page - 1) * per_page;
    if (page > last_page || (page > 1 && offset >= options_.contacts_visible)) {
        return error_answer(422, "Page not supported");
    }
    contact_query query = query_of(asked, options_.keywords_find_additional);
    if (is(f, fault_kind::deaf)) query = {{}, false, {}, {}, query.order, query.ascending};

    const auto now = clock_.steady_now();
    const bool partial = is(f, fault_kind::partial);
    const std::uint64_t shown = partial ? std::min(static_cast<std::uint64_t>(f->number), options_.contacts_visible)
                                        : options_.contacts_visible;
    auto found = store_.search(query, offset, offset < shown ? std::min(per_page, shown - offset) : 0, now);
    if (partial) found.total = std::min(found.total, shown);
    if (is(f, fault_kind::hides)) {
        // The same ones each time that the page is asked for: two looks agree.
        take_out(found.contacts, static_cast<std::uint64_t>(f->number), mix(options_.seed, page));
    }
    if (is(f, fault_kind::again) && page > 1) {
        const auto count = std::min<std::uint64_t>(static_cast<std::uint64_t>(f->number), per_page);
        const auto before = store_.search(query, offset - count, count, now);
        std::ranges::copy_n(before.contacts.begin(),
                            static_cast<std::ptrdiff_t>(std::min(before.contacts.size(), found.contacts.size())),
                            found.contacts.begin());
    }
    return {200, fmt::format(R"({{"contacts":[{}],"breadcrumbs":[{}],"partial_results_only":{},"has_join":false,)"
                             R"("disable_eu_prospecting":false,"partial_results_limit":{},{},)"
                             R"("num_fetch_result":null}})",
                             bodies(found.contacts), breadcrumbs_of(query), partial, partial ? f->number : 10000,
                             pagination_of(page, per_page, found.total, is(f, fault_kind::texts)))};
}

std::string contact_service::breadcrumbs_of(const contact_query& query) const {
    std::string out;
    if (!query.keywords.empty())
        append_breadcrumb(out, "Contains Keywords", "q_keywords", query.keywords, query.keywords);
    for (const std::string& id : query.stages) {
        const auto known = std::ranges::find(stages_, id, &stage::id);
        append_breadcrumb(out, "Contact Stage", "contact_stage_ids", id,
                          known != stages_.end() ? known->name : "[Deleted Stage]");
    }
    for (const std::string& id : query.labels) {
        const auto known = std::ranges::find(labels_, id, &label::id);
        append_breadcrumb(out, "Lists", "contact_label_ids", id,
                          known != labels_.end() ? known->name : "[Deleted List]");
    }
    return out;
}

std::string contact_service::bodies(const std::vector<contact_store::index>& contacts) const {
    std::string out;
    for (const auto i : contacts) {
        append_contact(out, store_.at(i), shape());
        out.push_back(',');
    }
    if (!out.empty()) out.pop_back();
    return out;
}

answer contact_service::show(std::string_view target, const fault* f, std::uint64_t place) const {
    const request_target asked(target);
    const std::string_view id = asked.path.substr(asked.path.rfind('/') + 1);
    auto i = store_.find(id);
    if (!i) {
        return error_answer(422, store_.was_removed(id) ? "This contact has been deleted."
                                                        : "Oops! This contact does not exist in Apollo.");
    }
    if (is(f, fault_kind::other)) {
        const auto another = store_.any(mix(options_.seed, place));
        i = another != i ? another : store_.any(*i + std::uint64_t{1});
    }
    return {200, R"({"contact":)" + bodies({*i}) + "}"};
}

or_answer<contact_service::create_order> contact_service::read_order(std::string_view body) {
    dom::object object;
    dom::array given;
    if (parser_.parse(body.data(), body.size()).get(object) != simdjson::SUCCESS) {
        return error_answer(400, "There was a problem in the JSON you submitted");
    }
    if (object["contacts"].get(given) != simdjson::SUCCESS || given.size() == 0) {
        return error_answer(422,
                            R"(Please provide an array of contact attributes in the "contact_attributes" parameter.)");
    }
    if (given.size() > most_created) return error_answer(422, "Please limit your array to 100 contacts or fewer.");
    create_order order;
    for (const dom::element entry : given) {
        dom::object attributes;
        stored_contact c;
        if (entry.get(attributes) != simdjson::SUCCESS || !read_contact(attributes, c).empty()) {
            return error_answer(422, "Contact attributes are not valid");
        }
        order.contacts.push_back(std::move(c));
    }
    dom::array names;
    if (object["append_label_names"].get(names) == simdjson::SUCCESS) {
        for (const dom::element entry : names) {
            if (std::string_view name; entry.get(name) == simdjson::SUCCESS) order.label_names.emplace_back(name);
        }
    }
    std::string_view owner;
    if (object["owner_id"].get(owner) == simdjson::SUCCESS) order.owner_id = owner;
    if (object["run_dedupe"].get(order.dedupes) != simdjson::SUCCESS) order.dedupes = false;
    return order;
}

std::string contact_service::label_named(std::string_view name) {
    const auto known = std::ranges::find(labels_, name, &label::name);
    if (known != labels_.end()) return known->id;
    const std::uint64_t h = mix(mix(options_.seed, hash_text(name)), labels_.size());
    labels_.push_back({contact_id_for(clock_.now(), h), std::string(name), clock_.now()});
    return labels_.back().id;
}

contact_service::outcome contact_service::carry_out(const create_order& order) {
    outcome done;
    std::vector<std::string> label_ids;
    for (const std::string& name : order.label_names)
        label_ids.push_back(label_named(name));
    const auto now = clock_.steady_now();
    for (stored_contact c : order.contacts) {
        if (order.dedupes) {
            if (const auto same = store_.same_as(c, now)) {
                done.existing.push_back(*same);
                continue;
            }
        }
        c.created_at = c.updated_at = clock_.now();
        c.id = contact_id_for(c.created_at, mix(mix(options_.seed, ~std::uint64_t{0}), store_.size() + ++created_));
        c.email_status = "user_managed";
        if (!order.owner_id.empty()) c.owner_id = order.owner_id;
        if (c.owner_id.empty()) c.owner_id = user_id(0);
        if (c.contact_stage_id.empty()) c.contact_stage_id = stages_.front().id;
        c.label_ids.insert(c.label_ids.end(), label_ids.begin(), label_ids.end());
        know_lists_of(c);
        if (const auto i = store_.add(c, now + order.lag)) done.created.push_back(*i);
    }
    return done;
}

answer contact_service::bulk_create(std::string_view body, fault_plan& plan, const fault* f, std::uint64_t place) {
    auto order = read_order(body);
    if (!order) return order.error();
    order->lag = plan.lag(route::contacts_create, place);
    if (is(f, fault_kind::missing)) {
        create_order unnamed = *order;
        unnamed.contacts = take_out(order->contacts, static_cast<std::uint64_t>(f->number), mix(options_.seed, place));
        if (f->moment == fault_moment::after) carry_out(unnamed);
        if (f->moment == fault_moment::later) put_off_.emplace(clock_.steady_now() + f->later, std::move(unnamed));
    } else if (f != nullptr && f->kind != fault_kind::delay && f->moment != fault_moment::after) {
        if (f->moment == fault_moment::later) put_off_.emplace(clock_.steady_now() + f->later, *order);
        order->contacts.clear();
    }
    return {200, created_body(carry_out(*order), f, place)};
}

std::string contact_service::created_body(outcome done, const fault* f, std::uint64_t place) const {
    if (is(f, fault_kind::repeated)) {
        const auto count = std::min(static_cast<std::size_t>(f->number), done.created.size());
        const std::vector<contact_store::index> first(done.created.begin(),
                                                      done.created.begin() + static_cast<std::ptrdiff_t>(count));
        done.created.insert(done.created.end(), first.begin(), first.end());
    }
    std::string created = bodies(done.created);
    if (is(f, fault_kind::foreign)) {
        for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(f->number); ++i) {
            if (!created.empty()) created.push_back(',');
            append_contact(created, maker_.make(mix(mix(options_.seed, place), i) % 1'000'000'000), shape());
        }
    }
    return fmt::format(R"({{"created_contacts":[{}],"existing_contacts":[{}]}})", created, bodies(done.existing));
}

void contact_service::make_up_to(steady_point due) {
    const auto end = put_off_.upper_bound(due);
    for (auto it = put_off_.begin(); it != end; ++it)
        carry_out(it->second);
    put_off_.erase(put_off_.begin(), end);
}

void contact_service::catch_up() {
    make_up_to(clock_.steady_now());
}

void contact_service::finish() {
    make_up_to(steady_point::max());
}

answer contact_service::labels() const {
    const auto counts = store_.count_labels();
    std::string body = "[";
    for (const label& l : labels_) {
        const auto count = counts.find(l.id);
        fmt::format_to(std::back_inserter(body),
                       R"({{"_id":"{0}","cached_count":{1},"concurrency_locks":{{}},)"
                       R"("created_at":"{2}","modality":"contacts","name":)",
                       l.id, count != counts.end() ? count->second : 0, core::to_rfc3339(l.created_at));
        append_json(body, l.name);
        fmt::format_to(std::back_inserter(body),
                       R"(,"team_id":"6095a710bd01d100a506d4ac","updated_at":"{1}","user_id":"{2}","id":"{0}",)"
                       R"("key":"{0}"}},)",
                       l.id, core::to_rfc3339(l.created_at), user_id(0));
    }
    body.back() = ']';
    return {200, body};
}

answer contact_service::stages() const {
    std::string body = R"({"contact_stages":[)";
    for (std::size_t i = 0; i < stages_.size(); ++i) {
        fmt::format_to(std::back_inserter(body),
                       R"({{"id":"{0}","team_id":"6095a710bd01d100a506d4ac",)"
                       R"("display_name":"{1}","name":"{1}","display_order":{2},)"
                       R"("ignore_trigger_override":null,"category":"{3}",)"
                       R"("is_meeting_set":null}},)",
                       stages_[i].id, stages_[i].name, i, stages_[i].category);
    }
    body.pop_back();
    return {200, body + "]}"};
}

}  // namespace taskbarge::sandbox
