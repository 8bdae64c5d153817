// What a look-up asks of the ledger: which tasks it already knows, and one that must show up.
#include <algorithm>

#include "ledger/chunk_rows.hpp"
#include "ledger/sqlite_ledger.hpp"

namespace taskbarge::ledger {

using sqlite::access;

namespace {

// Whether any of the sorted ids lies between the two.
bool any_between(const std::vector<std::string>& sorted, std::string_view first, std::string_view last) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), first);
    return at != sorted.end() && *at <= last;
}

}  // namespace

result<std::vector<std::string>> sqlite_ledger::known_tasks(const std::string& base_url, const std::string& team,
                                                            const std::vector<std::string>& task_ids) {
    std::vector<std::string> out;
    if (task_ids.empty()) return out;
    auto wanted = task_ids;
    std::sort(wanted.begin(), wanted.end());
    return db_->atomically(access::read, [&]() -> result<std::vector<std::string>> {
        auto query = db_->prepare(
            "SELECT t.chunk, t.first_task, t.last_task FROM packed_tasks t CROSS JOIN chunks c ON c.id = t.chunk "
            "CROSS JOIN jobs j ON j.id = c.job WHERE t.last_task >= ? AND t.first_task <= ? AND j.base_url = ? "
            "AND j.team = ?");
        query.bind(wanted.front(), wanted.back(), base_url, team);
        auto more = query.next();
        for (; more && *more; more = query.next()) {
            if (!any_between(wanted, query.text(1), query.text(2))) continue;
            auto tasks = read_tasks(*db_, query.integer(0));
            if (!tasks) return tasks.error();
            for (const auto task : *tasks) {
                if (std::binary_search(wanted.begin(), wanted.end(), task)) out.emplace_back(task);
            }
        }
        if (!more) return more.error();
        return out;
    });
}

result<std::optional<known_task>> sqlite_ledger::sample_created(const std::string& base_url, const std::string& team,
                                                                core::task_status status,
                                                                std::optional<instant> due_at) {
    using sample = std::optional<known_task>;
    return db_->atomically(access::read, [&]() -> result<sample> {
        // Ids begin with the time, so the greatest is the newest. A task of the due date goes before any other.
        auto query = db_->prepare(
            "SELECT t.chunk, t.last_task, g.user_id, g.type, g.priority, g.status, g.due_at, g.note "
            "FROM packed_tasks t CROSS JOIN chunks c ON c.id = t.chunk "
            "CROSS JOIN groups g ON g.job = c.job AND g.number = c.group_number CROSS JOIN jobs j ON j.id = c.job "
            "WHERE j.base_url = ?1 AND j.team = ?2 AND g.status = ?3 AND (?4 IS NULL OR g.due_at = ?4) "
            "ORDER BY t.last_task DESC LIMIT 1");
        auto found = query.bind(base_url, team, core::to_string(status), due_at).next();
        if (found && !*found && due_at) {
            query.reset();
            found = query.bind(base_url, team, core::to_string(status), std::nullopt).next();
        }
        if (!found) return found.error();
        if (!*found) return sample{};
        auto tasks = read_tasks(*db_, query.integer(0));
        if (!tasks) return tasks.error();
        auto contacts = read_contacts(*db_, query.integer(0));
        if (!contacts) return contacts.error();
        known_task out{query.string(1), {}, read_details(query, 2)};
        const auto at = std::find(tasks->begin(), tasks->end(), out.task_id) - tasks->begin();
        if (static_cast<std::size_t>(at) < contacts->size()) {
            out.contact_id = contacts->contact_ids[static_cast<std::size_t>(at)];
        }
        return sample(std::move(out));
    });
}

}  // namespace taskbarge::ledger
