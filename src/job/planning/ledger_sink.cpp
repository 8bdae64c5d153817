#include "job/planning/ledger_sink.hpp"

#include <utility>

#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::job {

using core::result;

namespace {
// Contacts a commit: large enough that the cost of a durable commit is spread (docs/performance.md), small enough for
// memory (some 100 bytes each).
constexpr std::size_t commit_weight = 50'000;
// Bytes of text weigh as well: a group's note and a reject's original may be large.
constexpr std::size_t bytes_per_weight = 64;
// Groups, chunks or rows: so many are written before a job that is being sent may write. Some milliseconds of work.
constexpr std::size_t least_part = 500;
// What a group and a chunk take besides: there may be one for every row.
constexpr std::size_t group_weight = 4, chunk_weight = 3;
}  // namespace

ledger_sink::ledger_sink(ledger::plan_rows& book, core::job_id job, grouper::grouper_options options)
    : ledger_(book), job_(job), grouper_(std::move(options), *this) {}

result<void> ledger_sink::on_reject(const core::rejected_row& row, const ledger::file_note&) {
    filling_.rejects.push_back(row);
    return flush_if_full(1 + row.raw.size() / bytes_per_weight);
}

result<void> ledger_sink::on_keys(std::span<const std::pair<core::row_number, std::string>> keys) {
    filling_.keys.insert(filling_.keys.end(), keys.begin(), keys.end());
    return keys.empty() ? result<void>() : flush_if_full(keys.size());
}

result<void> ledger_sink::on_group(core::group_number number, const core::task_view& details) {
    filling_.groups.emplace_back(number, details);
    return flush_if_full(group_weight + details.note.size() / bytes_per_weight);
}

result<void> ledger_sink::on_chunk(core::planned_chunk&& chunk) {
    const auto size = chunk.contacts.size();
    auto& chunks = filling_.chunks;
    if (filling_.chunk_count == chunks.size()) chunks.emplace_back();
    std::swap(chunks[filling_.chunk_count++], chunk);  // the grouper fills an old one's memory next
    return flush_if_full(size + chunk_weight);
}

result<void> ledger_sink::on_duplicate(const core::duplicate_row& row) {
    filling_.duplicates.push_back(row);
    return flush_if_full(1);
}

result<void> ledger_sink::finish() {
    if (auto r = grouper_.finish(); !r) return r.error();
    if (auto r = flush(); !r) return r.error();
    return wait();
}

result<void> ledger_sink::wait() {
    return written_.valid() ? written_.get() : result<void>();
}

result<void> ledger_sink::flush_if_full(std::size_t contacts) {
    weight_ += contacts;
    if (weight_ < commit_weight) return {};
    return flush();
}

result<void> ledger_sink::flush() {
    if (auto r = wait(); !r) return r.error();
    if (weight_ == 0) return {};
    std::swap(filling_, writing_);
    filling_.clear();
    weight_ = 0;
    written_ = std::async(std::launch::async, [this] { return write(); });
    return {};
}

result<void> ledger_sink::write() {
    if (auto r = ledger_.begin(); !r) return r.error();
    if (auto r = write_all(); !r) {
        ledger_.rollback();
        return r.error();
    }
    if (auto r = ledger_.commit(); !r) return r.error();
    core::fault_point("plan_part");
    return {};
}

// A plan that is not committed yet may be in the ledger by parts of any size.
result<void> ledger_sink::written(std::size_t& since_begin) {
    if (++since_begin < least_part || !ledger_.others_wait()) return {};
    since_begin = 0;
    if (auto r = ledger_.commit(); !r) return r.error();
    return ledger_.begin();
}

result<void> ledger_sink::write_all() {
    std::size_t since_begin = 0;
    const auto add = [&](const result<void>& added) { return added ? written(since_begin) : added; };
    for (const auto& [number, details] : writing_.groups)
        if (auto r = add(ledger_.add_group(job_, number, details.view())); !r) return r.error();
    for (std::size_t i = 0; i < writing_.chunk_count; ++i)
        if (auto r = add(ledger_.add_chunk(job_, writing_.chunks[i])); !r) return r.error();
    for (const auto& row : writing_.duplicates)
        if (auto r = add(ledger_.add_duplicate(job_, row)); !r) return r.error();
    for (const auto& row : writing_.rejects)
        if (auto r = add(ledger_.add_reject(job_, row)); !r) return r.error();
    for (const auto& [row, key] : writing_.keys)
        if (auto r = add(ledger_.add_row_key(job_, row, key)); !r) return r.error();
    return {};
}

void ledger_sink::part::clear() {
    groups.clear();
    chunk_count = 0;
    duplicates.clear();
    rejects.clear();
    keys.clear();
}

}  // namespace taskbarge::job
