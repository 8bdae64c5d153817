#include "job/planning/group_tally.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <functional>
#include <string_view>

namespace taskbarge::job {

namespace {

// In the API's order.
constexpr std::array<std::string_view, 6> fields{"user_id", "type", "priority", "status", "due_at", "note"};

constexpr std::size_t most_compared = 100'000;  // some 10 MB, with what cost_of() needs; costs hardly change with more

std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0xff51afd7ed558ccdULL;
    return hash ^ (hash >> 32);
}

std::array<std::uint64_t, fields.size()> hashes_of(const core::task_view& v) {
    const std::hash<std::string_view> text;
    return {text(v.user_id),
            static_cast<std::uint64_t>(v.type),
            static_cast<std::uint64_t>(v.priority),
            static_cast<std::uint64_t>(v.status),
            static_cast<std::uint64_t>(v.due_at.time_since_epoch().count()),
            text(v.note)};
}

std::uint64_t scaled(std::uint64_t n, std::uint64_t whole, std::uint64_t part) {
    if (whole == part) return n;
    return static_cast<std::uint64_t>(static_cast<double>(n) * static_cast<double>(whole) / static_cast<double>(part));
}

}  // namespace

void group_tally::add_group(const core::task_view& details) {
    rows_.push_back(0);
    if (compared_.size() < most_compared) compared_.push_back(hashes_of(details));
}

void group_tally::add_rows(core::group_number group, std::uint64_t rows) {
    rows_.at(group - 1) += static_cast<std::uint32_t>(rows);
}

std::vector<group_tally::sized_group> group_tally::largest(std::size_t most) const {
    std::vector<sized_group> out;
    const auto larger = [](const auto& a, const auto& b) {
        return a.rows != b.rows ? a.rows > b.rows : a.group < b.group;
    };
    core::group_number group = 0;
    for (const std::uint32_t rows : rows_) {
        const sized_group one{++group, rows, requests(rows)};
        if (out.size() == most && (most == 0 || !larger(one, out.back()))) continue;
        if (out.size() == most) out.pop_back();
        out.insert(std::upper_bound(out.begin(), out.end(), one, larger), one);
    }
    return out;
}

std::vector<plan_report::group_size> group_tally::sizes() const {
    // 1, 2 to 9, 10 to 99, and so on.
    std::vector<plan_report::group_size> all{{1, 1}};
    for (const std::uint32_t rows : rows_) {
        std::size_t place = 0;
        while (rows > all[place].to) {
            if (++place < all.size()) continue;
            const auto from = all.back().to + 1;
            all.push_back({from, from == 2 ? 9 : from * 10 - 1});
        }
        ++all[place].groups;
        all[place].rows += rows;
        all[place].requests += requests(rows);
    }
    std::erase_if(all, [](const auto& size) { return size.groups == 0; });
    return all;
}

plan_report::splitter group_tally::cost_of(std::size_t field) const {
    // What the groups would be if the field were the same everywhere.
    struct merged {
        std::uint64_t rows = 0;
        std::uint32_t largest = 0;
    };
    boost::unordered_flat_map<std::uint64_t, merged> without;
    boost::unordered_flat_set<std::uint64_t> values;
    std::uint64_t all_rows = 0, compared_rows = 0;
    for (const std::uint32_t rows : rows_)
        all_rows += rows;
    for (std::size_t g = 0; g < compared_.size(); ++g) {
        std::uint64_t rest = 0;
        for (std::size_t f = 0; f < field_count; ++f)
            rest = mixed(rest, f == field ? 0 : compared_[g][f]);
        auto& m = without[rest];
        m.rows += rows_[g];
        m.largest = std::max(m.largest, rows_[g]);
        values.insert(compared_[g][field]);
        compared_rows += rows_[g];
    }
    plan_report::splitter out;
    out.field = std::string(fields[field]);
    out.distinct = values.size();
    for (const auto& [hash, m] : without) {
        out.requests_without += requests(m.rows);
        out.rows_differing += m.rows - m.largest;
    }
    out.requests_without = scaled(out.requests_without, all_rows, compared_rows);
    out.rows_differing = scaled(out.rows_differing, all_rows, compared_rows);
    return out;
}

std::vector<plan_report::splitter> group_tally::splitters() const {
    std::vector<plan_report::splitter> out;
    for (std::size_t f = 0; f < field_count; ++f)
        if (auto s = cost_of(f); s.distinct > 1) out.push_back(std::move(s));
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.requests_without < b.requests_without; });
    return out;
}

}  // namespace taskbarge::job
