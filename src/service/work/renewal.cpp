#include "service/work/renewal.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "taskbarge/job/retry_policy.hpp"

namespace taskbarge::service {

using core::errc;
using core::result;
using namespace std::chrono_literals;

namespace {

constexpr job::backoff_terms renewal_pauses{2s, 5min};

}  // namespace

bool renewal::note(const std::vector<ledger::reopened_job>& reopened) {
    const std::lock_guard lock(mutex_);
    // What was pruned since is not listed any more.
    std::erase_if(renewed_, [&](const auto& one) {
        return std::none_of(reopened.begin(), reopened.end(), [&](const auto& job) { return job.id == one.first; });
    });
    for (const auto& job : reopened) {
        const auto known = renewed_.find(job.id);
        if (known == renewed_.end() || known->second != job.finished_at) old_.insert(job.id);
    }
    return !old_.empty();
}

std::optional<renewal::time> renewal::due() const {
    const std::lock_guard lock(mutex_);
    if (old_.empty()) return std::nullopt;
    return not_before_;
}

renewal::outcome renewal::work(const result<ledger::ledger*>& book, time now) {
    std::set<core::job_id> jobs;
    {
        const std::lock_guard lock(mutex_);
        jobs = std::exchange(old_, {});
    }
    outcome out;
    const auto done = book ? write_all(**book, jobs, out) : result<void>(book.error());
    const std::lock_guard lock(mutex_);
    if (done) {
        failures_ = 0;
        return out;
    }
    // Which jobs they are is found out anew.
    not_before_ = now + job::backoff_ceiling(renewal_pauses, ++failures_);
    out.why = done.error();
    return out;
}

result<void> renewal::write_all(ledger::ledger& book, const std::set<core::job_id>& jobs, outcome& out) {
    std::map<core::job_id, core::instant> ends;
    for (const auto id : jobs) {
        const auto job = book.job(id);
        if (!job) return job.error();
        if (job->finished_at) ends[id] = *job->finished_at;
    }
    const auto ids = store_.done_with(jobs);
    if (!ids) return ids.error();
    result<void> all;
    for (const auto& id : *ids) {
        core::job_id job = 0;
        const auto done = write_item(book, id, job);
        if (!done) all = done.error();  // the others go on
        if (done && *done) out.renewed.emplace_back(id, job);
    }
    if (!all) return all;
    const std::lock_guard lock(mutex_);
    for (const auto& [job, end] : ends)
        renewed_[job] = end;
    return {};
}

// False: there is nothing to be written.
result<bool> renewal::write_item(ledger::ledger& book, const std::string& id, core::job_id& job) {
    auto held = store_.hold(id);
    if (!held) return held.error();
    if (!*held) {
        const auto there = store_.find(id);
        if (!there) return there.error();
        if (!*there) return false;  // somebody tidied up
        return core::failure{errc::job_held, fmt::format("another process works on {}", id)};
    }
    const auto& item = (*held)->item();
    if (item.place != inbox::item_place::done || !item.job) return false;
    const auto record = book.job(*item.job);
    if (!record) return record.error();
    if (record->held) return core::failure{errc::job_held, fmt::format("job {} is being worked on", record->id)};
    // The ledger may have been replaced, and have another input's job of that number.
    if (record->created_at != item.job_made || record->state != core::job_state::completed || record->pruned_at ||
        result_files::told_end(item) == record->finished_at)
        return false;
    if (auto ok = files_.write(book, **held, record->identity, record->id, std::nullopt); !ok) return ok.error();
    job = record->id;
    return true;
}

}  // namespace taskbarge::service
