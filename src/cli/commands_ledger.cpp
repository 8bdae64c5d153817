// ledger accept and ledger trust: going on with a ledger that is older than what was sent with it.
#include "cli/commands.hpp"
#include "cli/output_ledger.hpp"

namespace taskbarge::cli {

namespace {

core::failure no_ledger(const core::settings& settings) {
    return {core::errc::ledger, "there is no ledger " + settings.ledger.path};
}

core::result<ledger::accepted_ledger> accept(const core::settings& settings) {
    // Where none is, but one was, has_ledger() fails: then the one that is made is accepted.
    if (const auto there = ledger::has_ledger(settings.ledger.path); there && !*there) return no_ledger(settings);
    auto opened = ledger::open_ledger(settings.ledger.path, ledger::witness_check::accepting);
    if (!opened) return opened.error();
    return (*opened)->accept();
}

core::result<ledger::accepted_ledger> trust(const core::settings& settings) {
    auto opened = existing_ledger(settings);
    if (!opened) return opened.error();
    if (!*opened) return no_ledger(settings);
    if (auto done = (*opened)->trust(); !done) return done.error();
    return ledger::accepted_ledger{};
}

}  // namespace

exit_code ledger_command(const options& o, const program& p) {
    const auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    const bool accepts = o.command == command::ledger_accept;
    const auto done = accepts ? accept(s->settings) : trust(s->settings);
    const auto code = done ? exit_code::done : exit_code_of(done.error().code);
    if (!done) complain(done.error().text);
    if (o.json) return deliver(ledger_json(o.command, done, s->settings.ledger.path, code), code);
    if (!done || o.quiet) return code;
    return deliver(accepts ? accepted_text(*done) : std::string(trusted_text), code);
}

}  // namespace taskbarge::cli
