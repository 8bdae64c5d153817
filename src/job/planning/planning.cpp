#include "job/planning/planning.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "job/contacts/contact_finder.hpp"
#include "job/planning/input_pump.hpp"
#include "job/planning/ledger_sink.hpp"
#include "job/planning/repeats.hpp"
#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::job {

using core::errc;
using core::failure;
using core::result;

namespace {

// Marks the identity of a job that was made although one of the same input existed.
constexpr std::string_view again_mark = "again=";

// A job that is not finished keeps the dates that it was planned with, whatever the day: planned anew, its contacts
// would get second tasks with other dates.
bool same_job(const ledger::job_record& job, const ledger::job_identity& wanted, const std::string& today) {
    ledger::job_identity known = job.identity;
    const bool finished = job.state == core::job_state::completed;
    if (finished && !known.relative_day.empty() && known.relative_day != today) return false;
    known.relative_day = wanted.relative_day;
    if (const auto mark = known.settings_text.rfind(again_mark); mark != std::string::npos)
        known.settings_text.resize(mark);
    return known == wanted;
}

// The newest job of that identity, or nothing.
result<std::optional<ledger::job_record>> find_same(ledger::ledger& book, const import_input& input,
                                                    const ledger::job_identity& wanted) {
    auto candidates = book.find_jobs(wanted.base_url, wanted.team, wanted.input_bytes, wanted.input_sha256);
    if (!candidates) return candidates.error();
    const auto today = input.day_of(input.base());
    for (auto job = candidates->rbegin(); job != candidates->rend(); ++job)
        if (same_job(*job, wanted, today)) return std::optional(std::move(*job));
    return std::optional<ledger::job_record>();
}

// Whether an earlier job serves: an unfinished one always, a finished one unless a new one was asked for.
bool serves(const ledger::job_record& job, const import_options& options) {
    return !options.again || job.state != core::job_state::completed;
}

result<held_job> hold(ledger::ledger& book, ledger::job_record record, found_job how) {
    held_job held;
    held.found = true;
    if (how == found_job::held && record.state != core::job_state::completed) {
        auto lock = book.lock_job(record.id);
        if (!lock) return lock.error();
        held.lock = std::move(*lock);
        // Its last holder may have finished it between our look and our lock.
        auto fresh = book.job(record.id);
        if (!fresh) return fresh.error();
        record = std::move(*fresh);
    }
    held.record = std::move(record);
    return held;
}

// A file up to this size is hashed at once.
constexpr std::uint64_t small_file = 1UL << 20;

// Looks for the job by size first: hashing a large file is only worth it when a job of that size exists.
result<std::optional<held_job>> find_by_files(ledger::ledger& book, import_input& input, found_job how) {
    if (!input.can_be_read_again()) return std::optional<held_job>();
    auto bytes = input.bytes();
    if (!bytes) return bytes.error();
    if (*bytes > small_file) {
        const auto& apollo = input.env().settings.apollo;
        auto candidates = book.find_jobs(apollo.base_url, apollo.team, *bytes);
        if (!candidates) return candidates.error();
        if (candidates->empty()) return std::optional<held_job>();
    }
    auto digest = input.digest();
    if (!digest) return digest.error();
    auto same = find_same(book, input, identity_of(input.env().settings, input.options(), *digest, {}));
    if (!same) return same.error();
    if (!*same || !serves(**same, input.options())) return std::optional<held_job>();
    auto held = hold(book, std::move(**same), how);
    if (!held) return held.error();
    return std::optional(std::move(*held));
}

// The job that was planned for this very input. Its settings may be others by now, but the job may have sent its rows.
result<std::optional<held_job>> find_by_origin(ledger::ledger& book, import_input& input, found_job how) {
    auto job = book.job_of_origin(input.options().origin);
    if (!job) return job.error();
    if (!*job) return std::optional<held_job>();
    const auto digest = input.digest();
    if (!digest) return digest.error();
    if (!(*job)->keys_forgotten && digest->sha256 != (*job)->identity.input_sha256)
        return failure{errc::input,
                       fmt::format("{} was another file when job {} was planned for it; what is in it now is an input "
                                   "of its own",
                                   input.names().front(), (*job)->id)};
    auto held = hold(book, std::move(**job), how);
    if (!held) return held.error();
    return std::optional(std::move(*held));
}

// What was passed over in silence, and once the columns that nothing uses: what was meant to be used is among them when
// its name is misspelt.
void tell_of_files(const environment& env, const input_summary& summary) {
    constexpr std::size_t most_named = 20;
    for (const auto& file : summary.files) {
        for (const auto& passed : file.passed_over)
            env.watch.on_notice(fmt::format("{}: column \"{}\" {}", file.name, passed.column, passed.why));
        for (const auto& remark : reader::remarks_on(file))
            env.watch.on_notice(fmt::format("{}: {}", file.name, remark));
        if (file.unused.empty()) continue;
        const auto named = std::min(most_named, file.unused.size());
        auto line =
            fmt::format("{}: not used: {}", file.name,
                        fmt::join(file.unused.begin(), file.unused.begin() + static_cast<std::ptrdiff_t>(named), ", "));
        if (named < file.unused.size()) line += fmt::format(" and {} more", file.unused.size() - named);
        env.watch.on_notice(line);
    }
}

// Reads and groups into the ledger. The job is left in state planning.
result<void> fill_plan(ledger::ledger& book, core::job_id job, import_input& input, owner_directory owners,
                       contact_resolver& contacts, input_summary& summary) {
    const auto& env = input.env();
    ledger_sink sink(book, job,
                     {env.settings.import.chunk_size, env.settings.import.memory, {}, env.settings.import.dedupe_by});
    auto read = read_input(input, std::move(owners), contacts, sink, [&](progress& p) {
        p.job = job;
        p.requests.groups = sink.stats().groups;
        p.rows.duplicate = sink.stats().duplicates;
    });
    if (!read) return read.error();
    summary = std::move(*read);
    tell_of_files(env, summary);
    if (summary.contacts.all() > 0) env.watch.on_notice("contacts: " + text_of(summary.contacts));
    if (auto r = check_rejects(env.settings.import.max_rejects, summary); !r) return r.error();
    if (auto r = sink.finish(); !r) return r.error();
    std::vector<ledger::file_note> notes;
    for (const auto& f : summary.files)
        notes.push_back(note_of(f));
    return book.set_files(job, notes);
}

// The rows' contacts that are not known, all of them: what they are asked for together costs the least.
class nothing_kept final : public row_sink {
 public:
    void expect(std::uint64_t) override {}
    result<void> on_rows(std::span<const core::row>) override { return {}; }
    result<void> on_reject(const core::rejected_row&, const ledger::file_note&) override { return {}; }
};

// A ledger object of its own: that of the run is in use on another thread. Lives as long as the call that makes it.
struct own_contacts {
    std::unique_ptr<ledger::ledger> book;
    open_contacts opener(const environment& env) {
        return [this, &env]() -> result<ledger::contact_store*> {
            auto opened = ledger::open_ledger(env.settings.ledger.path);
            if (!opened) return opened.error();
            book = std::move(*opened);
            return &book->contacts();
        };
    }
};

// `resolving` checks no ids any more where ids cannot be checked.
result<void> find_unknown(ledger::ledger& book, import_input& input, const owner_directory& owners,
                          core::settings& resolving, input_summary& summary) {
    const auto& env = input.env();
    if (!input.can_be_read_again())
        return failure{errc::input,
                       "standard input has contacts that are not known here yet, and it can be read only once; save it "
                       "as a file, or run `taskbarge contacts refresh` first"};
    auto index = book.contacts().index(contact_team_of(env.settings));
    if (!index) return index.error();
    own_contacts own;
    contact_resolver contacts(std::move(*index), own.opener(env), resolving, env.clock.now(),
                              unknown_contacts::collect);
    nothing_kept sink;
    auto read = read_input(input, owners, contacts, sink, [](progress&) {});
    if (!read) return read.error();
    // Where rows are no good for other reasons nothing is spent on their neighbours.
    if (auto r = check_rejects(env.settings.import.max_rejects, *read); !r) {
        summary = std::move(*read);
        return r.error();
    }
    // The same for the same input, wherever it is stopped.
    constexpr std::size_t label_size = 8;
    contacts.wanted().label = "taskbarge " + read->digest.sha256.substr(0, label_size);
    auto end = find_contacts(env, book, contacts.wanted());
    summary.resume_at = end.resume_at;
    if (end.ids_unchecked) resolving.contacts.check = false;
    if (end.why) return *end.why;
    return {};
}

// Asked once, however often the input is read.
owner_directory asked_once(owner_directory ask) {
    if (!ask) return ask;
    auto kept = std::make_shared<std::optional<std::vector<reader::team_user>>>();
    return [ask = std::move(ask), kept]() -> result<std::vector<reader::team_user>> {
        if (*kept) return **kept;
        auto got = ask();
        if (got) *kept = *got;
        return got;
    };
}

// Whether the first rows have a contact that is not known: then the rest need not be planned to see it, and the job
// that follows gets the number that comes next.
result<bool> begins_with_unknown(const import_input& input, const owner_directory& owners,
                                 const core::settings& resolving, const ledger::contact_index& index) {
    if (!input.can_be_read_again()) return false;
    const auto& env = input.env();
    own_contacts own;
    contact_resolver contacts(index, own.opener(env), resolving, env.clock.now(), unknown_contacts::stop);
    auto source = input.open(owners, contacts.checks_ids(), input.base());
    if (!source) return source.error();
    reader::row_batch batch;
    if (auto read = source->next(batch); !read) return read.error();
    auto known = contacts.resolve(batch);
    if (!known) return known.error();
    return !*known;
}

result<held_job> plan_now(ledger::ledger& book, import_input& input, found_job how, owner_directory owners,
                          contact_resolver& contacts, input_summary& summary) {
    const auto& env = input.env();
    const auto& options = input.options();
    const auto& apollo = env.settings.apollo;
    auto begun =
        book.begin_plan(input.names(), env.settings.import.chunk_size, apollo.base_url, apollo.team, env.clock.now());
    if (!begun) return begun.error();
    const core::job_id job = begun->first;
    auto& lock = begun->second;
    const auto give_up = [&](failure why) -> failure {
        // What cannot be removed now is removed by the next planning: its process is gone then.
        (void)book.discard_plan(job);
        return why;
    };
    if (auto r = fill_plan(book, job, input, std::move(owners), contacts, summary); !r) return give_up(r.error());
    core::fault_point("planned");
    if (options.still_whole)
        if (auto r = options.still_whole(); !r) return give_up(r.error());

    const auto identity = identity_of(env.settings, options, summary.digest, summary.relative_day);
    auto same = find_same(book, input, identity);
    if (!same) return give_up(same.error());
    if (*same && serves(**same, options)) {
        if (auto r = book.discard_plan(job); !r) return r.error();
        return hold(book, std::move(**same), how);
    }
    auto final_identity = identity;
    if (*same) final_identity.settings_text += fmt::format("{}{}\n", again_mark, (*same)->id);
    const auto& import = env.settings.import;
    auto committed = book.commit_plan(
        job, final_identity, {summary.rows, summary.rejected},
        import.dedupe == core::dedupe_scope::ledger ? std::optional(import.dedupe_by) : std::nullopt, options.origin);
    if (!committed) {
        const auto why = committed.error();
        (void)book.discard_plan(job);
        if (why.code != errc::job_held) return why;
        // Another process committed the same input in the meantime: its job is ours too.
        auto its_own = find_by_origin(book, input, how);
        if (!its_own) return its_own.error();
        if (*its_own) return std::move(**its_own);
        auto other = find_same(book, input, identity);
        if (!other) return other.error();
        if (!*other) return why;
        return hold(book, std::move(**other), how);
    }
    core::fault_point("plan_committed");
    // A hint alone: what keeps it from being found will be met again, where it counts.
    if (const auto repeats = find_repeats(book, env, job); repeats && *repeats) env.watch.on_notice(text_of(**repeats));
    auto record = book.job(job);
    if (!record) return record.error();
    return held_job{std::move(*record), std::move(lock), false};
}

}  // namespace

