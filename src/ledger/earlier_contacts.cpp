#include "ledger/earlier_contacts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "ledger/checksums.hpp"
#include "ledger/chunk_rows.hpp"

namespace taskbarge::ledger {

void earlier_contacts::add(std::string_view contact, earlier_row where) {
    if (core::packed_id id; core::pack_object_id(contact, id)) return add(id, where);
    const auto [at, fresh] = others_.try_emplace(std::string(contact), where);
    if (!fresh) at->second = std::min(at->second, where);
}

void earlier_contacts::add(const core::packed_id& contact, earlier_row where) {
    if (jobs_.empty() || jobs_.back() != where.job) jobs_.push_back(where.job);
    packed_.push_back({contact, static_cast<std::uint32_t>(jobs_.size() - 1), where.row});
}

void earlier_contacts::seal() {
    std::sort(packed_.begin(), packed_.end(), [](const entry& a, const entry& b) {
        return std::tie(a.id, a.job_at, a.row) < std::tie(b.id, b.job_at, b.row);
    });
}

std::optional<earlier_row> earlier_contacts::find(std::string_view contact) const {
    if (core::packed_id id; core::pack_object_id(contact, id)) {
        const auto at = std::lower_bound(packed_.begin(), packed_.end(), id,
                                         [](const entry& e, const core::packed_id& wanted) { return e.id < wanted; });
        if (at == packed_.end() || at->id != id) return std::nullopt;
        return earlier_row{jobs_[at->job_at], at->row};
    }
    const auto at = others_.find(contact);
    return at == others_.end() ? std::nullopt : std::optional(at->second);
}

void earlier_contacts::clear() {
    packed_.clear();
    others_.clear();
    jobs_.clear();
}

core::result<void> earlier_contacts::load(sqlite::database& db, core::job_id job, core::group_number group) {
    return each_tasked_row(db, job, group, [&](std::string_view contact, core::row_number row) {
        add(contact, {job, row});
    });
}

core::result<void> each_tasked_row(sqlite::database& db, core::job_id job, core::group_number group,
                                   const std::function<void(std::string_view, core::row_number)>& visit) {
    static const std::string sql = fmt::format(
        "SELECT id, state IN ('refused', 'split'), created_count, {} FROM chunks c WHERE job = ? AND group_number = ?",
        intact(sealed::chunks, "c"));
    auto chunks = db.prepare(sql);
    chunks.bind(job, group);
    auto more = chunks.next();
    for (; more && *more; more = chunks.next()) {
        if (chunks.integer(3) == 0) return damaged_chunk(db, chunks.integer(0));
        auto contacts = read_contacts(db, chunks.integer(0));
        if (!contacts) return contacts.error();
        auto tasks = read_tasks(db, chunks.integer(0));
        if (!tasks) return tasks.error();
        if (tasks->empty() && chunks.integer(2) > 0) return damaged_chunk(db, chunks.integer(0));
        // Of a refused chunk's rows only those with a task count; those of a split one live on in its children.
        const bool created_only = chunks.integer(1) != 0;
        for (std::size_t i = 0; i < contacts->size(); ++i) {
            if (created_only && (i >= tasks->size() || (*tasks)[i].empty())) continue;
            visit(contacts->contact_ids[i], contacts->rows[i]);
        }
    }
    if (!more) return more.error();
    return {};
}

}  // namespace taskbarge::ledger
