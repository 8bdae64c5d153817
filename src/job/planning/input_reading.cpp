#include "job/planning/input_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "job/planning/input_pump.hpp"

namespace taskbarge::job {

using core::errc;
using core::failure;
using core::result;
using namespace std::chrono_literals;

namespace {

constexpr auto progress_interval = 200ms;
// Rows between two guesses at the number of all rows. What is read ahead (some 16,000) spoils a guess a little.
constexpr core::row_number guess_interval = 100'000;

// Counts rejects by code and keeps the first of each as its example.
class reject_tally {
 public:
    void add(const core::rejected_row& row) {
        auto [at, fresh] = lines_.try_emplace(row.code);
        if (fresh) {
            at->second.code = row.code;
            at->second.example = row;
        }
        ++at->second.rows;
        ++total_;
        if (by_file_.size() <= row.at.file) by_file_.resize(row.at.file + 1);
        ++by_file_[row.at.file];
    }
    std::uint64_t total() const { return total_; }
    const std::vector<std::uint64_t>& by_file() const { return by_file_; }
    std::vector<reject_line> lines() const {
        std::vector<reject_line> out;
        for (const auto& [code, line] : lines_)
            out.push_back(line);
        std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.rows > b.rows; });
        return out;
    }

 private:
    std::map<std::string, reject_line> lines_;
    std::vector<std::uint64_t> by_file_;
    std::uint64_t total_ = 0;
};

result<void> hand_over(reader::row_batch& batch, contact_resolver& contacts, input_pump& pump, row_sink& sink,
                       reject_tally& tally) {
    auto known = contacts.resolve(batch);
    if (!known) return known.error();
    if (!*known) return failure{errc::waiting, "the contact of a row is not known"};
    if (auto r = sink.on_rows(batch.rows); !r) return r.error();
    if (auto r = sink.on_keys(contacts.found_by()); !r) return r.error();
    for (const auto& reject : batch.rejects) {
        tally.add(reject);
        if (auto r = sink.on_reject(reject, pump.note_of(reject.at.file)); !r) return r.error();
    }
    return {};
}

// The rows of the whole input, if the rest of it is like the part that was read.
std::uint64_t expected_rows(core::row_number rows, std::uint64_t bytes_read, std::uint64_t bytes, std::uint64_t first) {
    if (bytes_read == 0) return 0;
    const auto all = static_cast<std::uint64_t>(static_cast<double>(rows) * static_cast<double>(bytes) /
                                                static_cast<double>(bytes_read));
    return first > 0 ? std::min(all, first) : all;
}

failure interrupted() {
    return {errc::interrupted, "stopped while reading the input: nothing was sent; run the same command again"};
}

}  // namespace

result<input_summary> read_input(import_input& input, owner_directory owners, contact_resolver& contacts,
                                 row_sink& sink, const std::function<void(progress&)>& describe) {
    const auto& env = input.env();
    const auto base = input.base();
    auto source = input.open(std::move(owners), contacts.checks_ids(), base);
    if (!source) return source.error();
    progress p;
    p.bytes_total = source->bytes_total();
    input_pump pump(std::move(*source));
    input_summary summary;
    reject_tally tally;
    auto last_shown = env.clock.steady_now();
    while (true) {
        if (env.stop.level() != stop_level::none) return interrupted();
        auto batch = pump.next(progress_interval);
        if (!batch) return batch.error();
        if (!*batch) break;
        summary.rows += (*batch)->rows.size() + (*batch)->rejects.size();
        if (summary.rows % guess_interval < (*batch)->rows.size() && p.bytes_total > 0)
            sink.expect(expected_rows(summary.rows, pump.bytes_read(), p.bytes_total, input.options().first_rows));
        if (auto r = hand_over(**batch, contacts, pump, sink, tally); !r) return r.error();
        pump.recycle(std::move(**batch));
        if (const auto now = env.clock.steady_now(); now - last_shown >= progress_interval) {
            last_shown = now;
            p.bytes_read = pump.bytes_read();
            p.rows.rows = summary.rows;
            p.rows.rejected = tally.total();
            describe(p);
            env.watch.on_progress(p);
        }
    }
    const reader::row_source& done = pump.finish();
    summary.rejected = tally.total();
    summary.rejects = tally.lines();
    summary.rejected_by_file = tally.by_file();
    summary.files = done.files();
    summary.contacts = contacts.tally();
    summary.unknown_words = done.unknown_words();
    summary.digest = {done.digest(), done.bytes_read()};
    input.was_read(summary.digest);
    if (done.used_relative_dates()) summary.relative_day = input.day_of(base);
    return summary;
}

namespace {

struct rows_and_rejects {
    std::uint64_t rows = 0, rejected = 0;
};

// Without the files of mended rejects: that rows were wrong there is known, and not all of them need be mended at once.
rows_and_rejects of_files_not_mended(const input_summary& input) {
    rows_and_rejects sum{input.rows, input.rejected};
    for (std::size_t i = 0; i < input.files.size(); ++i) {
        if (!input.files[i].mended) continue;
        const auto end = i + 1 < input.files.size() ? input.files[i + 1].first_row : input.rows + 1;
        sum.rows -= end - input.files[i].first_row;
        if (i < input.rejected_by_file.size()) sum.rejected -= input.rejected_by_file[i];
    }
    return sum;
}

}  // namespace

result<void> check_rejects(const core::share_or_count& most, const input_summary& input) {
    // A share of few rows says little: it counts from twenty rejected rows on.
    constexpr std::uint64_t share_counts_from = 20;
    const auto counted = of_files_not_mended(input);
    const bool passed =
        most.count ? counted.rejected > *most.count
                   : counted.rejected >= share_counts_from && static_cast<double>(counted.rejected) * 100.0 >
                                                                  most.percent * static_cast<double>(counted.rows);
    if (!passed) return {};
    const auto limit = most.count ? fmt::format("{}", *most.count) : fmt::format("{:g}%", most.percent);
    const auto& worst = input.rejects.front();
    // This goes to logs: what names a person stays in the plan and the rejects.
    const bool names_a_person = worst.code == "invalid_email" || worst.code == "invalid_linkedin_url";
    return failure{
        errc::too_many_rejects,
        fmt::format("{} of {} rows are rejected, more than import.max_rejects = {}, so nothing was sent; the "
                    "commonest reason ({} rows) is {}, first in {}: {}",
                    counted.rejected, counted.rows, limit, worst.rows, worst.code, place_of(worst.example, input.files),
                    names_a_person ? "it is no key of a contact" : worst.example.message)};
}

}  // namespace taskbarge::job
