// contacts load, refresh, status, find.
#include "cli/commands.hpp"
#include "cli/observed.hpp"
#include "cli/output_contacts.hpp"
#include "cli/text.hpp"
#include "taskbarge/job/contacts.hpp"

namespace taskbarge::cli {

namespace {

exit_code finish(const options& o, const std::optional<core::failure>& why, const std::string& text,
                 const std::string& json, exit_code code) {
    if (why) complain(why->text);
    if (o.json) return deliver(json, code);
    return o.quiet || text.empty() ? code : deliver(text, code);
}

exit_code code_of(const std::optional<core::failure>& why) {
    return why ? exit_code_of(why->code) : exit_code::done;
}

exit_code refresh(const options& o, const program& p, invocation& s) {
    job::contacts_report got;
    if (const auto key = take_key(s, p, key_need::required); !key)
        got.why = key.error();
    else
        got = observed<job::contacts_report>(
            o, p, s, [&](const job::environment& env) { return job::refresh_contacts(env, o.whole_list); });
    const auto code = code_of(got.why);
    auto text = contacts_text(got.status, p.clock.now(), stdout_style(s.settings));
    text += counted(got.requests, "request was", "requests were") + " made.\n";
    return finish(o, got.why, got.why && got.requests == 0 ? "" : text,
                  contacts_json(got.status, s.settings.ledger.path, code, got.why), code);
}

exit_code load_files(const options& o, const program& p, const invocation& s) {
    using loaded_or_not = core::result<job::loaded_contacts>;
    const auto got =
        observed<loaded_or_not>(o, p, s, [&](const job::environment& env) { return job::load_contacts(env, o.files); });
    const auto why = got ? std::nullopt : std::optional(got.error());
    const auto code = code_of(why);
    return finish(o, why, got ? loaded_text(*got) : "", loaded_json(got, s.settings.ledger.path, code), code);
}

exit_code tell_status(const options& o, const program& p, const invocation& s) {
    using status_or_not = core::result<job::contacts_status>;
    const auto got =
        observed<status_or_not>(o, p, s, [&](const job::environment& env) { return job::status_of_contacts(env); });
    const auto why = got ? std::nullopt : std::optional(got.error());
    const auto code = code_of(why);
    const auto status = got ? *got : job::contacts_status{};
    return finish(o, why, got ? contacts_text(status, p.clock.now(), stdout_style(s.settings)) : "",
                  contacts_json(status, s.settings.ledger.path, code, why), code);
}

exit_code find(const options& o, const program& p, const invocation& s) {
    using found_or_not = core::result<job::found_contact>;
    const auto got = observed<found_or_not>(
        o, p, s, [&](const job::environment& env) { return job::find_contact(env, o.contact_key); });
    const auto why = got ? std::nullopt : std::optional(got.error());
    const bool found = got && (got->id_seen_at || !got->contacts.empty());
    const auto code = why ? exit_code_of(why->code) : found ? exit_code::done : exit_code::done_partly;
    return finish(o, why, got ? found_text(*got, p.clock.now(), stdout_style(s.settings)) : "",
                  found_json(got, s.settings.ledger.path, code), code);
}

}  // namespace

exit_code contacts_command(const options& o, const program& p) {
    auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    switch (o.command) {
        case command::contacts_refresh:
            return refresh(o, p, *s);
        case command::contacts_load:
            return load_files(o, p, *s);
        case command::contacts_find:
            return find(o, p, *s);
        default:
            return tell_status(o, p, *s);
    }
}

}  // namespace taskbarge::cli