result<held_job> find_or_plan(ledger::ledger& book, import_input& input, found_job how, owner_directory owners,
                              input_summary& summary) {
    auto its_own = find_by_origin(book, input, how);
    if (!its_own) return its_own.error();
    if (*its_own) return std::move(**its_own);
    auto found = find_by_files(book, input, how);
    if (!found) return found.error();
    if (*found) return std::move(**found);
    owners = asked_once(std::move(owners));
    // Each time Apollo is asked more is known; what changes faster is for another run.
    constexpr int most_rounds = 4;
    const auto& env = input.env();
    core::settings resolving = env.settings;
    for (int round = 1;; ++round) {
        auto index = book.contacts().index(contact_team_of(env.settings));
        if (!index) return index.error();
        auto unknown = begins_with_unknown(input, owners, resolving, *index);
        if (!unknown) return unknown.error();
        if (!*unknown) {
            own_contacts own;
            contact_resolver contacts(std::move(*index), own.opener(env), resolving, env.clock.now(),
                                      unknown_contacts::stop);
            auto planned = plan_now(book, input, how, owners, contacts, summary);
            if (planned || (contacts.tally().unknown == 0 && contacts.tally().to_create == 0)) return planned;
        }
        if (round == most_rounds)
            return failure{errc::waiting, "Apollo's contacts change faster than they can be looked up; run again"};
        summary = {};
        if (auto r = find_unknown(book, input, owners, resolving, summary); !r) return r.error();
    }
}

}  // namespace taskbarge::job
