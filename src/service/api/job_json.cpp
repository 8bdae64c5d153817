#include "service/api/job_json.hpp"

#include "service/telemetry/event_json.hpp"
#include "taskbarge/report/exit_code.hpp"
#include "taskbarge/report/report_json.hpp"

namespace taskbarge::service {

void add_job(core::json_object& o, const job::report& r, const ledger::job_record& job, const std::string& ledger_path,
             const std::optional<board::going>& run, const std::optional<core::instant>& expected_end) {
    const bool completed = job.state == core::job_state::completed;
    report::add_report(o, r, ledger_path, report::exit_code_of(r));
    o.raw("files", core::json_list(job.files, core::append_json_string));
    o.time_or_null("created_at", job.created_at);
    o.time_or_null("finished_at", job.finished_at);
    o.truth("running", job.held && !completed);
    o.truth("paused", job.paused());
    o.text_or_null("stop_code", completed ? "" : job.stop_code);
    o.time_or_null("started_at", run ? std::optional(run->begun_at) : std::nullopt);
    o.time_or_null("expected_end", run && run->last.expected_end ? run->last.expected_end : expected_end);
    if (run)
        o.raw("progress", progress_json(run->last));
    else
        o.null("progress");
}

}  // namespace taskbarge::service
