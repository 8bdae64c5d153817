#include "taskbarge/grouper/grouper.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <utility>

#include "grouper/contact_set.hpp"
#include "grouper/details_table.hpp"
#include "grouper/open_rows.hpp"

namespace taskbarge::grouper {

namespace {

// Open rows are never spilled before they fill this much, however little memory is asked for or left: each spill makes
// a run, and runs are merged all at once.
constexpr std::uint64_t least_run = 256 << 10;

// Rows whose places in memory are fetched together: about as many as a core has such requests under way.
constexpr std::size_t rows_at_once = 32;

// What rows and groups are counted with; neither can be passed by an input that fits the memory of a machine.
constexpr std::uint64_t most_rows = std::numeric_limits<std::uint32_t>::max();
constexpr core::group_number most_groups = (1u << 31) - 1;

core::failure too_many(const char* what) {
    return {core::errc::input, std::string("more ") + what + " than one job can hold: split the input"};
}

}  // namespace

struct grouper::impl {
    // Rows of which it is known where to look.
    struct prepared {
        std::array<std::uint64_t, rows_at_once> hashes;
        std::array<core::group_number, rows_at_once> groups;
        std::array<contact_set::probe, rows_at_once> pairs;
    };

    impl(grouper_options o, chunk_sink& s)
        : options(std::move(o)),
          sink(s),
          // Half for the details, as they stay until the end; rows get what the details leave.
          details(options.memory / 2, options.spill_folder),
          key_details(options.memory / 8, options.spill_folder),
          open(options.spill_folder) {}

    core::result<void> add(std::span<const core::row> rows);
    core::result<void> prepare(std::span<const core::row> rows, prepared& out);
    core::result<void> add_one(const core::row& row, core::group_number group, const contact_set::probe& wanted);
    core::result<core::group_number> group_of(const core::row& row, std::uint64_t hash);
    core::result<void> add_key(const core::task_view& details);
    // Among whose contacts a row's contact may not occur twice.
    core::group_number key_of(core::group_number group) const { return keys.empty() ? group : keys[group - 1]; }
    core::result<void> give_duplicate(const core::row& row, core::group_number group, std::uint32_t first_row);
    core::result<void> give_chunk(core::group_number group, const std::vector<open_row>& rows);
    core::result<void> finish();
    bool memory_is_short() const;

    grouper_options options;
    chunk_sink& sink;
    details_table details;
    // Only where not all fields count: groups with the same key share their contacts.
    details_table key_details;
    std::deque<core::group_number> keys;  // by group
    contact_set contacts;
    open_rows open;
    std::deque<std::uint32_t> parts;  // chunks given out, by group
    grouper_stats stats;
    prepared now, later;
    std::vector<open_row> full;  // what becomes the next chunk
    core::planned_chunk chunk;   // given out; a sink that does not keep it leaves its memory for the next
};

core::result<void> grouper::impl::add(std::span<const core::row> rows) {
    auto *ready = &now, *after = &later;
    const auto next = [&] { return rows.first(std::min(rows.size(), rows_at_once)); };
    auto current = next();
    if (auto r = prepare(current, *ready); !r) return r;
    while (!current.empty()) {
        rows = rows.subspan(current.size());
        // What the next rows need is fetched while these are worked on.
        if (auto r = prepare(next(), *after); !r) return r;
        for (std::size_t i = 0; i < current.size(); ++i) {
            if (auto r = add_one(current[i], ready->groups[i], ready->pairs[i]); !r) return r;
        }
        current = next();
        std::swap(ready, after);
        for (std::size_t i = 0; i < current.size(); ++i)
            contacts.fetch_more(ready->pairs[i]);
    }
    return {};
}

core::result<void> grouper::impl::prepare(std::span<const core::row> rows, prepared& out) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        out.hashes[i] = details_table::hash_of(rows[i].details);
    details.fetch({out.hashes.data(), rows.size()});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].number > most_rows) return too_many("records");
        auto group = group_of(rows[i], out.hashes[i]);
        if (!group) return group.error();
        out.groups[i] = *group;
        out.pairs[i] = contact_set::prepare(key_of(*group), rows[i].contact_id);
    }
    // On their own, so that many are under way at once.
    for (std::size_t i = 0; i < rows.size(); ++i)
        contacts.fetch(out.pairs[i]);
    open.fetch({out.groups.data(), rows.size()});
    return {};
}

