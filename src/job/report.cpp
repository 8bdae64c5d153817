#include "taskbarge/job/report.hpp"

#include "taskbarge/core/instant.hpp"
#include "taskbarge/job/plan_report.hpp"

namespace taskbarge::job {

std::string text_of(const contact_tally& t) {
    std::string by;
    for (const auto kind : core::all_key_kinds)
        if (const auto n = t.found_by[static_cast<std::size_t>(kind)]; n > 0)
            by += (by.empty() ? "" : ", ") + std::to_string(n) + " by " + std::string(core::to_string(kind));
    auto out = std::to_string(t.found) + (t.found == 1 ? " row found" : " rows found");
    if (!by.empty()) out += " (" + by + ")";
    const auto add = [&](std::uint64_t n, const char* what) {
        if (n > 0) out += ", " + std::to_string(n) + what;
    };
    add(t.none, " not in Apollo");
    add(t.ambiguous, " ambiguous");
    add(t.disagree, " with keys of different contacts");
    add(t.not_created, " that Apollo did not create");
    add(t.unknown, " not known yet");
    add(t.to_create, " to be created in Apollo");
    return out;
}

std::string text_of(const plan_report::repeat& r) {
    return std::to_string(r.contacts) + " of " + std::to_string(r.of) + " contacts have such a task from job " +
           std::to_string(r.job) + " already, due " + core::to_rfc3339_seconds(r.due_at).substr(0, 10) +
           "; to leave such contacts out, set import.dedupe_by without due_at";
}

std::string place_of(const core::rejected_row& row, const std::vector<reader::file_report>& files) {
    auto place = row.at.file < files.size() ? files[row.at.file].name + ":" : std::string("line ");
    place += std::to_string(row.at.line);
    return row.column.empty() ? place : place + ", column " + row.column;
}

}  // namespace taskbarge::job
