#include "taskbarge/report/brief.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "taskbarge/core/printable.hpp"

namespace taskbarge::report {

namespace {

constexpr std::size_t longest_line = 1000;

std::string days_and_hours(std::chrono::milliseconds d) {
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(d).count();
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(d).count();
    if (hours >= 48) return fmt::format("{} days", hours / 24);
    return hours >= 2 ? fmt::format("{} hours", hours) : fmt::format("{} minutes", minutes);
}

std::string first_line(const job::report& r, std::optional<std::chrono::milliseconds> stale) {
    const auto name = r.job ? fmt::format("job {}", *r.job) : std::string("taskbarge");
    if (stale)
        return fmt::format("{} has been unfinished for {}{}", name, days_and_hours(*stale),
                           r.why ? ": " + r.why->text : "");
    if (!r.why) return name + (exit_code_of(r) == exit_code::done ? " is finished" : " is finished, with exceptions");
    auto line = r.why->text;
    if (r.job && line.rfind("job ", 0) != 0) line = fmt::format("{}: {}", name, line);
    if (exit_code_of(r) == exit_code::bug) line += " (this is a bug)";
    return line;
}

// "1558 failed, 42 rejected, 500 created of 2100 rows"; what went wrong comes first.
std::string second_line(const core::row_counts& rows) {
    const std::array<std::pair<std::uint64_t, const char*>, 6> counts{{{rows.failed, "failed"},
                                                                       {rows.unknown, "unknown"},
                                                                       {rows.rejected, "rejected"},
                                                                       {rows.pending, "pending"},
                                                                       {rows.created, "created"},
                                                                       {rows.duplicate, "duplicate"}}};
    std::string out;
    for (const auto& [count, word] : counts)
        if (count != 0) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, word);
    return fmt::format("{} of {} rows", out, rows.rows);
}

std::string third_line(const job::report& r, std::string_view options) {
    if (r.why) return fmt::format("taskbarge status {}{}", *r.job, options);
    std::string states;
    const auto add = [&](std::uint64_t count, const char* word) {
        if (count != 0) states += (states.empty() ? "" : ",") + std::string(word);
    };
    add(r.rows.failed, "failed");
    add(r.rows.unknown, "unknown");
    add(r.rows.rejected, "rejected");
    if (states.empty()) return "";
    return fmt::format("taskbarge results {} --only {}{}", *r.job, states, options);
}

}  // namespace

std::optional<std::chrono::milliseconds> stale_for(const job::report& r, std::chrono::milliseconds stale_after,
                                                   core::instant now) {
    if (!r.job || !r.created_at || r.state == job::report_state::completed || stale_after.count() == 0)
        return std::nullopt;
    // One that was finished before has been unfinished again since then.
    const auto since = std::max(*r.created_at, r.finished_at.value_or(*r.created_at));
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - since);
    return age > stale_after ? std::optional(age) : std::nullopt;
}

bool is_no_news(const job::report& r, bool stale) {
    const auto code = exit_code_of(r);
    if (code == exit_code::done) return true;
    if (code != exit_code::parked || stale) return false;
    // A disk that is full, or a file that cannot be written, does not mend itself.
    const auto why = r.why ? r.why->code : core::errc::waiting;
    return why == core::errc::waiting || why == core::errc::job_held || why == core::errc::paused;
}

std::string brief_text(const job::report& r, std::optional<std::chrono::milliseconds> stale, std::string_view options) {
    auto out = core::printable(first_line(r, stale), longest_line) + "\n";
    if (!r.job) return out;
    if (r.rows.rows != 0) out += second_line(r.rows) + "\n";
    if (const auto command = third_line(r, options); !command.empty()) out += command + "\n";
    return out;
}

}  // namespace taskbarge::report
