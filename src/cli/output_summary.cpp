#include "cli/output_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/text.hpp"

namespace taskbarge::cli {

namespace {

std::string headline(const job::report& r, exit_code code, core::instant now, const style& look) {
    if (!r.job) return "No job was made.";
    const auto name = fmt::format("Job {}", *r.job);
    switch (code) {
        case exit_code::done:
            return name + (r.already_finished ? " was finished before: nothing was sent." : " is finished.");
        case exit_code::done_partly:
            return name + (r.already_finished ? " was finished before, " : " is finished, ") +
                   look.bad("with exceptions") + (r.already_finished ? ": nothing was sent." : ".");
        case exit_code::parked:
        case exit_code::unreachable:
            if (r.resume_at && *r.resume_at > now)
                return fmt::format("{} is parked. It can go on at {} (in {}).", name, look.time(*r.resume_at, now),
                                   spoken(*r.resume_at - now));
            return name + " is parked.";
        default:
            return name + " " + look.bad("cannot go on") + ".";
    }
}

// Of a file for rejected rows, where the input's format is known.
std::string extension_of(const job::report& r) {
    if (r.files.empty()) return "";
    return r.files.front().format.rfind("jsonl", 0) == 0 ? ".jsonl" : ".csv";
}

}  // namespace

std::string sum_line(const core::row_counts& rows, const style& look) {
    const auto bad = [&look](std::string_view word, std::uint64_t count) {
        return look.bad_if(count, fmt::format("{} {}", word, grouped(count)));
    };
    auto line = fmt::format("rows {} = created {} + duplicate {} + {} + {} + {} + pending {}", grouped(rows.rows),
                            grouped(rows.created), grouped(rows.duplicate), bad("rejected", rows.rejected),
                            bad("failed", rows.failed), bad("unknown", rows.unknown), grouped(rows.pending));
    if (rows.accounted() != rows.rows)
        line += fmt::format("  -- these make {}: rows are missing, this is a bug", grouped(rows.accounted()));
    return line;
}

std::string open_duplicates_line(const core::row_counts& rows) {
    if (rows.open_duplicates() == 0) return {};
    std::string line = fmt::format("of the duplicates, {} no task yet: their originals, in other jobs, are",
                                   counted(rows.open_duplicates(), "row has", "rows have"));
    std::string_view between = " ";
    for (const auto& [count, word] :
         {std::pair(rows.duplicate_pending, "pending"), std::pair(rows.duplicate_unknown, "unknown"),
          std::pair(rows.duplicate_failed, "failed")}) {
        if (count == 0) continue;
        line += fmt::format("{}{} {}", between, grouped(count), word);
        between = ", ";
    }
    return line;
}

std::string requests_line(const core::request_counts& requests) {
    return fmt::format("requests {} (at least {}, for {}), {} repeated, {} rate-limited", grouped(requests.requests),
                       grouped(requests.minimum_requests), counted(requests.groups, "group", "groups"),
                       grouped(requests.retries), grouped(requests.rate_limited));
}

std::string reasons_text(const std::vector<ledger::reason_count>& reasons, std::size_t most, const style& look) {
    std::string out;
    std::vector<std::string_view> shown;
    for (std::size_t i = 0; i < std::min(most, reasons.size()); ++i) {
        const auto& reason = reasons[i];
        const bool repeated = std::find(shown.begin(), shown.end(), reason.example_message) != shown.end();
        if (!reason.example_message.empty()) shown.push_back(reason.example_message);
        const auto head = fmt::format("  {:>9}  {:<8}  {:<22}", grouped(reason.rows), core::to_string(reason.state),
                                      printable(reason.code, 40));
        out += look.explained(look.bad(head), head.size(),
                              fmt::format("e.g. row {}: {}", grouped(reason.example_row),
                                          repeated ? "as above" : printable(reason.example_message, 200)));
    }
    return reasons.size() > most ? out + "  and other reasons\n" : out;
}

std::string repeated_options(const options& o) {
    std::string out;
    if (o.config) out += " --config " + shell_word(*o.config);
    for (const auto& [setting, value] : o.named) {
        const char* flag = setting == "ledger.path"       ? " --ledger "
                           : setting == "apollo.base_url" ? " --base-url "
                           : setting == "apollo.ca_file"  ? " --ca-file "
                                                          : nullptr;
        if (flag) out += flag + shell_word(value);
    }
    for (const auto& set : o.sets) {
        out += " --set " + shell_word(set);
    }
    return out;
}

// A name that no file has: the input may be called so.
std::string free_name(const std::string& stem, const std::string& extension) {
    constexpr int most_tried = 1000;
    std::error_code ignored;
    for (int n = 2;; ++n) {
        auto name = n == 2 ? stem + extension : fmt::format("{}-{}{}", stem, n - 1, extension);
        if (n == most_tried || !std::filesystem::exists(name, ignored)) return name;
    }
}

std::string rejects_command(const options& o, const job::report& r) {
    std::string out = "taskbarge plan";
    for (const auto& file : o.files)
        out += " " + shell_word(file);
    if (o.first_rows != 0) out += fmt::format(" --first {}", o.first_rows);
    for (const auto& [setting, value] : o.named)
        if (setting == "import.format") out += " --format " + shell_word(value);
    const auto extension = extension_of(r);
    return out + " --rejects -o " + free_name("rejects", extension.empty() ? ".csv" : extension) + repeated_options(o);
}

std::vector<next_step> next_steps(const job::report& r, const std::string& options) {
    if (!r.job) return {};
    const auto id = *r.job;
    std::vector<next_step> steps;
    const auto add = [&](const std::string& command, const std::string& purpose) {
        steps.push_back({fmt::format("taskbarge {}{}", command, options), purpose});
    };
    if (r.state != job::report_state::completed)
        add(fmt::format("resume {}", id), "To go on (the same import again does so too)");
    if (r.rows.rejected != 0)
        add(fmt::format("results {} --rejects -o rejects-{}{}", id, id, extension_of(r)),
            "To get the rejected rows, to mend and import again");
    if (r.rows.failed + r.rows.unknown != 0)
        add(fmt::format("results {} --only failed,unknown", id), "To see which rows failed or are unknown, and why");
    if (r.rows.open_duplicates() != 0)
        add(fmt::format("results {} --only duplicate", id),
            "To see which duplicates have no task, and whose rows they are of");
    if (r.state == job::report_state::completed && r.rows.duplicate_pending + r.rows.duplicate_failed != 0)
        add(fmt::format("resume {}", id), "To send the duplicates of rows that failed or were cancelled");
    if (r.rows.unknown != 0) add(fmt::format("verify {}", id), "To look the unknown rows up again");
    if (r.state == job::report_state::completed && r.rows.failed != 0)
        add(fmt::format("retry {}", id), "To send the failed rows again");
    return steps;
}

std::string steps_text(const std::vector<next_step>& steps) {
    std::string out;
    for (const auto& step : steps)
        out += fmt::format("{}:\n    {}\n", step.purpose, step.command);
    return out;
}

std::string job_summary(const job::report& r, exit_code code, const std::vector<ledger::reason_count>& reasons,
                        const std::string& options, core::instant now, const style& look) {
    std::string out = headline(r, code, now, look) + "\n";
    if (!r.job) return out;
    out += "  " + sum_line(r.rows, look) + "\n";
    if (const auto open = open_duplicates_line(r.rows); !open.empty()) out += "  " + open + "\n";
    out += fmt::format("  {}; {} in this run, {}\n", requests_line(r.requests), grouped(r.requests_this_run),
                       spoken(r.elapsed));
    if (!reasons.empty())
        out += "Not created, commonest reasons first:\n" + reasons_text(reasons, most_reasons_in_summary, look);
    out += steps_text(next_steps(r, options));
    if (!r.unfinished_jobs.empty())
        out += fmt::format("Unfinished jobs: {}. `taskbarge resume{}` finishes them.\n",
                           fmt::join(r.unfinished_jobs, ", "), options);
    return out;
}

std::string stop_line(const job::report& r, const std::string& options) {
    auto line = printable(r.why ? r.why->text : "stopped", 1000);
    if (r.job && line.rfind("job ", 0) != 0) line = fmt::format("job {}: {}", *r.job, line);
    if (r.why && r.why->code == core::errc::internal) line += " (this is a bug)";
    if (r.job && r.state == job::report_state::parked)
        line += fmt::format("; to go on: taskbarge resume {}{}", *r.job, options);
    return line;
}

}  // namespace taskbarge::cli
