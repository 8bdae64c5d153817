#include "cli/output_jobs.hpp"

#include <fmt/format.h>

#include "cli/output_plan.hpp"
#include "cli/output_summary.hpp"
#include "cli/text.hpp"

namespace taskbarge::cli {

namespace {

std::string state_text(const ledger::job_record& job) {
    if (job.held) return "running";
    return job.pruned_at ? "pruned" : std::string(core::to_string(job.state));
}

std::string files_text(const ledger::job_record& job) {
    std::string out;
    for (const auto& file : job.files) {
        out += (out.empty() ? "" : ", ") + printable(file);
    }
    return out;
}

std::string_view result_text(ledger::attempt_result what) {
    switch (what) {
        case ledger::attempt_result::open:
            return "open";
        case ledger::attempt_result::succeeded:
            return "succeeded";
        case ledger::attempt_result::refused:
            return "refused";
        case ledger::attempt_result::throttled:
            return "throttled";
        case ledger::attempt_result::not_sent:
            return "not sent";
        case ledger::attempt_result::doubtful:
            return "doubtful";
    }
    return "";
}

bool begins_evidence(std::string_view text) {
    return text.starts_with("answer: ") || text.starts_with("repeated ") || text.starts_with("foreign ");
}

// What was kept of a request that did not succeed, or whose answer was odd: a line each, indented.
std::string evidence_lines(std::string_view evidence) {
    constexpr std::size_t longest = 2400;
    std::string out;
    for (std::size_t from = 0; from < evidence.size();) {
        // An answer may hold line breaks of its own: only those before our words begin a line.
        auto end = evidence.find('\n', from);
        while (end != std::string_view::npos && !begins_evidence(evidence.substr(end + 1)))
            end = evidence.find('\n', end + 1);
        if (end == std::string_view::npos) end = evidence.size();
        out += "          " + printable(evidence.substr(from, end - from), longest) + "\n";
        from = end + 1;
    }
    return out;
}

std::string attempt_line(const ledger::attempt_record& a) {
    auto out = fmt::format("  {:>6}  chunk {:<6}  {}  {:<9}", a.id, a.chunk, core::to_rfc3339(a.started_at),
                           result_text(a.report.what));
    if (a.report.what == ledger::attempt_result::open) return out + "\n";
    out += fmt::format("  {:>3}  {:>8}", a.report.status == 0 ? "-" : std::to_string(a.report.status),
                       spoken(a.report.finished_at - a.started_at));
    if (!a.report.request_id.empty()) out += "  " + printable(a.report.request_id, 80);
    if (!a.report.code.empty()) out += "  " + printable(a.report.code, 40);
    if (!a.report.message.empty()) out += ": " + printable(a.report.message, 200);
    return out + "\n" + evidence_lines(a.report.evidence);
}

std::string head(const ledger::job_record& job, core::instant now) {
    auto out = fmt::format("Job {}: {}\n", job.id, state_text(job));
    out += fmt::format("  files     {}\n", files_text(job));
    out += fmt::format("  to        {} (team {})\n", printable(job.identity.base_url), printable(job.identity.team));
    out += fmt::format("  made      {}\n", core::to_rfc3339_seconds(job.created_at));
    if (job.finished_at) out += fmt::format("  finished  {}\n", core::to_rfc3339_seconds(*job.finished_at));
    if (job.pruned_at)
        out += fmt::format("  pruned    {}: its rows and requests are gone; its sums{} are left\n",
                           core::to_rfc3339_seconds(*job.pruned_at),
                           job.keys_forgotten ? "" : " and its de-duplication keys");
    if (!job.stop_message.empty() && !job.held && job.state != core::job_state::completed)
        out += fmt::format("  stopped   {}\n", printable(job.stop_message));
    if (job.resume_at && *job.resume_at > now && !job.held)
        out += fmt::format("  waits     until {} (in {})\n", clock_time(*job.resume_at, now),
                           spoken(*job.resume_at - now));
    return out;
}

}  // namespace

std::string jobs_table(const std::vector<job_line>& jobs) {
    if (jobs.empty()) return "There are no jobs yet.\n";
    auto out = fmt::format("{:>5}  {:<9}  {:>11}  {:>11}  {:>9}  {:>11}  {:<20}  {}\n", "JOB", "STATE", "ROWS",
                           "CREATED", "PROBLEMS", "PENDING", "MADE", "FILES");
    for (const auto& [job, totals] : jobs) {
        const auto& rows = totals.rows;
        const auto problems =
            rows.rejected + rows.failed + rows.unknown + rows.duplicate_failed + rows.duplicate_unknown;
        out += fmt::format("{:>5}  {:<9}  {:>11}  {:>11}  {:>9}  {:>11}  {:<20}  {}\n", job.id, state_text(job),
                           grouped(rows.rows), grouped(rows.created), grouped(problems),
                           grouped(rows.pending + rows.duplicate_pending), core::to_rfc3339_seconds(job.created_at),
                           files_text(job));
    }
    return out;
}

std::string status_text(const job_status& s, core::instant now) {
    auto out = head(s.job.record, now);
    out += "  " + sum_line(s.job.totals.rows) + "\n";
    if (const auto open = open_duplicates_line(s.job.totals.rows); !open.empty()) out += "  " + open + "\n";
    out += "  " + requests_line(s.job.totals.requests) + "\n";
    if (!s.reasons.empty()) out += "Not created, commonest reasons first:\n" + reasons_text(s.reasons);
    for (const auto& [route, book] : s.books) {
        out += fmt::format("Rate windows of {}:\n{}", route, windows_text(book, now, "  "));
    }
    if (s.expected_end && *s.expected_end > now)
        out +=
            fmt::format("Expected end: {} (in {})\n", clock_time(*s.expected_end, now), spoken(*s.expected_end - now));
    if (!s.attempts.empty()) out += "Requests:\n";
    for (const auto& attempt : s.attempts) {
        out += attempt_line(attempt);
    }
    return out;
}

}  // namespace taskbarge::cli
