// results: one line per input record, or the rejected records themselves.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/commands.hpp"
#include "cli/output_file.hpp"
#include "taskbarge/report/rejects_writer.hpp"
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

core::result<void> write_results(const options& o, const program& p, ledger::ledger& ledger,
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

core::result<void> write_rejects(const program& p, ledger::ledger& ledger, const ledger::job_record& job,
                                 output_file& out) {
    report::rejects_writer writer(job.file_notes);
    const auto done = ledger.each_reject(job.id, [&](const core::rejected_row& row) {
        writer.record(out.buffer(), row);
        out.flush_if_full();
        return out.wanted() && p.stop.level() == job::stop_level::none;
    });
    if (!done) return done.error();
    if (p.stop.level() != job::stop_level::none) return interrupted();
    return out.finish();
}

core::result<void> write_all(const options& o, const program& p, const core::settings& settings) {
    const auto id = o.job.value();
    auto ledger = existing_ledger(settings);
    if (!ledger) return ledger.error();
    if (!*ledger)
        return core::failure{core::errc::no_such_job,
                             fmt::format("there is no job {}: the ledger {} does not exist", id, settings.ledger.path)};
    const auto job = (*ledger)->job(id);
    if (!job) return job.error();
    auto out = output_file::open(o.results.output);
    if (!out) return out.error();
    if (o.results.rejects) return write_rejects(p, **ledger, *job, *out);
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