core::result<void> grouper::impl::add_one(const core::row& row, core::group_number group,
                                          const contact_set::probe& wanted) {
    const auto number = static_cast<std::uint32_t>(row.number);
    const auto first_row = contacts.find_or_add(wanted, number);
    if (first_row != 0) return give_duplicate(row, group, first_row);
    ++stats.rows;
    open.add(group, number, row.at.line);
    if (open.waiting(group) == options.chunk_size) {
        open.take(group, full);
        return give_chunk(group, full);
    }
    return memory_is_short() ? open.spill() : core::result<void>();
}

core::result<core::group_number> grouper::impl::group_of(const core::row& row, std::uint64_t hash) {
    auto found = details.find_or_add(row.details, hash);
    if (!found) return found.error();
    if (found->is_new) {
        if (found->group > most_groups) return too_many("different tasks");
        open.add_group();
        parts.push_back(0);
        ++stats.groups;
        if (auto r = add_key(row.details); !r) return r.error();
        if (auto r = sink.on_group(found->group, row.details); !r) return r.error();
    }
    return found->group;
}

core::result<void> grouper::impl::add_key(const core::task_view& of_group) {
    if (options.same_by.all()) return {};
    auto key = key_details.find_or_add(core::only(of_group, options.same_by));
    if (!key) return key.error();
    keys.push_back(key->group);
    return {};
}

core::result<void> grouper::impl::give_duplicate(const core::row& row, core::group_number group,
                                                 std::uint32_t first_row) {
    ++stats.duplicates;
    core::duplicate_row out;
    out.number = row.number;
    out.at = row.at;
    out.contact_id = row.contact_id;
    out.group = group;
    out.of_row = first_row;
    return sink.on_duplicate(out);
}

core::result<void> grouper::impl::give_chunk(core::group_number group, const std::vector<open_row>& rows) {
    chunk.group = group;
    chunk.part = parts[group - 1]++;
    for (const auto& row : rows)
        contacts.fetch_contact(row.row);
    chunk.contacts.contact_ids.clear();
    chunk.contacts.contact_ids.reserve(rows.size(), core::object_id_size);
    chunk.contacts.rows.resize(rows.size());
    chunk.contacts.lines.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        contacts.append_contact(rows[i].row, chunk.contacts.contact_ids);
        chunk.contacts.rows[i] = rows[i].row;
        chunk.contacts.lines[i] = rows[i].line();
    }
    ++stats.chunks;
    return sink.on_chunk(std::move(chunk));
}

bool grouper::impl::memory_is_short() const {
    if (open.row_memory() < least_run) return false;
    return details.memory() + parts.size() * sizeof(parts[0]) + open.memory() > options.memory;
}

core::result<void> grouper::impl::finish() {
    auto done = open.drain(
        options.chunk_size, options.memory / 2,
        [this](core::group_number group, const std::vector<open_row>& rows) { return give_chunk(group, rows); });
    stats.spilled_rows = open.spilled_rows();
    return done;
}

grouper::grouper(grouper_options options, chunk_sink& sink) {
    options.chunk_size = std::max(options.chunk_size, 1u);
    impl_ = std::make_unique<impl>(std::move(options), sink);
}
grouper::~grouper() = default;

void grouper::expect(std::uint64_t rows) {
    impl_->contacts.expect(std::min(rows, most_rows));
}

core::result<void> grouper::add(std::span<const core::row> rows) {
    return impl_->add(rows);
}

core::result<void> grouper::finish() {
    return impl_->finish();
}

const grouper_stats& grouper::stats() const {
    return impl_->stats;
}

core::result<core::task_details> grouper::details(core::group_number group) const {
    return impl_->details.details(group);
}

}  // namespace taskbarge::grouper
