#include "cli/output_jobs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output_plan.hpp"
#include "cli/text.hpp"

namespace taskbarge::cli {

namespace {

std::string state_text(const ledger::job_record& job) {
    if (job.held) return "running";
    return job.pruned_at ? "pruned" : std::string(core::to_string(job.state));
}

std::string shown_state(const ledger::job_record& job, const style& look) {
    const bool failed = job.state == core::job_state::failed && !job.held;
    return failed ? look.bad(state_text(job)) : state_text(job);
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

// A column of the table of jobs. Those of low worth are left out first where room is short.
struct column {
    std::string title;
    int worth = 0;
    bool right = true;
    std::vector<std::string> cells{};
    std::vector<bool> bad{};

    void add(std::string cell, bool is_bad = false) {
        cells.push_back(std::move(cell));
        bad.push_back(is_bad);
    }
    std::size_t width() const {
        auto widest = title.size();
        for (const auto& cell : cells)
            widest = std::max(widest, cell.size());
        return widest;
    }
};

constexpr int always = 9;
constexpr std::string_view gap = "  ";

std::vector<column> columns_of_jobs(const std::vector<job_line>& jobs, core::instant now, const style& look) {
    std::vector<column> out{{"JOB", always},    {"STATE", always, false}, {"ROWS", always}, {"CREATED", always},
                            {"DUPLICATE", 3},   {"PROBLEMS", 6},          {"PENDING", 5},   {"GOES ON", 4, false},
                            {"MADE", 2, false}, {look.zone, 1, false}};
    const auto is_waiting = [now](const ledger::job_record& job) {
        return job.resume_at && *job.resume_at > now && !job.held && job.state != core::job_state::completed;
    };
    for (const auto& [job, totals] : jobs) {
        const auto& rows = totals.rows;
        const auto problems =
            rows.rejected + rows.failed + rows.unknown + rows.duplicate_failed + rows.duplicate_unknown;
        out[0].add(std::to_string(job.id));
        out[1].add(state_text(job), job.state == core::job_state::failed && !job.held);
        out[2].add(grouped(rows.rows));
        out[3].add(grouped(rows.created));
        out[4].add(grouped(rows.duplicate));
        out[5].add(grouped(problems), problems != 0);
        out[6].add(grouped(rows.pending + rows.duplicate_pending));
        out[7].add(is_waiting(job) ? clock_time(*job.resume_at, now) : "");
        out[8].add(core::to_rfc3339_seconds(job.created_at));
        out[9].add(look.local_stamp(job.created_at));
    }
    // What no job has takes no room.
    std::erase_if(out, [](const column& one) {
        return one.worth != always &&
               std::all_of(one.cells.begin(), one.cells.end(), [](const auto& cell) { return cell.empty(); });
    });
    return out;
}

std::size_t width_of(const std::vector<column>& columns) {
    std::size_t sum = 0;
    for (const auto& one : columns)
        sum += one.width() + gap.size();
    return sum;
}

// Leaves out what does not fit beside the names of files.
void narrow(std::vector<column>& columns, std::size_t room) {
    while (width_of(columns) > room) {
        const auto least = std::min_element(columns.begin(), columns.end(),
                                            [](const column& a, const column& b) { return a.worth < b.worth; });
        if (least->worth == always) return;
        columns.erase(least);
    }
}

std::string padded(const std::string& text, const column& in) {
    return in.right ? fmt::format("{:>{}}", text, in.width()) : fmt::format("{:<{}}", text, in.width());
}

std::string head(const ledger::job_record& job, core::instant now, const style& look) {
    auto out = fmt::format("Job {}: {}\n", job.id, shown_state(job, look));
    out += fmt::format("  files     {}\n", files_text(job));
    out += fmt::format("  to        {} (team {})\n", printable(job.identity.base_url), printable(job.identity.team));
    out += fmt::format("  made      {}\n", look.stamp(job.created_at));
    if (job.finished_at) out += fmt::format("  finished  {}\n", look.stamp(*job.finished_at));
    if (job.pruned_at)
        out += fmt::format("  pruned    {}: its rows and requests are gone; its sums{} are left\n",
                           look.stamp(*job.pruned_at), job.keys_forgotten ? "" : " and its de-duplication keys");
    if (!job.stop_message.empty() && !job.held && job.state != core::job_state::completed)
        out += fmt::format("  stopped   {}\n", printable(job.stop_message));
    if (job.resume_at && *job.resume_at > now && !job.held)
        out +=
            fmt::format("  waits     until {} (in {})\n", look.time(*job.resume_at, now), spoken(*job.resume_at - now));
    return out;
}

}  // namespace

bool is_wanted(const ledger::job_record& job, const std::vector<job_word>& states) {
    const auto is = [&job](job_word word) {
        const auto rests_in = [&job](core::job_state state) { return job.state == state && !job.held; };
        switch (word) {
            case job_word::planning:
                return rests_in(core::job_state::planning);
            case job_word::running:
                return job.held;
            case job_word::parked:
                return rests_in(core::job_state::parked);
            case job_word::completed:
                return rests_in(core::job_state::completed);
            case job_word::failed:
                return rests_in(core::job_state::failed);
            case job_word::pruned:
                return job.pruned_at.has_value();
            case job_word::unfinished:
                return job.state != core::job_state::completed;
        }
        return false;
    };
    return states.empty() || std::any_of(states.begin(), states.end(), is);
}

std::string jobs_table(const std::vector<job_line>& jobs, core::instant now, const style& look) {
    if (jobs.empty()) return "There are no jobs yet.\n";
    constexpr std::size_t room_for_files = 12;
    auto columns = columns_of_jobs(jobs, now, look);
    if (look.columns != 0) narrow(columns, std::max(look.columns, room_for_files) - room_for_files);
    const auto used = width_of(columns);
    style files = look;
    if (look.columns != 0) files.columns = std::max(look.columns, used + 4) - used;
    std::string out;
    for (const auto& one : columns)
        out += padded(one.title, one) + std::string(gap);
    out += "FILES\n";
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        for (const auto& one : columns) {
            const auto cell = padded(one.cells[i], one);
            out += (one.bad[i] ? look.bad(cell) : cell) + std::string(gap);
        }
        out += files.fitted(files_text(jobs[i].record)) + '\n';
    }
    return out;
}

std::string change_line(const job_status& s) {
    return fmt::format("job {}: {}, {}\n", s.job.record.id, state_text(s.job.record), sum_line(s.job.totals.rows));
}

std::string status_text(const job_status& s, core::instant now, const style& look) {
    auto out = head(s.job.record, now, look);
    out += "  " + sum_line(s.job.totals.rows, look) + "\n";
    if (const auto open = open_duplicates_line(s.job.totals.rows); !open.empty()) out += "  " + open + "\n";
    out += "  " + requests_line(s.job.totals.requests) + "\n";
    if (!s.reasons.empty())
        out += "Not created, commonest reasons first:\n" + reasons_text(s.reasons, most_reasons_in_status, look);
    for (const auto& [route, book] : s.books) {
        out += fmt::format("Rate windows of {}:\n{}", route, windows_text(book, now, "  ", look));
    }
    if (s.expected_end && *s.expected_end > now)
        out +=
            fmt::format("Expected end: {} (in {})\n", look.time(*s.expected_end, now), spoken(*s.expected_end - now));
    if (!s.attempts.empty()) out += "Requests:\n";
    for (const auto& attempt : s.attempts) {
        out += attempt_line(attempt);
    }
    return out + steps_text(s.steps);
}

}  // namespace taskbarge::cli
