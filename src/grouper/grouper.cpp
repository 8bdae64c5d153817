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
constexpr std::size_t rows_at_once = 16;

// What rows and groups are counted with; neither can be passed by an input that fits the memory of a machine.
constexpr std::uint64_t most_rows = std::numeric_limits<std::uint32_t>::max();
constexpr core::group_number most_groups = (1u << 31) - 1;

core::failure too_many(const char* what) {
    return {core::errc::input, std::string("more ") + what + " than one job can hold: split the input"};
}

}  // namespace

struct grouper::impl {
    impl(grouper_options o, chunk_sink& s)
        : options(std::move(o)),
          sink(s),
          // Half for the details, as they stay until the end; rows get what the details leave.
          details(options.memory / 2, options.spill_folder),
          open(options.spill_folder) {}

    core::result<void> add(std::span<const core::row> rows);
    core::result<void> add_some(std::span<const core::row> rows);
    core::result<void> add_one(const core::row& row, const contact_set::probe& wanted);
    core::result<core::group_number> group_of(const core::row& row);
    core::result<void> give_duplicate(const core::row& row, std::uint32_t first_row);
    core::result<void> give_chunk(core::group_number group, const std::vector<open_row>& rows);
    core::result<void> finish();
    bool memory_is_short() const;

    grouper_options options;
    chunk_sink& sink;
    details_table details;
    contact_set contacts;
    open_rows open;
    std::deque<std::uint32_t> parts;  // chunks given out, by group
    grouper_stats stats;
    std::vector<open_row> full;  // what becomes the next chunk
    core::planned_chunk chunk;   // given out; a sink that does not keep it leaves its memory for the next
};

core::result<void> grouper::impl::add(std::span<const core::row> rows) {
    while (!rows.empty()) {
        const auto some = rows.first(std::min(rows.size(), rows_at_once));
        if (auto r = add_some(some); !r) return r;
        rows = rows.subspan(some.size());
    }
    return {};
}

core::result<void> grouper::impl::add_some(std::span<const core::row> rows) {
    std::array<contact_set::probe, rows_at_once> wanted;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].number > most_rows) return too_many("records");
        auto group = group_of(rows[i]);
        if (!group) return group.error();
        wanted[i] = contacts.prepare(*group, rows[i].contact_id);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (auto r = add_one(rows[i], wanted[i]); !r) return r;
    }
    return {};
}

core::result<void> grouper::impl::add_one(const core::row& row, const contact_set::probe& wanted) {
    const auto number = static_cast<std::uint32_t>(row.number);
    const auto group = wanted.group;
    const auto found = contacts.find_or_add(wanted, number);
    if (found.first_row != 0) return give_duplicate(row, found.first_row);
    ++stats.rows;
    open.add(group, found.key, number, row.at.line);
    if (open.waiting(group) == options.chunk_size) {
        open.take(group, full);
        return give_chunk(group, full);
    }
    return memory_is_short() ? open.spill() : core::result<void>();
}

core::result<core::group_number> grouper::impl::group_of(const core::row& row) {
    auto found = details.find_or_add(row.details);
    if (!found) return found.error();
    if (found->is_new) {
        if (found->group > most_groups) return too_many("different tasks");
        open.add_group();
        parts.push_back(0);
        ++stats.groups;
        if (auto r = sink.on_group(found->group, row.details); !r) return r.error();
    }
    return found->group;
}

core::result<void> grouper::impl::give_duplicate(const core::row& row, std::uint32_t first_row) {
    ++stats.duplicates;
    core::duplicate_row out;
    out.number = row.number;
    out.at = row.at;
    out.contact_id = row.contact_id;
    out.of_row = first_row;
    return sink.on_duplicate(out);
}

core::result<void> grouper::impl::give_chunk(core::group_number group, const std::vector<open_row>& rows) {
    chunk.group = group;
    chunk.part = parts[group - 1]++;
    chunk.contacts.contact_ids.clear();
    chunk.contacts.contact_ids.reserve(rows.size(), core::object_id_size);
    chunk.contacts.rows.resize(rows.size());
    chunk.contacts.lines.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        contacts.append_text(rows[i].key(), chunk.contacts.contact_ids);
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

}  // namespace taskbarge::grouper
