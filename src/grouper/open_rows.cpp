#include "grouper/open_rows.hpp"

#include <algorithm>
#include <utility>

#include "grouper/fetch_ahead.hpp"

namespace taskbarge::grouper {

namespace {

// How a row stands in the file.
struct spilled_row {
    core::group_number group;
    open_row row;
};

}  // namespace

// Reads one run from front to back through a buffer.
class open_rows::run_reader {
 public:
    run_reader(const temporary_file& file, run r, std::size_t buffer_rows) : file_(&file), left_(r) {
        buffer_.reserve(buffer_rows);
    }

    core::result<void> start() { return fill(); }

    // The group of the next row; 0 after the last.
    core::group_number group() const { return at_ < buffer_.size() ? buffer_[at_].group : 0; }
    const open_row& row() const { return buffer_[at_].row; }

    core::result<void> advance() { return ++at_ < buffer_.size() ? core::result<void>() : fill(); }

 private:
    core::result<void> fill() {
        const auto bytes = std::min<std::uint64_t>(buffer_.capacity() * sizeof(spilled_row), left_.end - left_.begin);
        buffer_.resize(bytes / sizeof(spilled_row));
        at_ = 0;
        if (bytes == 0) return {};
        if (auto r = file_->read(left_.begin, reinterpret_cast<char*>(buffer_.data()), bytes); !r) return r;
        left_.begin += bytes;
        return {};
    }

    const temporary_file* file_;
    run left_;
    std::vector<spilled_row> buffer_;
    std::size_t at_ = 0;
};

std::uint32_t open_rows::new_node() {
    if (free_ != none) {
        const auto index = free_;
        free_ = at(index).next;
        return index;
    }
    if (fresh_ == segments_.size() * segment_size) segments_.push_back(std::make_unique_for_overwrite<segment>());
    return fresh_++;
}

void open_rows::fetch(std::span<const core::group_number> groups) const {
    constexpr std::size_t many = 2000;  // fewer are in the processor's cache anyway
    if (groups_.size() < many) return;
    for (const auto group : groups)
        fetch_ahead(&groups_[group - 1]);
    for (const auto group : groups)
        if (const auto last = groups_[group - 1].last; last != none) fetch_ahead(&at(last));
}

void open_rows::add(core::group_number group, std::uint32_t row, std::uint64_t line) {
    auto& state = groups_[group - 1];
    const std::uint32_t place = state.count % rows_a_node;
    if (place == 0) {
        const auto index = new_node();
        at(index).next = state.last == none ? index : std::exchange(at(state.last).next, index);
        state.last = index;
    }
    at(state.last).rows[place] = {row, static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(line >> 32)};
    ++state.count;
}

std::uint32_t open_rows::waiting(core::group_number group) const {
    const auto& state = groups_[group - 1];
    return state.spilled ? 0 : state.count;
}

void open_rows::take(core::group_number group, std::vector<open_row>& out) {
    out.clear();
    read_out(groups_[group - 1], out);
}

// Appends the group's rows in memory to `out` and forgets them.
void open_rows::read_out(group_state& state, std::vector<open_row>& out) {
    if (state.last == none) return;
    auto& last = at(state.last);
    const auto first = last.next;
    auto index = first;
    const auto before = out.size();
    out.resize(before + state.count);
    auto* to = out.data() + before;
    // Whole nodes without the call of a library function.
    for (std::uint32_t full = state.count / rows_a_node; full > 0; --full) {
        const auto& n = at(index);
        to = std::copy_n(n.rows.begin(), rows_a_node, to);
        index = n.next;
    }
    if (const auto rest = state.count % rows_a_node; rest > 0) std::copy_n(at(index).rows.begin(), rest, to);
    // The ring, cut open, goes in front of the unused nodes.
    last.next = free_;
    free_ = first;
    state.last = none;
    state.count = 0;
}

core::result<void> open_rows::spill() {
    run r{file_.size(), 0};
    std::vector<open_row> rows;
    core::group_number group = 0;
    for (auto& state : groups_) {
        ++group;
        if (state.count == 0) continue;
        rows.clear();
        read_out(state, rows);
        state.spilled = 1;
        spilled_ += rows.size();
        for (const auto& row : rows) {
            const spilled_row out{group, row};
            if (auto done = file_.append({reinterpret_cast<const char*>(&out), sizeof out}); !done) return done;
        }
    }
    segments_.clear();
    free_ = none;
    fresh_ = 0;
    r.end = file_.size();
    if (r.end > r.begin) runs_.push_back(r);
    return {};
}

core::result<void> open_rows::drain(std::uint32_t most, std::uint64_t memory, const visitor& visit) {
    std::vector<run_reader> readers;
    readers.reserve(runs_.size());
    const auto share = memory / (runs_.size() + 1) / sizeof(spilled_row);
    const auto buffer_rows = static_cast<std::size_t>(std::clamp<std::uint64_t>(share, 128, 32768));
    for (const auto& r : runs_) {
        readers.emplace_back(file_, r, buffer_rows);
        if (auto done = readers.back().start(); !done) return done;
    }
    std::vector<open_row> rows, in_memory;
    core::group_number group = 0;
    const auto give = [&]() -> core::result<void> {
        auto done = visit(group, rows);
        rows.clear();
        return done;
    };
    for (auto& state : groups_) {
        ++group;
        // A later run holds later rows of the group than an earlier one, and memory the last ones.
        for (auto reader = readers.begin(); state.spilled && reader != readers.end(); ++reader) {
            while (reader->group() == group) {
                rows.push_back(reader->row());
                if (auto done = reader->advance(); !done) return done;
                if (rows.size() < most) continue;
                if (auto done = give(); !done) return done;
            }
        }
        in_memory.clear();
        read_out(state, in_memory);
        for (const auto& row : in_memory) {
            rows.push_back(row);
            if (rows.size() < most) continue;
            if (auto done = give(); !done) return done;
        }
        if (rows.empty()) continue;
        if (auto done = give(); !done) return done;
    }
    return {};
}

std::uint64_t open_rows::memory() const {
    return row_memory() + groups_.size() * sizeof(group_state);
}

}  // namespace taskbarge::grouper
