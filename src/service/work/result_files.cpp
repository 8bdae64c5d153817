#include "service/work/result_files.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "service/inbox/files.hpp"
#include "service/work/board.hpp"
#include "taskbarge/core/files.hpp"
#include "taskbarge/core/json_text.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/report/exit_code.hpp"
#include "taskbarge/report/rejects_writer.hpp"
#include "taskbarge/report/report_json.hpp"
#include "taskbarge/report/results_writer.hpp"

namespace taskbarge::service {

using core::errc;
using core::result;

namespace {

constexpr const char* error_file = "error.txt";

// Collects texts and writes them to a descriptor in large pieces.
class fd_text {
 public:
    explicit fd_text(int fd) : fd_(fd) {}
    std::string& buffer() { return buffer_; }
    void flush_if_full() {
        if (buffer_.size() >= 1u << 18) flush();
    }
    bool good() const { return error_ == 0; }
    result<void> finish() {
        flush();
        if (error_ == 0) return {};
        return core::failure{error_ == ENOSPC || error_ == EDQUOT ? errc::ledger_full : errc::io,
                             std::strerror(error_)};
    }

 private:
    void flush() {
        if (error_ == 0) error_ = core::write_all(fd_, buffer_);
        buffer_.clear();
    }

    int fd_;
    int error_ = 0;
    std::string buffer_;
};

// Rejects keep the form of their input.
std::string rejects_name(const std::string& format) {
    return format.starts_with("jsonl") ? "rejects.jsonl" : "rejects.csv";
}

// What `status --json` says, and which end of the job it tells of.
std::string summary_of(const job::report& r, const std::string& ledger_path, core::instant finished_at) {
    std::string out;
    core::json_object o(out);
    report::add_report(o, r, ledger_path, report::exit_code_of(r));
    o.text("finished_at", core::to_rfc3339(finished_at));
    o.close();
    return out + "\n";
}

}  // namespace

std::optional<core::instant> result_files::told_end(const inbox::item& item) {
    constexpr std::size_t longest_summary = 1024UL * 1024;
    const auto text = inbox::read_small(item.folder + "/summary.json", longest_summary);
    simdjson::dom::parser parser;
    std::string_view end;
    if (!text || parser.parse(*text)["finished_at"].get(end) != simdjson::SUCCESS) return std::nullopt;
    return core::parse_rfc3339(end);
}

void result_files::remove_old(const inbox::item& item) {
    for (const char* old : {error_file, "summary.json", "rejects.csv", "rejects.jsonl"})
        ::unlink((item.folder + "/" + old).c_str());
}

result<void> result_files::write_text(const inbox::held_item& held, const std::string& name,
                                      std::string_view text) const {
    return parts_.store.add_file(held, name, [&](int fd) {
        fd_text out(fd);
        out.buffer() = text;
        return out.finish();
    });
}

// The states of the rows, and those that were rejected as they were.
result<void> result_files::write_rows(ledger::ledger& book, const inbox::held_item& held, const ledger::job_record& job,
                                      bool any_rejects) const {
    auto written = parts_.store.add_file(held, "results.csv", [&](int fd) -> result<void> {
        fd_text out(fd);
        report::results_writer writer(report::results_format::csv, job.files, job.id);
        writer.header(out.buffer());
        auto read = book.each_result(job.id, [&](const ledger::row_result& row) {
            writer.line(out.buffer(), row);
            out.flush_if_full();
            return out.good() && parts_.stop.level() == job::stop_level::none;
        });
        if (!read) return read.error();
        if (parts_.stop.level() != job::stop_level::none) return core::failure{errc::interrupted, "stopped"};
        return out.finish();
    });
    if (!written || !any_rejects) return written;
    const auto name = rejects_name(job.file_notes.empty() ? "" : job.file_notes.front().format);
    return parts_.store.add_file(held, name, [&](int fd) -> result<void> {
        fd_text out(fd);
        report::rejects_writer writer(job.file_notes);
        auto read = book.each_reject(job.id, [&](const core::rejected_row& row) {
            writer.record(out.buffer(), row);
            out.flush_if_full();
            return out.good();
        });
        if (!read) return read.error();
        return out.finish();
    });
}

result<void> result_files::write(ledger::ledger& book, const inbox::held_item& held,
                                 const ledger::job_identity& identity, core::job_id job,
                                 const std::optional<core::failure>& failed) const {
    const auto configuration = parts_.configuration.get();
    silence unwatched;
    const job::environment env{
        configuration->settings, configuration->key, parts_.clock, parts_.stop, unwatched, 0, &book, false};
    auto record = book.job(job);
    if (!record) return record.error();
    const core::failure reopened{errc::waiting, fmt::format("job {} is not finished any more", job)};
    if (record->identity != identity) return core::failure{errc::waiting, "the ledger was replaced"};
    if (record->state != core::job_state::completed) return reopened;
    auto r = job::report_job(env, job);
    if (r.why) return *r.why;
    // Of a pruned job the sums are left.
    if (!record->pruned_at)
        if (auto written = write_rows(book, held, *record, r.rows.rejected > 0); !written) return written;
    // A retry meanwhile makes what was written a mixture.
    const auto after = book.job(job);
    if (!after) return after.error();
    if (after->finished_at != record->finished_at || after->state != record->state) return reopened;
    if (failed) {
        r.state = job::report_state::failed;
        r.why = failed;
    }
    auto told =
        write_text(held, "summary.json", summary_of(r, configuration->settings.ledger.path, *record->finished_at));
    if (told && failed) told = write_text(held, error_file, failed->text + "\n");
    // What an earlier end has left, where a failed one is tried again.
    if (told && !failed) ::unlink((held.item().folder + "/" + error_file).c_str());
    return told;
}

std::vector<core::failure> result_files::write_why(const inbox::held_item& held, const core::failure& why,
                                                   const core::settings& settings, const job::import_options& input,
                                                   const std::string& format) const {
    std::vector<core::failure> troubles;
    const auto note = [&](const result<void>& written) {
        if (!written) troubles.push_back(written.error());
    };
    note(write_text(held, error_file, why.text + "\n"));
    job::report r;
    r.state = job::report_state::failed;
    r.why = why;
    if (why.code == errc::too_many_rejects) {
        const auto configuration = parts_.configuration.get();
        silence unwatched;
        const job::environment env{settings, configuration->key, parts_.clock, parts_.stop, unwatched, 0, nullptr,
                                   false};
        note(parts_.store.add_file(held, rejects_name(format), [&](int fd) -> result<void> {
            fd_text out(fd);
            report::rejects_writer writer;
            const auto plan = job::plan_files(
                env, input, [&](const core::rejected_row& row, const ledger::file_note& file) -> result<void> {
                    writer.record(out.buffer(), row, file);
                    out.flush_if_full();
                    return out.good() ? result<void>() : out.finish();
                });
            r.rows = plan.base.rows;
            if (plan.base.why && plan.base.why->code != errc::too_many_rejects) return *plan.base.why;
            return out.finish();
        }));
    }
    note(
        write_text(held, "summary.json", report::report_json(r, settings.ledger.path, report::exit_code_of(why.code))));
    return troubles;
}

}  // namespace taskbarge::service
