// prune: what is old goes, what de-duplication needs stays.
#include <functional>
#include <utility>

#include "cli/commands.hpp"
#include "cli/output_prune.hpp"

namespace taskbarge::cli {

namespace {

core::result<void> take_size(ledger::prune_book& ledger, std::uint64_t& bytes) {
    const auto size = ledger.size();
    if (!size) return size.error();
    bytes = size->bytes;
    return {};
}

// Prunes the job; one that a process has taken meanwhile is kept.
core::result<void> prune_one(ledger::prune_book& ledger, const program& p, ledger::prune_candidate job,
                             const std::function<bool()>& go_on, prune_report& out) {
    if (job.why_not == ledger::prune_bar::none && !out.dry_run) {
        auto done = ledger.prune_job(job.job, out.forget_keys, p.clock.now(), go_on);
        if (!done && done.error().code != core::errc::job_held) return done;
        if (!done) job.why_not = ledger::prune_bar::held;
    }
    (job.why_not == ledger::prune_bar::none ? out.pruned : out.kept).push_back(job);
    return {};
}

core::result<void> prune_all(const options& o, const program& p, ledger::ledger& ledger, prune_report& out) {
    const auto go_on = [&p] { return p.stop.level() == job::stop_level::none; };
    if (auto r = take_size(ledger, out.bytes_before); !r) return r;
    out.bytes_after = out.bytes_before;
    if (o.prune.contacts) {
        if (!out.dry_run)
            if (auto r = ledger.contacts().forget_all(); !r) return r;
        out.contacts_forgotten = true;
    }
    if (!o.prune.jobs) {
        if (out.dry_run) return {};
        if (auto r = ledger.shrink(go_on); !r) return r;
        return take_size(ledger, out.bytes_after);
    }
    auto jobs = ledger.prune_candidates({out.finished_before, o.prune.forget_keys, o.prune.with_unknown});
    if (!jobs) return jobs.error();
    for (const auto& job : *jobs) {
        if (auto r = prune_one(ledger, p, job, go_on, out); !r) return r;
    }
    if (out.dry_run) return {};
    if (auto r = ledger.shrink(go_on); !r) return r;
    return take_size(ledger, out.bytes_after);
}

}  // namespace

exit_code prune_command(const options& o, const program& p) {
    const auto s = begin(o, p);
    prune_report report;
    report.dry_run = o.dry_run;
    report.jobs = o.prune.jobs;
    report.forget_keys = o.prune.forget_keys;
    report.finished_before = p.clock.now() - o.prune.older_than;
    if (!s) {
        report.why = s.error();
    } else if (auto ledger = existing_ledger(s->settings); !ledger) {
        report.why = ledger.error();
    } else if (*ledger) {
        if (const auto done = prune_all(o, p, **ledger, report); !done) report.why = done.error();
    }
    const auto code = report.why ? exit_code_of(report.why->code) : exit_code::done;
    if (report.why) complain(report.why->text);
    if (o.json) return deliver(prune_json(report, s ? s->settings.ledger.path : "", code), code);
    return o.quiet ? code : deliver(prune_text(report), code);
}

}  // namespace taskbarge::cli
