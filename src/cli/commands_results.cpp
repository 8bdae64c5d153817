// results: one line per input record, or the rejected records themselves.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/commands.hpp"
#include "cli/output_file.hpp"
#include "cli/reject_files.hpp"
#include "taskbarge/report/results_writer.hpp"

namespace taskbarge::cli {

namespace {

// Which states are wanted, by their number.
std::array<bool, 6> wanted_states(const std::vector<core::row_state>& only) {
    std::array<bool, 6> wanted{};
    wanted.fill(only.empty());
    for (const auto state : only) {
        wanted.at(static_cast<std::size_t>(state)) = true;
    }
    return wanted;
}

core::failure interrupted() {
    return {core::errc::interrupted, "interrupted: nothing was kept"};
}

core::result<void> write_results(const options& o, const program& p, ledger::report_book& ledger,
                                 const ledger::job_record& job, output_file& out) {
    report::results_writer writer(o.results.format, job.files, job.id);
    const auto wanted = wanted_states(o.results.only);
    writer.header(out.buffer());
    const auto done = ledger.each_result(job.id, [&](const ledger::row_result& row) {
        if (wanted[static_cast<std::size_t>(row.state)]) writer.line(out.buffer(), row);
        out.flush_if_full();
        return out.wanted() && p.stop.level() == job::stop_level::none;
    });
    if (!done) return done.error();
    if (p.stop.level() != job::stop_level::none) return interrupted();
    return out.finish();
}

core::result<void> write_rejects(const options& o, const program& p, ledger::report_book& ledger,
                                 const ledger::job_record& job) {
    reject_files files(o.results.output);
    core::result<void> so_far;
    const ledger::file_note unknown;
    const auto file_of = [&](const core::rejected_row& row) -> const ledger::file_note& {
        return row.at.file < job.file_notes.size() ? job.file_notes[row.at.file] : unknown;
    };
    const auto each = [&](auto&& take) -> core::result<void> {
        auto done = ledger.each_reject(job.id, [&](const core::rejected_row& row) {
            so_far = take(row);
            return so_far && files.wanted() && p.stop.level() == job::stop_level::none;
        });
        return done ? so_far : done;
    };
    // On standard output only one sheet can be told from what follows: looked at before the first of it is written.
    if (auto good = each([&](const core::rejected_row& row) { return files.check(file_of(row)); }); !good) return good;
    if (auto done = each([&](const core::rejected_row& row) { return files.record(row, file_of(row)); }); !done)
        return done;
    if (p.stop.level() != job::stop_level::none) return interrupted();
    return files.finish(no_rejects::empty_file);
}

core::result<void> write_all(const options& o, const program& p, const core::settings& settings) {
    const auto id = o.job.value();
    auto ledger = ledger_of(id, settings, ledger::witness_check::ignored);
    if (!ledger) return ledger.error();
    const auto job = (*ledger)->job(id);
    if (!job) return job.error();
    if (o.results.rejects) return write_rejects(o, p, **ledger, *job);
    auto out = output_file::open(o.results.output);
    if (!out) return out.error();
    return write_results(o, p, **ledger, *job, *out);
}

}  // namespace

exit_code results_command(const options& o, const program& p) {
    const auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    const auto done = write_all(o, p, s->settings);
    return done ? exit_code::done : end(o, p, &s->settings, done.error());
}

}  // namespace taskbarge::cli
