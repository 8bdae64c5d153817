#include "cli/output_prune.hpp"

#include <fmt/format.h>

#include "cli/text.hpp"
#include "taskbarge/core/json_text.hpp"

namespace taskbarge::cli {

namespace {

using core::json_object;

std::string_view word_of(ledger::prune_bar bar) {
    switch (bar) {
        case ledger::prune_bar::held:
            return "held";
        case ledger::prune_bar::unknown_rows:
            return "unknown_rows";
        case ledger::prune_bar::look_up:
            return "look_up";
        case ledger::prune_bar::asked_for:
            return "asked_for";
        case ledger::prune_bar::none:
            break;
    }
    return "";
}

std::string sentence_of(const ledger::prune_candidate& c) {
    switch (c.why_not) {
        case ledger::prune_bar::held:
            return "a process works on it";
        case ledger::prune_bar::unknown_rows:
            return fmt::format("{} unknown; settle them (taskbarge verify {}), or give --with-unknown",
                               counted(c.totals.rows.unknown, "row is", "rows are"), c.job);
        case ledger::prune_bar::look_up:
            return "unfinished look-ups of another job need its tasks";
        case ledger::prune_bar::asked_for:
            return fmt::format(
                "rows of it without a task are the originals of another job's duplicates; settle them "
                "(taskbarge retry {}, or resume the job that has the duplicates)",
                c.job);
        case ledger::prune_bar::none:
            break;
    }
    return "";
}

std::uint64_t rows_of(const std::vector<ledger::prune_candidate>& jobs) {
    std::uint64_t rows = 0;
    for (const auto& job : jobs)
        rows += job.totals.rows.rows;
    return rows;
}

std::string json_jobs(const std::vector<ledger::prune_candidate>& jobs) {
    return core::json_list(jobs, [](std::string& list, const ledger::prune_candidate& job) {
        json_object o(list);
        o.number("job", static_cast<std::uint64_t>(job.job));
        o.text("finished_at", core::to_rfc3339(job.finished_at));
        o.number("rows", job.totals.rows.rows);
        o.truth("pruned_before", job.pruned_before);
        o.text_or_null("why", word_of(job.why_not));
        o.close();
    });
}

}  // namespace

std::string prune_text(const prune_report& r) {
    const auto before = core::to_rfc3339_seconds(r.finished_before);
    std::string out;
    if (r.contacts_forgotten)
        out =
            fmt::format("What was known of Apollo's contacts {}.\n", r.dry_run ? "would be forgotten" : "is forgotten");
    if (!r.jobs) {
    } else if (r.pruned.empty()) {
        out += fmt::format("No job that finished before {} {} to be pruned.\n", before, r.dry_run ? "is" : "was");
    } else {
        out += fmt::format("{} {} with {} that finished before {}:\n", r.dry_run ? "Would prune" : "Pruned",
                           counted(r.pruned.size(), "job", "jobs"), counted(rows_of(r.pruned), "row", "rows"), before);
        for (const auto& job : r.pruned)
            out += fmt::format("  job {}, finished {}, {}{}\n", job.job, core::to_rfc3339_seconds(job.finished_at),
                               counted(job.totals.rows.rows, "row", "rows"),
                               job.pruned_before ? "; pruned before, what was left of it" : "");
        out += fmt::format("Rows, texts and requests {}; sums{} stay.\n", r.dry_run ? "would go" : "are gone",
                           r.forget_keys ? "" : ", identities and de-duplication keys");
    }
    for (const auto& job : r.kept)
        out += fmt::format("Job {} stays: {}.\n", job.job, sentence_of(job));
    if (!r.dry_run && r.bytes_after != r.bytes_before)
        out += fmt::format("The ledger has {} instead of {}.\n", spoken_bytes(r.bytes_after),
                           spoken_bytes(r.bytes_before));
    return out;
}

std::string prune_json(const prune_report& r, const std::string& ledger_path, exit_code code) {
    std::string out;
    json_object o(out);
    o.truth("dry_run", r.dry_run);
    o.text("finished_before", core::to_rfc3339(r.finished_before));
    o.truth("forget_keys", r.forget_keys);
    o.truth("contacts_forgotten", r.contacts_forgotten);
    o.raw("pruned", json_jobs(r.pruned));
    o.raw("kept", json_jobs(r.kept));
    o.number("rows", rows_of(r.pruned));
    o.number("bytes_before", r.bytes_before);
    o.number("bytes_after", r.bytes_after);
    o.text_or_null("ledger", ledger_path);
    o.number("exit_code", static_cast<std::uint64_t>(code));
    o.text_or_null("error_code", r.why ? core::to_string(r.why->code) : "");
    o.text_or_null("error", r.why ? r.why->text : "");
    o.close();
    return out + '\n';
}

}  // namespace taskbarge::cli
