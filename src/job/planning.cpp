#include "job/planning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "job/contact_finder.hpp"
#include "job/input_pump.hpp"
#include "job/ledger_sink.hpp"
#include "job/repeats.hpp"
#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::job {

using core::errc;
using core::failure;
using core::result;
using namespace std::chrono_literals;

namespace {

constexpr auto progress_interval = 200ms;
// Rows between two guesses at the number of all rows. What is read ahead (some 16,000) spoils a guess a little.
constexpr core::row_number guess_interval = 100'000;

// Counts rejects by code and keeps the first of each as its example.
class reject_tally {
 public:
    void add(const core::rejected_row& row) {
        auto [at, fresh] = lines_.try_emplace(row.code);
        if (fresh) {
            at->second.code = row.code;
            at->second.example = row;
        }
        ++at->second.rows;
        ++total_;
        if (by_file_.size() <= row.at.file) by_file_.resize(row.at.file + 1);
        ++by_file_[row.at.file];
    }
    std::uint64_t total() const { return total_; }
    const std::vector<std::uint64_t>& by_file() const { return by_file_; }
    std::vector<reject_line> lines() const {
        std::vector<reject_line> out;
        for (const auto& [code, line] : lines_)
            out.push_back(line);
        std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.rows > b.rows; });
        return out;
    }

 private:
    std::map<std::string, reject_line> lines_;
    std::vector<std::uint64_t> by_file_;
    std::uint64_t total_ = 0;
};

// Relative dates count from its day.
core::instant day_base(const environment& env, const import_options& options) {
    return options.as_of.value_or(env.clock.now());
}

const std::vector<std::string>& names_of(const import_options& options) {
    return options.names.empty() ? options.files : options.names;
}

result<void> hand_over(reader::row_batch& batch, contact_resolver& contacts, input_pump& pump, row_sink& sink,
                       reject_tally& tally) {
    auto known = contacts.resolve(batch);
    if (!known) return known.error();
    if (!*known) return failure{errc::waiting, "the contact of a row is not known"};
    if (auto r = sink.on_rows(batch.rows); !r) return r.error();
    if (auto r = sink.on_keys(contacts.found_by()); !r) return r.error();
    for (const auto& reject : batch.rejects) {
        tally.add(reject);
        if (auto r = sink.on_reject(reject, pump.note_of(reject.at.file)); !r) return r.error();
    }
    return {};
}

// The rows of the whole input, if the rest of it is like the part that was read.
std::uint64_t expected_rows(core::row_number rows, std::uint64_t bytes_read, std::uint64_t bytes, std::uint64_t first) {
    if (bytes_read == 0) return 0;
    const auto all = static_cast<std::uint64_t>(static_cast<double>(rows) * static_cast<double>(bytes) /
                                                static_cast<double>(bytes_read));
    return first > 0 ? std::min(all, first) : all;
}

