#include "taskbarge/grouper/grouper.hpp"

#include <algorithm>
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

    core::result<void> add(const core::row& row);
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
    std::vector<open_row> full;  // the chunk that is being given out
};

core::result<void> grouper::impl::add(const core::row& row) {
    if (row.number > most_rows) return too_many("records");
    const auto number = static_cast<std::uint32_t>(row.number);
    auto group = group_of(row);
    if (!group) return group.error();
    const auto found = contacts.find_or_add(*group, row.contact_id, number);
    if (found.first_row != 0) return give_duplicate(row, found.first_row);
    ++stats.rows;
    open.add(*group, found.key, number, row.at.line);
    if (open.waiting(*group) == options.chunk_size) {
        open.take(*group, full);
        return give_chunk(*group, full);
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
    core::planned_chunk out;
    out.group = group;
    out.part = parts[group - 1]++;
    out.contacts.contact_ids.resize(rows.size());
    out.contacts.rows.reserve(rows.size());
    out.contacts.lines.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        contacts.text_of(rows[i].key(), out.contacts.contact_ids[i]);
        out.contacts.rows.push_back(rows[i].row);
        out.contacts.lines.push_back(rows[i].line());
    }
    ++stats.chunks;
    return sink.on_chunk(std::move(out));
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

core::result<void> grouper::add(const core::row& row) {
    return impl_->add(row);
}

core::result<void> grouper::finish() {
    return impl_->finish();
}

const grouper_stats& grouper::stats() const {
    return impl_->stats;
}

}  // namespace taskbarge::grouper
