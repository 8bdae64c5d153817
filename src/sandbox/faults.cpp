#include "sandbox/faults.hpp"

#include <algorithm>

#include "sandbox/seeded.hpp"

namespace taskbarge::sandbox {

std::string_view to_string(route r) {
    switch (r) {
        case route::bulk_create:
            return "bulk_create";
        case route::search:
            return "search";
        case route::users:
            return "users";
        case route::usage_stats:
            return "usage_stats";
        case route::contacts_search:
            return "contacts_search";
        case route::contact:
            return "contact";
        case route::contacts_create:
            return "contacts_create";
        case route::labels:
            return "labels";
        case route::stages:
            return "stages";
    }
    return "";
}

std::string route_names() {
    std::string names;
    for (const route r : all_routes)
        names.append(names.empty() ? "" : ", ").append(to_string(r));
    return names;
}

namespace {

bool is_connection_fault(const fault& f) {
    return f.stage == fault_stage::accept || f.stage == fault_stage::handshake;
}

}  // namespace

fault_plan::fault_plan(std::vector<fault> faults, std::uint64_t seed) : seed_(seed) {
    for (fault& f : faults) {
        has_bad_contacts_ = has_bad_contacts_ || f.kind == fault_kind::bad_contact;
        entries_.push_back({std::make_shared<const fault>(std::move(f))});
    }
}

bool fault_plan::strikes_at(std::size_t i, std::uint64_t place) const {
    const fault_places& places = entries_[i].what->places;
    if (places.percent) return share(mix(mix(seed_, i + 1), place)) * 100 < *places.percent;
    if (places.ranges.empty()) return true;
    return std::ranges::any_of(places.ranges,
                               [&](const auto& range) { return place >= range.first && place <= range.second; });
}

std::shared_ptr<const fault> fault_plan::strike(route r, std::uint64_t place) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const fault& f = *entries_[i].what;
        if (f.kind >= fault_kind::lag || f.route != r || is_connection_fault(f) || !strikes_at(i, place)) continue;
        ++entries_[i].strikes;
        return entries_[i].what;
    }
    return nullptr;
}

std::shared_ptr<const fault> fault_plan::strike_connection(std::uint64_t place) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const fault& f = *entries_[i].what;
        if (!is_connection_fault(f) || !strikes_at(i, place)) continue;
        ++entries_[i].strikes;
        return entries_[i].what;
    }
    return nullptr;
}

fault_plan::entry* fault_plan::find_striking(fault_kind kind, route r, std::uint64_t place) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const fault& f = *entries_[i].what;
        if (f.kind == kind && f.route == r && strikes_at(i, place)) return &entries_[i];
    }
    return nullptr;
}

std::vector<std::shared_ptr<const fault>> fault_plan::others(route r, std::uint64_t place) {
    std::vector<std::shared_ptr<const fault>> all;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const fault& f = *entries_[i].what;
        if (f.kind < fault_kind::gone || f.route != r || !strikes_at(i, place)) continue;
        ++entries_[i].strikes;
        all.push_back(entries_[i].what);
    }
    return all;
}

std::chrono::milliseconds fault_plan::lag(route r, std::uint64_t place) {
    entry* e = find_striking(fault_kind::lag, r, place);
    if (e == nullptr) return std::chrono::milliseconds(0);
    ++e->strikes;
    return e->what->time;
}

std::uint64_t fault_plan::spend(route r, std::uint64_t place) {
    entry* e = find_striking(fault_kind::spend, r, place);
    if (e == nullptr) return 0;
    ++e->strikes;
    return static_cast<std::uint64_t>(e->what->number);
}

const fault* fault_plan::first_of(fault_kind kind) const {
    const auto it = std::ranges::find_if(entries_, [&](const entry& e) { return e.what->kind == kind; });
    return it == entries_.end() ? nullptr : it->what.get();
}

std::optional<std::uint64_t> fault_plan::visible() const {
    const fault* f = first_of(fault_kind::visible);
    return f != nullptr ? std::optional(static_cast<std::uint64_t>(f->number)) : std::nullopt;
}

std::optional<std::uint64_t> fault_plan::close_after() const {
    const fault* f = first_of(fault_kind::close_after);
    return f != nullptr ? std::optional(static_cast<std::uint64_t>(f->number)) : std::nullopt;
}

std::chrono::milliseconds fault_plan::skew(server_clock of) const {
    for (const entry& e : entries_) {
        const fault& f = *e.what;
        if (f.kind == fault_kind::skew && (f.clock == server_clock::both || f.clock == of)) return f.time;
    }
    return std::chrono::milliseconds(0);
}

bool fault_plan::leaves_out_date(route r, std::uint64_t place) {
    entry* e = find_striking(fault_kind::no_date, r, place);
    if (e != nullptr) ++e->strikes;
    return e != nullptr;
}

const fault* fault_plan::cap() const {
    return first_of(fault_kind::cap);
}

const fault* fault_plan::bad_contact(std::string_view canonical_id) const {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const fault& f = *entries_[i].what;
        if (f.kind != fault_kind::bad_contact) continue;
        const bool bad = f.places.percent ? strikes_at(i, hash_text(canonical_id))
                                          : std::ranges::find(f.ids, canonical_id) != f.ids.end();
        if (bad) return &f;
    }
    return nullptr;
}

const fault* fault_plan::bad_user(std::string_view id) const {
    for (const entry& e : entries_) {
        if (e.what->kind == fault_kind::bad_user && std::ranges::find(e.what->ids, id) != e.what->ids.end()) {
            return e.what.get();
        }
    }
    return nullptr;
}

void fault_plan::note_strike(const fault& f) {
    for (entry& e : entries_) {
        if (e.what.get() == &f) ++e.strikes;
    }
}

std::vector<std::pair<std::string, std::uint64_t>> fault_plan::strikes() const {
    std::vector<std::pair<std::string, std::uint64_t>> all;
    for (const entry& e : entries_)
        all.emplace_back(e.what->spelled, e.strikes);
    return all;
}

}  // namespace taskbarge::sandbox