failure interrupted() {
    return {errc::interrupted, "stopped while reading the input: nothing was sent; run the same command again"};
}

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
result<std::optional<ledger::job_record>> find_same(const environment& env, ledger::ledger& book,
                                                    const import_options& options, const ledger::job_identity& wanted) {
    auto candidates = book.find_jobs(wanted.base_url, wanted.team, wanted.input_bytes, wanted.input_sha256);
    if (!candidates) return candidates.error();
    const auto today = relative_day(env.settings, day_base(env, options));
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

bool reads_standard_input(const import_options& options) {
    return std::find(options.files.begin(), options.files.end(), "-") != options.files.end();
}

// A file up to this size is hashed at once.
constexpr std::uint64_t small_file = 1UL << 20;

std::function<bool()> goes_on(const environment& env) {
    return [&env] { return env.stop.level() == stop_level::none; };
}

// Looks for the job by size first: hashing a large file is only worth it when a job of that size exists.
result<std::optional<held_job>> find_by_files(const environment& env, ledger::ledger& book,
                                              const import_options& options, found_job how) {
    if (reads_standard_input(options)) return std::optional<held_job>();
    auto bytes = reader::size_of(options.files);
    if (!bytes) return bytes.error();
    if (*bytes > small_file) {
        auto candidates = book.find_jobs(env.settings.apollo.base_url, env.settings.apollo.team, *bytes);
        if (!candidates) return candidates.error();
        if (candidates->empty()) return std::optional<held_job>();
    }
    auto digest = reader::digest_of(options.files, goes_on(env));
    if (!digest) return digest.error();
    input_summary input;
    input.sha256 = digest->sha256;
    input.bytes = digest->bytes;
    auto same = find_same(env, book, options, identity_of(env.settings, options, input));
    if (!same) return same.error();
    if (!*same || !serves(**same, options)) return std::optional<held_job>();
    auto held = hold(book, std::move(**same), how);
    if (!held) return held.error();
    return std::optional(std::move(*held));
}

// The job that was planned for this very input. Its settings may be others by now, but the job may have sent its rows.
result<std::optional<held_job>> find_by_origin(const environment& env, ledger::ledger& book,
                                               const import_options& options, found_job how) {
    auto job = book.job_of_origin(options.origin);
    if (!job) return job.error();
    if (!*job) return std::optional<held_job>();
    const auto digest = reader::digest_of(options.files, goes_on(env));
    if (!digest) return digest.error();
    if (!(*job)->keys_forgotten && digest->sha256 != (*job)->identity.input_sha256)
        return failure{errc::input,
                       fmt::format("{} was another file when job {} was planned for it; what is in it now is an input "
                                   "of its own",
                                   names_of(options).front(), (*job)->id)};
    auto held = hold(book, std::move(**job), how);
    if (!held) return held.error();
    return std::optional(std::move(*held));
}

// What was passed over in silence, and once the columns that nothing uses: what was meant to be used is among them when
// its name is misspelt.
void tell_of_files(const environment& env, const input_summary& input) {
    constexpr std::size_t most_named = 20;
    for (const auto& file : input.files) {
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
result<void> fill_plan(const environment& env, ledger::ledger& book, core::job_id job, const import_options& options,
                       owner_directory owners, contact_resolver& contacts, input_summary& input) {
    ledger_sink sink(book, job,
                     {env.settings.import.chunk_size, env.settings.import.memory, {}, env.settings.import.dedupe_by});
    auto read = read_input(env, options, std::move(owners), contacts, sink, [&](progress& p) {
        p.job = job;
        p.requests.groups = sink.stats().groups;
        p.rows.duplicate = sink.stats().duplicates;
    });
    if (!read) return read.error();
    input = std::move(*read);
    tell_of_files(env, input);
    if (input.contacts.all() > 0) env.watch.on_notice("contacts: " + text_of(input.contacts));
    if (auto r = check_rejects(env.settings.import.max_rejects, input); !r) return r.error();
    if (auto r = sink.finish(); !r) return r.error();
    std::vector<ledger::file_note> notes;
    for (const auto& f : input.files)
        notes.push_back(note_of(f));
    return book.set_files(job, notes);
}

}  // namespace

reader::source_options source_options_of(const environment& env, const import_options& options,
                                         owner_directory owners) {
    reader::source_options so;
    so.columns = env.settings.columns;
    so.values = env.settings.values;
    so.defaults = env.settings.defaults;
    so.dates = env.settings.dates;
    so.import = env.settings.import;
    so.now = day_base(env, options);
    so.first_rows = options.first_rows;
    so.names = options.names;
    so.owners = std::move(owners);
    return so;
}

std::string relative_day(const core::settings& s, core::instant now) {
    return reader::day_of(s.dates, now);
}

ledger::job_identity identity_of(const core::settings& s, const import_options& options, const input_summary& input) {
    ledger::job_identity id;
    id.base_url = s.apollo.base_url;
    id.team = s.apollo.team;
    id.input_sha256 = input.sha256;
    id.input_bytes = input.bytes;
    id.settings_text = core::identity_text(s);
    if (options.first_rows > 0) id.settings_text += fmt::format("first={}\n", options.first_rows);
    if (!options.occasion.empty()) id.settings_text += fmt::format("occasion={}\n", options.occasion);
    id.relative_day = input.relative_day;
    return id;
}

namespace {

struct rows_and_rejects {
    std::uint64_t rows = 0, rejected = 0;
};

// Without the files of mended rejects: that rows were wrong there is known, and not all of them need be mended at once.
rows_and_rejects of_files_not_mended(const input_summary& input) {
    rows_and_rejects sum{input.rows, input.rejected};
    for (std::size_t i = 0; i < input.files.size(); ++i) {
        if (!input.files[i].mended) continue;
        const auto end = i + 1 < input.files.size() ? input.files[i + 1].first_row : input.rows + 1;
        sum.rows -= end - input.files[i].first_row;
        if (i < input.rejected_by_file.size()) sum.rejected -= input.rejected_by_file[i];
    }
    return sum;
}

}  // namespace

result<void> check_rejects(const core::share_or_count& most, const input_summary& input) {
    // A share of few rows says little: it counts from twenty rejected rows on.
    constexpr std::uint64_t share_counts_from = 20;
    const auto counted = of_files_not_mended(input);
    const bool passed =
        most.count ? counted.rejected > *most.count
                   : counted.rejected >= share_counts_from && static_cast<double>(counted.rejected) * 100.0 >
                                                                  most.percent * static_cast<double>(counted.rows);
    if (!passed) return {};
    const auto limit = most.count ? fmt::format("{}", *most.count) : fmt::format("{:g}%", most.percent);
    const auto& worst = input.rejects.front();
    // This goes to logs: what names a person stays in the plan and the rejects.
    const bool names_a_person = worst.code == "invalid_email" || worst.code == "invalid_linkedin_url";
    return failure{
        errc::too_many_rejects,
        fmt::format("{} of {} rows are rejected, more than import.max_rejects = {}, so nothing was sent; the "
                    "commonest reason ({} rows) is {}, first in {}: {}",
                    counted.rejected, counted.rows, limit, worst.rows, worst.code, place_of(worst.example, input.files),
                    names_a_person ? "it is no key of a contact" : worst.example.message)};
}

result<input_summary> read_input(const environment& env, const import_options& options, owner_directory owners,
                                 contact_resolver& contacts, row_sink& sink,
                                 const std::function<void(progress&)>& describe) {
    auto from = source_options_of(env, options, std::move(owners));
    from.keep_records = contacts.checks_ids();
    auto source = reader::row_source::open(options.files, std::move(from));
    if (!source) return source.error();
    progress p;
    p.bytes_total = source->bytes_total();
    const auto day = relative_day(env.settings, day_base(env, options));
    input_pump pump(std::move(*source));
    input_summary input;
    reject_tally tally;
    auto last_shown = env.clock.steady_now();
    while (true) {
        if (env.stop.level() != stop_level::none) return interrupted();
        auto batch = pump.next(progress_interval);
        if (!batch) return batch.error();
        if (!*batch) break;
        input.rows += (*batch)->rows.size() + (*batch)->rejects.size();
        if (input.rows % guess_interval < (*batch)->rows.size() && p.bytes_total > 0)
            sink.expect(expected_rows(input.rows, pump.bytes_read(), p.bytes_total, options.first_rows));
        if (auto r = hand_over(**batch, contacts, pump, sink, tally); !r) return r.error();
        pump.recycle(std::move(**batch));
        if (const auto now = env.clock.steady_now(); now - last_shown >= progress_interval) {
            last_shown = now;
            p.bytes_read = pump.bytes_read();
            p.rows.rows = input.rows;
            p.rows.rejected = tally.total();
            describe(p);
            env.watch.on_progress(p);
        }
    }
    const reader::row_source& done = pump.finish();
    input.rejected = tally.total();
    input.rejects = tally.lines();
    input.rejected_by_file = tally.by_file();
    input.files = done.files();
    input.contacts = contacts.tally();
    input.unknown_words = done.unknown_words();
    input.sha256 = done.digest();
    input.bytes = done.bytes_read();
    if (done.used_relative_dates()) input.relative_day = day;
    return input;
}

namespace {

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
result<void> find_unknown(const environment& env, ledger::ledger& book, const import_options& options,
                          const owner_directory& owners, core::settings& resolving, input_summary& input) {
    if (reads_standard_input(options))
        return failure{errc::input,
                       "standard input has contacts that are not known here yet, and it can be read only once; save it "
                       "as a file, or run `taskbarge contacts refresh` first"};
    auto index = book.contacts().index(contact_team_of(env.settings));
    if (!index) return index.error();
    own_contacts own;
    contact_resolver contacts(std::move(*index), own.opener(env), resolving, env.clock.now(),
                              unknown_contacts::collect);
    nothing_kept sink;
    auto read = read_input(env, options, owners, contacts, sink, [](progress&) {});
    if (!read) return read.error();
    // Where rows are no good for other reasons nothing is spent on their neighbours.
    if (auto r = check_rejects(env.settings.import.max_rejects, *read); !r) {
        input = std::move(*read);
        return r.error();
    }
    // The same for the same input, wherever it is stopped.
    constexpr std::size_t label_size = 8;
    contacts.wanted().label = "taskbarge " + read->sha256.substr(0, label_size);
    auto end = find_contacts(env, book, contacts.wanted());
    input.resume_at = end.resume_at;
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
result<bool> begins_with_unknown(const environment& env, const import_options& options, const owner_directory& owners,
                                 const core::settings& resolving, const ledger::contact_index& index) {
    if (reads_standard_input(options)) return false;
    own_contacts own;
    contact_resolver contacts(index, own.opener(env), resolving, env.clock.now(), unknown_contacts::stop);
    auto from = source_options_of(env, options, owners);
    from.keep_records = contacts.checks_ids();
    auto source = reader::row_source::open(options.files, std::move(from));
    if (!source) return source.error();
    reader::row_batch batch;
    if (auto read = source->next(batch); !read) return read.error();
    auto known = contacts.resolve(batch);
    if (!known) return known.error();
    return !*known;
}

result<held_job> plan_anew(const environment& env, ledger::ledger& book, const import_options& options, found_job how,
                           owner_directory owners, contact_resolver& contacts, input_summary& input) {
    const auto& apollo = env.settings.apollo;
    auto begun = book.begin_plan(names_of(options), env.settings.import.chunk_size, apollo.base_url, apollo.team,
                                 env.clock.now());
    if (!begun) return begun.error();
    const core::job_id job = begun->first;
    auto& lock = begun->second;
    const auto give_up = [&](failure why) -> failure {
        // What cannot be removed now is removed by the next planning: its process is gone then.
        (void)book.discard_plan(job);
        return why;
    };
    if (auto r = fill_plan(env, book, job, options, std::move(owners), contacts, input); !r) return give_up(r.error());
    core::fault_point("planned");
    if (options.still_whole)
        if (auto r = options.still_whole(); !r) return give_up(r.error());

    const auto identity = identity_of(env.settings, options, input);
    auto same = find_same(env, book, options, identity);
    if (!same) return give_up(same.error());
    if (*same && serves(**same, options)) {
        if (auto r = book.discard_plan(job); !r) return r.error();
        return hold(book, std::move(**same), how);
    }
    auto final_identity = identity;
    if (*same) final_identity.settings_text += fmt::format("{}{}\n", again_mark, (*same)->id);
    const auto& import = env.settings.import;
    auto committed = book.commit_plan(
        job, final_identity, {input.rows, input.rejected},
        import.dedupe == core::dedupe_scope::ledger ? std::optional(import.dedupe_by) : std::nullopt, options.origin);
    if (!committed) {
        const auto why = committed.error();
        (void)book.discard_plan(job);
        if (why.code != errc::job_held) return why;
        // Another process committed the same input in the meantime: its job is ours too.
        auto its_own = find_by_origin(env, book, options, how);
        if (!its_own) return its_own.error();
        if (*its_own) return std::move(**its_own);
        auto other = find_same(env, book, options, identity);
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

result<held_job> find_or_plan(const environment& env, ledger::ledger& book, const import_options& options,
                              found_job how, owner_directory owners, input_summary& input) {
    auto its_own = find_by_origin(env, book, options, how);
    if (!its_own) return its_own.error();
    if (*its_own) return std::move(**its_own);
    auto found = find_by_files(env, book, options, how);
    if (!found) return found.error();
    if (*found) return std::move(**found);
    owners = asked_once(std::move(owners));
    // Each time Apollo is asked more is known; what changes faster is for another run.
    constexpr int most_rounds = 4;
    core::settings resolving = env.settings;
    for (int round = 1;; ++round) {
        auto index = book.contacts().index(contact_team_of(env.settings));
        if (!index) return index.error();
        auto unknown = begins_with_unknown(env, options, owners, resolving, *index);
        if (!unknown) return unknown.error();
        if (!*unknown) {
            own_contacts own;
            contact_resolver contacts(std::move(*index), own.opener(env), resolving, env.clock.now(),
                                      unknown_contacts::stop);
            auto planned = plan_anew(env, book, options, how, owners, contacts, input);
            if (planned || (contacts.tally().unknown == 0 && contacts.tally().to_create == 0)) return planned;
        }
        if (round == most_rounds)
            return failure{errc::waiting, "Apollo's contacts change faster than they can be looked up; run again"};
        input = {};
        if (auto r = find_unknown(env, book, options, owners, resolving, input); !r) return r.error();
    }
}

}  // namespace taskbarge::job
