#include "job/contacts/contact_proposals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "job/contacts/contact_finder.hpp"

namespace taskbarge::job {

namespace {

constexpr std::size_t most_looked_at = 200;

struct refused_row {
    core::row_number row = 0;
    std::string contact_id;
    core::key_kind kind = core::key_kind::email;
    std::string key;
};

std::vector<refused_row> refused_rows(ledger::report_book& book, core::job_id job) {
    std::vector<refused_row> out;
    (void)book.each_result(job, [&](const ledger::row_result& r) {
        const auto colon = r.contact_key.find(':');
        if (r.state != core::row_state::failed || colon == std::string::npos ||
            !(r.code.starts_with("refused_") || r.code == "contact_refused"))
            return true;
        if (const auto kind = core::key_kind_named(std::string_view(r.contact_key).substr(0, colon)))
            out.push_back({r.row, r.contact_id, *kind, r.contact_key.substr(colon + 1)});
        return out.size() < most_looked_at;
    });
    return out;
}

}  // namespace

void propose_contacts(const environment& env, ledger::ledger& book, core::job_id job) {
    const auto reasons = book.reasons(job, most_looked_at);
    const auto is_refusal = [](const ledger::reason_count& r) {
        return r.state == core::row_state::failed && (r.code.starts_with("refused_") || r.code == "contact_refused");
    };
    if (!reasons || std::none_of(reasons->begin(), reasons->end(), is_refusal)) return;
    const auto rows = refused_rows(book, job);
    if (rows.empty()) return;
    std::set<std::string> ids;
    for (const auto& row : rows)
        ids.insert(row.contact_id);
    const auto end = recheck_contacts(env, book, {ids.begin(), ids.end()});
    if (end.why) {
        env.watch.on_notice("whether refused contacts were merged into others was not looked up: " + end.why->text);
        return;
    }
    const refused_row* example = nullptr;
    std::string example_id;
    std::size_t moved = 0;
    const auto team = contact_team_of(env.settings);
    for (const auto& row : rows) {
        const auto now = book.contacts().find(team, row.kind, row.key);
        if (!now || now->size() != 1 || now->front().id == row.contact_id) continue;
        ++moved;
        if (example) continue;
        example = &row;
        example_id = now->front().id;
    }
    if (moved == 0) return;
    env.watch.on_notice(fmt::format(
        "{} of the refused rows name by their key another contact now: row {} that of contact {}, which was {} when "
        "the "
        "job was planned; it may have the task already, so nothing was sent for it: look, and import it as a file of "
        "its own",
        moved, example->row, example_id, example->contact_id));
}

}  // namespace taskbarge::job
