// results: one line per input record, or the rejected records themselves.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

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

// "fix.csv" becomes "fix-2.csv".
std::string numbered(const std::string& path, std::size_t number, std::string_view extension) {
    std::filesystem::path p(path);
    p.replace_filename(fmt::format("{}-{}{}", p.stem().string(), number, extension));
    return p.string();
}

// Where rejected records go: standard output, or one file for each sheet that occurs.
class reject_files {
 public:
    reject_files(std::string path, const std::vector<ledger::file_note>& files)
        : path_(std::move(path)), files_(files), kinds_(files), open_(kinds_.sheets()) {}

    // On standard output only one sheet can be told from what follows.
    core::result<void> check_sheets(const core::rejected_row& row) {
        if (!path_.empty() && path_ != "-") return {};
        const auto sheet = kinds_.sheet_of(row);
        if (first_ && *first_ != sheet)
            return core::failure{core::errc::usage,
                                 "the rejected rows come from files with different columns or formats; write them with "
                                 "-o FILE, which makes a file for each"};
        first_ = sheet;
        return {};
    }

    core::result<void> record(const core::rejected_row& row) {
        auto& one = open_[kinds_.sheet_of(row)];
        if (!one) {
            auto opened = begin(kinds_.sheet_of(row));
            if (!opened) return opened.error();
        }
        one->writer.record(one->out.buffer(), row);
        one->out.flush_if_full();
        wanted_ = one->out.wanted();
        return {};
    }
    bool wanted() const { return wanted_; }

    // Puts the files in their places, and says which when it is not the one asked for.
    core::result<void> finish() {
        if (order_.empty())
            if (auto opened = begin(0); !opened) return opened.error();
        for (const auto sheet : order_)
            if (auto done = open_[sheet]->out.finish(); !done) return done.error();
        for (const auto sheet : order_) {
            const auto& one = *open_[sheet];
            if (order_.size() > 1) complain(fmt::format("wrote {}", one.path));
            if (!one.path.empty() && one.path != "-" && !one.path.ends_with(kinds_.extension(sheet)) &&
                kinds_.extension(sheet) == ".jsonl")
                complain(fmt::format("{} holds JSON lines; give it a name that ends in .jsonl before it is imported",
                                     one.path));
        }
        return {};
    }

 private:
    struct sheet_file {
        std::string path;
        output_file out;
        report::rejects_writer writer;
    };

    core::result<void> begin(std::size_t sheet) {
        const auto path = order_.empty() ? path_ : numbered(path_, order_.size() + 1, kinds_.extension(sheet));
        auto out = output_file::open(path);
        if (!out) return out.error();
        if (open_.size() <= sheet) open_.resize(sheet + 1);
        open_[sheet].emplace(sheet_file{path, std::move(*out), report::rejects_writer(files_)});
        order_.push_back(sheet);
        return {};
    }

    std::string path_;
    const std::vector<ledger::file_note>& files_;
    report::rejects_writer kinds_;
    std::vector<std::optional<sheet_file>> open_;  // by sheet
    std::vector<std::size_t> order_;               // the sheets in the order of their first record
    std::optional<std::size_t> first_;
    bool wanted_ = true;
};

core::result<void> write_rejects(const options& o, const program& p, ledger::ledger& ledger,
                                 const ledger::job_record& job) {
    reject_files files(o.results.output, job.file_notes);
    core::result<void> so_far;
    const auto each = [&](auto&& take) -> core::result<void> {
        auto done = ledger.each_reject(job.id, [&](const core::rejected_row& row) {
            so_far = take(row);
            return so_far && files.wanted() && p.stop.level() == job::stop_level::none;
        });
        return done ? so_far : done;
    };
    if (auto good = each([&](const core::rejected_row& row) { return files.check_sheets(row); }); !good) return good;
    if (auto done = each([&](const core::rejected_row& row) { return files.record(row); }); !done) return done;
    if (p.stop.level() != job::stop_level::none) return interrupted();
    return files.finish();
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
