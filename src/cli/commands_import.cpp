// The commands that run in the environment of a job: import, plan, doctor, resume, retry, verify, cancel.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include "cli/api_key.hpp"
#include "cli/commands.hpp"
#include "cli/observed.hpp"
#include "cli/output_doctor.hpp"
#include "cli/output_plan.hpp"
#include "cli/reject_files.hpp"
#include "cli/teller.hpp"
#include "cli/text.hpp"
#include "taskbarge/client/apollo_client.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/report/report_json.hpp"
#include "taskbarge/service/service.hpp"

namespace taskbarge::cli {

namespace {

job::import_options import_options_of(const options& o) {
    return {o.files, o.first_rows, o.again};
}

core::result<std::vector<core::job_id>> unfinished_jobs(const core::settings& settings) {
    auto opened = existing_ledger(settings);
    if (!opened) return opened.error();
    std::vector<core::job_id> ids;
    if (!*opened) return ids;
    const auto jobs = (*opened)->unfinished_jobs();
    if (!jobs) return jobs.error();
    for (const auto& job : *jobs) {
        ids.push_back(job.id);
    }
    return ids;
}

// Whether the jobs after this one would end in the same way, so that trying them is no use.
bool concerns_all_jobs(const job::report& r) {
    return r.why && core::reach_of(r.why->code) != core::reach::job;
}

exit_code end_of_several(const options& o, const program& p, const invocation& s,
                         const std::vector<job::report>& reports) {
    auto code = exit_code::done;
    for (const auto& r : reports) {
        code = report::worse(code, exit_code_of(r));
    }
    explain(o, p, &s.settings, reports);
    if (o.json) return deliver(report::reports_json(reports, s.settings.ledger.path, code), code);
    for (const auto& r : reports) {
        code = report::worse(code, conclude(o, p, &s.settings, r));
    }
    return code;
}

exit_code resume_all(const options& o, const program& p, const invocation& s) {
    const auto ids = unfinished_jobs(s.settings);
    if (!ids) return end(o, p, &s.settings, ids.error());
    const teller tell(o, p, s.settings);
    if (!ids->empty()) tell.begun();
    std::vector<job::report> reports;
    for (const auto id : *ids) {
        reports.push_back(observed<job::report>(
            o, p, s, [id](const job::environment& environment) { return job::resume_job(environment, id); }));
        if (concerns_all_jobs(reports.back())) break;
    }
    tell.ended(reports);
    if (reports.size() == 1) return end(o, p, &s.settings, reports.front());
    if (reports.empty() && !o.quiet) complain("there is no unfinished job");
    return end_of_several(o, p, s, reports);
}

job::report run_job_command(const options& o, const job::environment& environment) {
    const auto id = o.job.value();
    switch (o.command) {
        case command::resume:
            return job::resume_job(environment, id);
        case command::retry:
            return job::retry_job(environment, id,
                                  o.resend_unknown ? job::unknown_rows::resend : job::unknown_rows::keep);
        case command::verify:
            return job::verify_job(environment, id);
        default:
            return job::cancel_job(environment, id);
    }
}

bool has_section(const invocation& s, const std::string& section) {
    const auto first = s.origins.lower_bound(section + ".");
    return first != s.origins.end() && first->first.starts_with(section + ".");
}

// Only where it is meant to run: nobody else wants to hear of an inbox.
void examine_service(const program& p, const invocation& s, job::doctor_report& found) {
    if (!has_section(s, "serve")) return;
    service::configuration c;
    c.settings = s.settings;
    auto tokens = load_tokens(p.tokens, s.settings, c.warnings);
    if (tokens) {
        c.token = std::move(tokens->all);
        c.read_token = std::move(tokens->reading);
    } else {
        found.why_no_service = tokens.error();
    }
    service::examine(c, found);
    if (!tokens) found.lines.push_back({"token", job::health::bad, tokens.error().text});
    for (const auto& warning : c.warnings)
        found.lines.push_back({"token", job::health::doubtful, warning});
}

// What the webhook needs of this machine. Nothing is sent.
void examine_webhook(const invocation& s, job::doctor_report& found) {
    if (s.settings.notify.url.empty() && s.settings.notify.ping_url.empty()) return;
    std::vector<std::string> warnings;
    const auto secret = load_notify_secret(s.settings, warnings);
    const auto trust = client::check_ca_file(s.settings.notify.ca_file, "notify.ca_file");
    for (const auto& why : {secret ? core::result<void>() : core::result<void>(secret.error()), trust})
        if (!why) {
            found.lines.push_back({"webhook", job::health::bad, why.error().text});
            if (!found.why_no_service) found.why_no_service = why.error();
        }
    if (secret && trust) found.lines.push_back({"webhook", job::health::good, "can be told; not tried"});
}

}  // namespace

exit_code import_command(const options& o, const program& p) {
    auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    const teller tell(o, p, s->settings);
    tell.begun();
    const auto key = take_key(*s, p, key_need::required);
    const auto report =
        key ? observed<job::report>(
                  o, p, *s, [&](const job::environment& env) { return job::import_files(env, import_options_of(o)); })
            : failed_report(key.error());
    tell.ended({report});
    return end(o, p, &s->settings, report);
}

namespace {

// A plan that was cut short leaves no file: nobody could tell what is missing in it.
// The rejects are some of the rows alone: written over their own file the others were gone.
core::result<void> check_no_input(const std::vector<std::string>& inputs, const std::string& output) {
    for (const auto& input : inputs) {
        std::error_code ignored;
        if (!output.empty() && std::filesystem::equivalent(input, output, ignored))
            return core::failure{core::errc::usage,
                                 fmt::format("{} is the input itself; write the rejects to another file", output)};
    }
    return {};
}

core::result<void> keep_rejects(reject_files& files, const options& o, const job::report& plan) {
    if (plan.why && plan.why->code != core::errc::too_many_rejects) return {};
    if (auto done = files.finish(no_rejects::no_file); !done) return done;
    if (o.quiet || files.to_standard_output()) return {};
    const auto names = files.names();
    complain(names.empty() ? fmt::format("no row would be rejected; {} was not written", o.results.output)
                           : fmt::format("wrote {}: {} rejected {}", names, grouped(plan.rows.rejected),
                                         plan.rows.rejected == 1 ? "row" : "rows"));
    return {};
}

}  // namespace

exit_code plan_command(const options& o, const program& p) {
    auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    if (const auto key = take_key(*s, p, key_need::if_there); !key) return end(o, p, &s->settings, key.error());
    std::optional<reject_files> rejects;
    job::take_reject take;
    if (o.results.rejects) {
        if (const auto good = check_no_input(o.files, o.results.output); !good)
            return end(o, p, &s->settings, good.error());
        rejects.emplace(o.results.output);
        take = [&](const core::rejected_row& row, const ledger::file_note& file) { return rejects->record(row, file); };
    }
    auto plan = observed<job::plan_report>(o, p, *s, [&](const job::environment& environment) {
        return job::plan_files(environment, import_options_of(o), take);
    });
    if (rejects)
        if (auto kept = keep_rejects(*rejects, o, plan.base); !kept) plan.base.why = kept.error();
    const auto code = exit_code_of(plan.base);
    explain(o, plan.base);
    if (o.json) return deliver(report::plan_json(plan, s->settings.ledger.path, code), code);
    // Without a record read there is nothing to show.
    if (o.quiet || (plan.base.why && plan.base.rows.rows == 0)) return code;
    if (rejects && rejects->to_standard_output()) return code;
    return deliver(plan_summary(plan, p.clock.now(), stdout_style(s->settings)), code);
}

exit_code ledger_check_command(const options& o, const program& p) {
    const auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    const auto found = observed<job::doctor_report>(o, p, *s, job::examine_ledger);
    const auto code = found.why ? exit_code_of(found.why->code) : exit_code::done;
    if (o.json) return deliver(doctor_json(found, s->settings.ledger.path, code), code);
    return o.quiet ? code : deliver(ledger_check_text(found, stdout_style(s->settings)), code);
}

exit_code doctor_command(const options& o, const program& p) {
    auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    if (const auto key = take_key(*s, p, key_need::if_there); !key) return end(o, p, &s->settings, key.error());
    auto found = observed<job::doctor_report>(o, p, *s, job::examine);
    examine_service(p, *s, found);
    examine_webhook(*s, found);
    auto code = exit_code::done;
    for (const auto& why : {found.why, found.why_no_service})
        if (why) {
            code = report::worse(code, exit_code_of(why->code));
            complain(why->text);
        }
    if (o.json) return deliver(doctor_json(found, s->settings.ledger.path, code), code);
    return o.quiet ? code : deliver(doctor_text(found, p.clock.now(), stdout_style(s->settings)), code);
}

exit_code resume_command(const options& o, const program& p) {
    if (o.job) return job_command(o, p);
    auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    if (const auto key = take_key(*s, p, key_need::required); !key) {
        const auto report = failed_report(key.error());
        teller(o, p, s->settings).ended({report});
        return end(o, p, &s->settings, report);
    }
    return resume_all(o, p, *s);
}

exit_code job_command(const options& o, const program& p) {
    auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    if (const auto key = take_key(*s, p, o.command == command::cancel ? key_need::if_there : key_need::required); !key)
        return end(o, p, &s->settings, key.error());
    // Working on the job would make a ledger where there is none.
    if (const auto there = ledger_of(o.job.value(), s->settings); !there) return end(o, p, &s->settings, there.error());
    const teller tell(o, p, s->settings);
    const bool tells = o.command == command::resume;
    if (tells) tell.begun();
    const auto report = observed<job::report>(
        o, p, *s, [&](const job::environment& environment) { return run_job_command(o, environment); });
    if (tells) tell.ended({report});
    return end(o, p, &s->settings, report);
}

}  // namespace taskbarge::cli
