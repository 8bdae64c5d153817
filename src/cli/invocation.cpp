#include "cli/invocation.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "cli/api_key.hpp"
#include "cli/observer.hpp"
#include "cli/output_file.hpp"
#include "cli/output_summary.hpp"
#include "cli/text.hpp"
#include "taskbarge/client/apollo_client.hpp"
#include "taskbarge/job/settings_check.hpp"
#include "taskbarge/report/brief.hpp"
#include "taskbarge/report/report_json.hpp"

namespace taskbarge::cli {

namespace {

bool is_refused_for_rejects(const job::report& r) {
    return r.why && r.why->code == core::errc::too_many_rejects;
}

void warn(const std::vector<std::string>& warnings) {
    for (const auto& warning : warnings) {
        complain("warning: " + warning);
    }
}

}  // namespace

core::settings_sources sources_of(const options& o, const program& p) {
    core::settings_sources sources;
    sources.file = o.config;
    sources.named = o.named;
    sources.sets = o.sets;
    sources.environment = p.environment;
    return sources;
}

core::result<core::loaded_settings> load(const options& o, const program& p) {
    // What `init` is asked for is what the reader would find wrong.
    auto loaded = o.command == command::init ? core::load_settings(sources_of(o, p))
                                             : job::load_settings(sources_of(o, p), p.clock.now());
    if (!loaded) return loaded.error();
    auto& send = loaded->value.send;
    if (send.proxy.empty()) {
        auto named = client::proxy_for(loaded->value.apollo.base_url, p.environment);
        send.proxy = std::move(named.url);
        if (!named.from.empty()) send.proxy_from = std::move(named.from);
    }
    if (send.settle_time < client::packet_hold &&
        (!send.proxy.empty() || client::leaves_this_machine(loaded->value.apollo.base_url))) {
        loaded->warnings.push_back(fmt::format(
            "send.settle_time = {} is less than a request may wait in this machine's queues after its end; {} is used",
            core::format_duration(send.settle_time), core::format_duration(client::packet_hold)));
        send.settle_time = client::packet_hold;
    }
    return loaded;
}

core::result<invocation> begin(const options& o, const program& p) {
    auto loaded = load(o, p);
    if (!loaded) return loaded.error();
    warn(loaded->warnings);
    return invocation{std::move(loaded->value), std::move(loaded->origins), std::move(loaded->file), {}};
}

core::result<void> take_key(invocation& s, const program& p, key_need need) {
    std::vector<std::string> warnings;
    auto found = load_key(p.key, s.settings, warnings);
    if (!found && need == key_need::if_there) warnings.push_back(found.error().text);
    warn(warnings);
    if (found) s.key = std::move(*found);
    if (need == key_need::if_there) return {};
    if (!found) return found.error();
    if (s.key.empty()) return no_key_failure();
    return {};
}

style stdout_style(const core::settings& settings) {
    return style_of(STDOUT_FILENO, settings.dates.timezone);
}

// A summary without reasons is still one.
std::vector<ledger::reason_count> reasons_of(const core::settings& settings, const job::report& r, std::size_t most) {
    if (!r.job) return {};
    const auto opened = existing_ledger(settings, ledger::witness_check::ignored);
    return opened && *opened ? reasons_of(**opened, r, most) : std::vector<ledger::reason_count>{};
}

std::vector<ledger::reason_count> reasons_of(ledger::report_book& book, const job::report& r, std::size_t most) {
    if (!r.job || r.rows.rejected + r.rows.failed + r.rows.unknown + r.rows.open_duplicates() == 0) return {};
    auto reasons = book.reasons(*r.job, most);
    return reasons ? std::move(*reasons) : std::vector<ledger::reason_count>{};
}

void complain(const std::string& line) {
    write_stderr("taskbarge: " + line + "\n");
}

core::result<std::unique_ptr<ledger::ledger>> existing_ledger(const core::settings& settings,
                                                              ledger::witness_check how) {
    const auto there = ledger::has_ledger(settings.ledger.path);
    if (!there) return there.error();
    if (!*there) return std::unique_ptr<ledger::ledger>{};
    return ledger::open_ledger(settings.ledger.path, how);
}

core::result<std::unique_ptr<ledger::ledger>> ledger_of(core::job_id job, const core::settings& settings,
                                                        ledger::witness_check how) {
    auto opened = existing_ledger(settings, how);
    if (opened && !*opened)
        return core::failure{core::errc::no_such_job, fmt::format("there is no job {}: the ledger {} does not exist",
                                                                  job, settings.ledger.path)};
    return opened;
}

exit_code deliver(std::string_view text, exit_code code) {
    const auto printed = print(text);
    if (printed) return code;
    complain(printed.error().text);
    const bool good = code == exit_code::done || code == exit_code::done_partly;
    return good ? exit_code_of(printed.error().code) : code;
}

void explain(const options& o, const job::report& r) {
    if (!r.why) return;
    auto line = stop_line(r, repeated_options(o));
    if (is_refused_for_rejects(r) && !o.results.rejects)
        line += fmt::format("; to get the rejected rows: {}; to send the others all the same: --accept-rejects",
                            rejects_command(o, r));
    complain(line);
}

namespace {

struct told_report {
    const job::report& report;
    std::optional<std::chrono::milliseconds> stale;
};

void explain_briefly(const options& o, const std::vector<told_report>& news) {
    if (news.empty()) return;
    if (news.size() == 1) {
        const auto& only = news.front().report;
        auto text = report::brief_text(only, news.front().stale, repeated_options(o));
        if (is_refused_for_rejects(only)) text += rejects_command(o, only) + "\n";
        // Only the first line begins a message.
        for (auto at = text.find('\n'); at != std::string::npos && at + 1 < text.size(); at = text.find('\n', at + 1))
            text.insert(at + 1, "  ");
        return write_stderr("taskbarge: " + text);
    }
    std::vector<std::string> names;
    core::row_counts sum;
    for (const auto& one : news) {
        if (one.report.job) names.push_back(std::to_string(*one.report.job));
        sum += one.report.rows;
    }
    complain(fmt::format("jobs {} need to be looked at", fmt::join(names, ", ")));
    write_stderr(fmt::format("  {}\n  taskbarge jobs{}\n", sum_line(sum), repeated_options(o)));
}

}  // namespace

void explain(const options& o, const program& p, const core::settings* settings,
             const std::vector<job::report>& reports) {
    std::vector<told_report> news;
    for (const auto& r : reports) {
        const auto stale = settings ? report::stale_for(r, settings->notify.stale_after, p.clock.now()) : std::nullopt;
        if (!report::is_no_news(r, stale.has_value())) news.push_back({r, stale});
        if (o.quiet) continue;
        explain(o, r);
        if (stale) complain(fmt::format("job {} has been unfinished for {}", *r.job, spoken(*stale)));
    }
    if (o.quiet) explain_briefly(o, news);
}

exit_code end(const options& o, const program& p, const core::settings* settings, const job::report& r) {
    explain(o, p, settings, {r});
    return conclude(o, p, settings, r);
}

exit_code conclude(const options& o, const program& p, const core::settings* settings, const job::report& r) {
    const auto code = exit_code_of(r);
    if (o.json && code == exit_code::usage) return code;
    // Who began it without a standard output wants no summary. Data that was asked for is another matter: deliver().
    if (!o.json && (o.quiet || !r.job || !is_stdout_open())) return code;
    const auto reasons =
        settings ? reasons_of(*settings, r, report::most_reasons) : std::vector<ledger::reason_count>{};
    if (!o.json)
        return deliver(job_summary(r, code, reasons, repeated_options(o), p.clock.now(),
                                   settings ? stdout_style(*settings) : style{}),
                       code);
    auto told = r;
    told.reasons = reasons;
    return deliver(report::report_json(told, settings ? settings->ledger.path : "", code), code);
}

job::report failed_report(const core::failure& why) {
    job::report r;
    r.state = report::state_of(exit_code_of(why.code));
    r.why = why;
    return r;
}

exit_code end(const options& o, const program& p, const core::settings* settings, const core::failure& why) {
    return end(o, p, settings, failed_report(why));
}

}  // namespace taskbarge::cli
