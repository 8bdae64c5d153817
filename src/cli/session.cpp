#include "cli/session.hpp"

#include <fmt/format.h>

#include <utility>

#include "cli/api_key.hpp"
#include "cli/observer.hpp"
#include "cli/output_file.hpp"
#include "cli/output_summary.hpp"
#include "cli/text.hpp"
#include "taskbarge/report/report_json.hpp"

namespace taskbarge::cli {

namespace {

// The commonest reasons of a job with exceptions, as far as the ledger gives them: a summary without is still one.
std::vector<ledger::reason_count> reasons_of(const core::settings& settings, const job::report& r) {
    constexpr std::size_t most = 5;
    if (!r.job || r.rows.rejected + r.rows.failed + r.rows.unknown == 0) return {};
    const auto opened = existing_ledger(settings, ledger::witness_check::ignored);
    if (!opened || !*opened) return {};
    auto reasons = (*opened)->reasons(*r.job, most);
    return reasons ? std::move(*reasons) : std::vector<ledger::reason_count>{};
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

core::result<session> begin(const options& o, const program& p) {
    auto loaded = core::load_settings(sources_of(o, p));
    if (!loaded) return loaded.error();
    warn(loaded->warnings);
    return session{std::move(loaded->value), {}};
}

core::result<void> take_key(session& s, const program& p, key_need need) {
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
    const bool harmless = r.why->code == core::errc::waiting || r.why->code == core::errc::job_held;
    if (o.quiet && harmless) return;
    complain(stop_line(r, repeated_options(o)));
}

exit_code end(const options& o, const program& p, const core::settings* settings, const job::report& r) {
    const auto code = exit_code_of(r);
    explain(o, r);
    if (o.json)
        return code == exit_code::usage
                   ? code
                   : deliver(report::report_json(r, settings ? settings->ledger.path : "", code), code);
    if (o.quiet || !r.job) return code;
    const auto reasons = settings ? reasons_of(*settings, r) : std::vector<ledger::reason_count>{};
    return deliver(job_summary(r, code, reasons, repeated_options(o), p.clock.now()), code);
}

exit_code end(const options& o, const program& p, const core::settings* settings, const core::failure& why) {
    job::report r;
    r.state = report::state_of(exit_code_of(why.code));
    r.why = why;
    return end(o, p, settings, r);
}

}  // namespace taskbarge::cli
