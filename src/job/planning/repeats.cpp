#include "job/planning/repeats.hpp"

#include <algorithm>

namespace taskbarge::job {

using core::result;

result<void> repeat_finder::add(const core::planned_chunk& chunk, const core::task_view& details) {
    if (!wants_more()) return {};
    const auto same = core::only(details, settings_.import.dedupe_by.without(core::task_field::due_at));
    details_but_due key{same.user_id, same.type, same.priority, same.status, same.note};
    auto group = groups_.find(key);
    if (group == groups_.end()) {
        if (groups_.size() == most_groups) return {};
        const auto& apollo = settings_.apollo;
        auto like = book_.newest_like(apollo.base_url, apollo.team, details, settings_.import.dedupe_by, own_);
        if (!like) return like.error();
        group = groups_.emplace(std::move(key), std::move(*like)).first;
    }
    ++chunks_;
    contacts_ += chunk.contacts.size();
    if (!group->second) return {};
    const auto& like = *group->second;
    std::uint64_t known = 0;
    for (const auto contact : chunk.contacts.contact_ids)
        known += like.contacts->contains(contact) ? 1 : 0;
    auto& job = jobs_.try_emplace(like.job, plan_report::repeat{like.job, 0, 0, like.due_at}).first->second;
    job.contacts += known;
    return {};
}

std::optional<plan_report::repeat> repeat_finder::found() const {
    const auto most = std::max_element(
        jobs_.begin(), jobs_.end(), [](const auto& a, const auto& b) { return a.second.contacts < b.second.contacts; });
    if (most == jobs_.end() || most->second.contacts == 0) return std::nullopt;
    auto out = most->second;
    out.of = contacts_;
    return out;
}

result<std::optional<plan_report::repeat>> find_repeats(ledger::ledger& book, const environment& env,
                                                        core::job_id job) {
    constexpr std::size_t at_once = 64;
    repeat_finder finder(book, env.settings, job);
    if (!env.settings.import.dedupe_by.has(core::task_field::due_at)) return std::optional<plan_report::repeat>();
    for (core::chunk_id after = 0; finder.wants_more() && env.stop.level() == stop_level::none;) {
        auto some = book.chunks(job, core::chunk_state::planned, after, at_once);
        if (!some) return some.error();
        if (some->empty()) break;
        for (auto& chunk : *some) {
            after = chunk.id;
            if (auto r = finder.add({chunk.group, 0, std::move(chunk.contacts)}, chunk.details.view()); !r)
                return r.error();
        }
    }
    return finder.found();
}

}  // namespace taskbarge::job
