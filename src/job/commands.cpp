#include "taskbarge/job/commands.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "job/contacts/contact_proposals.hpp"
#include "job/online/online.hpp"
#include "job/planning/owners.hpp"
#include "job/planning/planning.hpp"
#include "job/sending/import_run.hpp"
#include "taskbarge/core/shortage.hpp"

namespace taskbarge::job {

namespace asio = boost::asio;
using core::errc;
using core::failure;
using core::job_state;
using core::result;

namespace {

job_state state_after(const std::optional<failure>& why) {
    if (!why) return job_state::completed;
    return core::needs_a_person(why->code) ? job_state::failed : job_state::parked;
}

std::optional<failure> key_missing(const environment& env) {
    if (!env.key.empty()) return std::nullopt;
    return failure{errc::no_key, "no API key: set APOLLO_API_KEY, or apollo.api_key_file in the settings"};
}

// The settings must outlive it.
environment with_settings(const environment& env, const core::settings& settings) {
    return {settings, env.key,          env.clock,
            env.stop, env.watch,        env.seed,
            env.book, env.names_others, env.brings_originals_on,
            env.waits};
}

// The stop code of a completed job that a person has given up.
const std::string cancelled = "cancelled";

// Collects what a run has to say, whatever way it ends.
class run_reporter {
 public:
    explicit run_reporter(const environment& env) : env_(env), started_(env.clock.steady_now()) {}

    report& out() { return out_; }
    void stop_with(failure why) {
        out_.why = std::move(why);
        out_.state = at_rest(state_after(out_.why));
    }
    void take_totals(const ledger::job_totals& totals) {
        out_.rows = totals.rows;
        out_.requests = totals.requests;
    }
    // The job's sums from the ledger. A sum that does not add up is a bug.
    void read_totals(ledger::ledger& book) {
        if (!out_.job) return;
        auto totals = book.totals(*out_.job);
        if (!totals) return stop_with(totals.error());
        take_totals(*totals);
        if (out_.rows.accounted() != out_.rows.rows)
            stop_with({errc::internal, fmt::format("job {}: the states of {} rows add up to {}; please report this bug",
                                                   *out_.job, out_.rows.rows, out_.rows.accounted())});
    }
    void take_record(const ledger::job_record& job) {
        out_.pruned_at = job.pruned_at;
        out_.created_at = job.created_at;
        out_.finished_at = job.finished_at;
        if (!out_.files.empty()) return;
        for (std::size_t i = 0; i < job.files.size(); ++i) {
            auto& file = out_.files.emplace_back();
            file.name = job.files[i];
            if (i >= job.file_notes.size()) continue;
            file.format = job.file_notes[i].format;
            file.header = job.file_notes[i].header;
            file.first_row = job.file_notes[i].first_row;
        }
    }
    // The sums, and the other jobs that wait. Once the job is let go: what was left in flight is counted as whoever
    // looks afterwards sees it.
    void read_ledger(ledger::ledger& book) {
        read_totals(book);
        if (out_.job)
            if (const auto record = book.job(*out_.job)) {
                take_record(*record);
            }
        if (!env_.names_others) return;
        auto waiting = book.unfinished_jobs();
        if (!waiting) return;
        for (const auto& j : *waiting)
            if (j.id != out_.job) out_.unfinished_jobs.push_back(j.id);
    }
    report finish() {
        out_.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(env_.clock.steady_now() - started_);
        return std::move(out_);
    }

 private:
    const environment& env_;
    const std::chrono::steady_clock::time_point started_;
    report out_;
};

void record_end(const environment& env, ledger::ledger& book, core::job_id id, const run_end& end, run_purpose purpose,
                run_reporter& reporter) {
    const auto state = state_after(end.why);
    // The duplicates of a cancelled job are not to be sent either, whatever becomes of the rows that they are of.
    const auto code = end.why                          ? std::string(core::to_string(end.why->code))
                      : purpose == run_purpose::cancel ? cancelled
                                                       : std::string();
    auto kept =
        book.set_job_state(id, state, end.resume_at, code, end.why ? end.why->text : std::string(), env.clock.now());
    if (!kept && !end.why) reporter.stop_with(kept.error());
}

// After a run there may be rows left for another one: pending ones, after a run that sends nothing; and, unless the job
// is given up, duplicates that wait for another job's rows, or could be sent in their place.
std::optional<failure> rest_of(ledger::ledger& book, core::job_id id, run_purpose purpose) {
    const auto totals = book.totals(id);
    if (!totals) return totals.error();
    const auto& left = totals->rows;
    if (left.pending > 0)
        return failure{errc::waiting,
                       fmt::format("{} rows are pending; `taskbarge resume {}` sends them", left.pending, id)};
    if (purpose == run_purpose::cancel) return std::nullopt;
    if (left.duplicate_failed > 0)
        return failure{errc::waiting, fmt::format("{} rows ask for tasks that another job has failed to create "
                                                  "meanwhile; `taskbarge resume {}` sends them",
                                                  left.duplicate_failed, id)};
    if (left.duplicate_pending == 0) return std::nullopt;
    const auto waiting = book.waiting_for(id);
    if (!waiting) return waiting.error();
    if (waiting->empty()) return std::nullopt;
    std::vector<core::job_id> jobs;
    std::uint64_t rows = 0;
    for (const auto& one : *waiting) {
        jobs.push_back(one.job);
        rows += one.rows;
    }
    return failure{errc::waiting,
                   fmt::format("{} rows ask for tasks that job {} has still to create; `taskbarge resume` goes on with "
                               "both",
                               rows, fmt::join(jobs, " and job "))};
}

// A run of a job whose lock is held. Writes its end into the ledger.
void run_job(const environment& env, ledger::ledger& book, const ledger::job_record& job, run_purpose purpose,
             run_reporter& reporter) {
    auto totals = book.totals(job.id);
    if (!totals) return reporter.stop_with(totals.error());
    run_end end;
    auto work = [&](session& s) -> asio::awaitable<void> {
        auto run = std::make_unique<import_run>(s, job, *totals, purpose);
        try {
            end = co_await run->run();
        } catch (...) {
            (void)run.release();  // requests that were cut short refer to it, see run_online()
            throw;
        }
        reporter.out().requests_this_run += run->requests_this_run();
        if (env.stop.level() == stop_level::forced) (void)run.release();  // as well
    };
    try {
        if (auto ran = run_online(env, book, work); !ran) end.why = ran.error();
    } catch (const std::exception& e) {
        end.why = core::failure_of(e);  // nothing of the run is left; the ledger has what became of each request
    }
    if (!end.why) end.why = rest_of(book, job.id, purpose);
    reporter.out().state = at_rest(state_after(end.why));
    reporter.out().why = end.why;
    reporter.out().resume_at = end.resume_at;
    record_end(env, book, job.id, end, purpose, reporter);
    if (!end.why && purpose == run_purpose::import) propose_contacts(env, book, job.id);
}

// Whether the job must not go on yet.
std::optional<core::instant> parked_until(const environment& env, const ledger::job_record& job) {
    const auto now = env.clock.now();
    if (job.state == job_state::completed || !job.resume_at || *job.resume_at <= now) return std::nullopt;
    if (*job.resume_at - now > longest_park) return std::nullopt;
    return job.resume_at;
}

// A job that a person paused goes on when a person says so.
bool report_if_paused(const ledger::job_record& job, run_reporter& reporter) {
    if (!job.paused()) return false;
    reporter.stop_with({errc::paused, fmt::format("job {} is paused; `taskbarge resume {}` goes on", job.id, job.id)});
    return true;
}

bool report_if_parked(const environment& env, const ledger::job_record& job, run_reporter& reporter) {
    const auto until = parked_until(env, job);
    if (!until) return false;
    reporter.stop_with({errc::waiting, fmt::format("job {} is parked until {}: {}", job.id,
                                                   core::to_rfc3339_seconds(*until), job.stop_message)});
    reporter.out().resume_at = until;
    return true;
}

// The caller's ledger, or one that is opened for this call.
class used_book {
 public:
    explicit used_book(ledger::ledger* callers) : book_(callers) {}
    explicit used_book(std::unique_ptr<ledger::ledger> own) : own_(std::move(own)), book_(own_.get()) {}
    explicit operator bool() const { return book_ != nullptr; }
    ledger::ledger& operator*() const { return *book_; }
    ledger::ledger* operator->() const { return book_; }

 private:
    std::unique_ptr<ledger::ledger> own_;
    ledger::ledger* book_;
};

// None when the reporter was told why the ledger cannot be opened.
used_book open_book(const environment& env, run_reporter& reporter,
                    ledger::witness_check how = ledger::witness_check::required) {
    if (env.book != nullptr) return used_book(env.book);
    auto book = ledger::open_ledger(env.settings.ledger.path, how);
    if (book) return used_book(std::move(*book));
    reporter.stop_with(book.error());
    return used_book(std::unique_ptr<ledger::ledger>());
}

// Opens the ledger, locks the job, and leaves the rest to `work`.
template <class Work>
report with_job(const environment& env, core::job_id id, Work work) {
    run_reporter reporter(env);
    auto book = open_book(env, reporter);
    if (!book) return reporter.finish();
    auto record = book->job(id);
    if (!record) {
        reporter.stop_with(record.error());
        return reporter.finish();
    }
    reporter.out().job = id;
    auto lock = book->lock_job(id);
    if (!lock)
        reporter.stop_with(lock.error());
    else if (auto fresh = book->job(id); !fresh)
        reporter.stop_with(fresh.error());
    else
        work(*book, *fresh, reporter);
    if (lock) lock->reset();
    reporter.read_ledger(*book);
    return reporter.finish();
}

void report_finished(run_reporter& reporter) {
    reporter.out().state = report_state::completed;
    reporter.out().already_finished = true;
}

void go_on(const environment& env, ledger::ledger& book, const ledger::job_record& job, run_reporter& reporter);

// Goes on with a job that has rows which another one's duplicates ask for, as far as it can. False: what ended it would
// end the other one as well, and the reporter was told. Two jobs that ask for rows of each other end at the lock.
bool bring_on(const environment& env, ledger::ledger& book, const ledger::waiting_for_job& original,
              run_reporter& reporter) {
    auto lock = book.lock_job(original.job);
    if (!lock && lock.error().code == errc::job_held) return true;  // another process does it
    auto record = lock ? book.job(original.job) : result<ledger::job_record>(lock.error());
    if (!record) {
        reporter.stop_with(record.error());
        return false;
    }
    if (record->state == job_state::completed || record->paused() || parked_until(env, *record)) return true;
    env.watch.on_notice(
        fmt::format("job {} goes first: {} rows of this input are the same as rows that it has still to "
                    "send",
                    original.job, original.rows));
    run_reporter theirs(env);
    theirs.out().job = original.job;
    go_on(env, book, *record, theirs);
    reporter.out().requests_this_run += theirs.out().requests_this_run;
    if (!theirs.out().why) {
        theirs.read_totals(book);
        const auto& rows = theirs.out().rows;
        const auto not_created = rows.rejected + rows.failed + rows.unknown + rows.open_duplicates();
        if (not_created > 0)
            env.watch.on_notice(
                fmt::format("job {0} is finished, but {1} of its rows were not created; `taskbarge status "
                            "{0}` says why",
                            original.job, not_created));
    }
    const auto& why = theirs.out().why;
    if (!why || why->code == errc::waiting) return true;
    reporter.stop_with(*why);
    return false;
}

// Rows whose original has failed or was cancelled since are this job's own again.
result<void> free_duplicates(ledger::ledger& book, const ledger::job_record& job, core::task_fields same_by,
                             core::instant now) {
    const auto totals = book.totals(job.id);
    if (!totals) return totals.error();
    if (totals->rows.duplicate_failed == 0) return {};
    if (auto r = book.begin(); !r) return r.error();
    auto freed = book.free_duplicates(job.id, same_by);
    auto done = freed ? result<void>() : result<void>(freed.error());
    // Together: with pending rows the job is not completed any more.
    if (done && *freed > 0 && job.state == job_state::completed)
        done = book.set_job_state(job.id, job_state::parked, std::nullopt, {}, {}, now);
    if (!done) {
        book.rollback();
        return done.error();
    }
    return book.commit();
}

// Whether a completed job has something to do after all: its duplicates ask for rows that are pending or have failed.
result<bool> is_finished(ledger::ledger& book, const ledger::job_record& job) {
    if (job.state != job_state::completed) return false;
    if (job.pruned_at || job.stop_code == cancelled) return true;
    auto totals = book.totals(job.id);
    if (!totals) return totals.error();
    return totals->rows.duplicate_pending + totals->rows.duplicate_failed == 0;
}

// Goes on with a job, and before it with those that have the rows which its duplicates ask for: they have the windows
// anyway.
void go_on(const environment& env, ledger::ledger& book, const ledger::job_record& job, run_reporter& reporter) {
    const auto totals = book.totals(job.id);
    if (!totals) return reporter.stop_with(totals.error());
    if (totals->rows.open_duplicates() == 0) return run_job(env, book, job, run_purpose::import, reporter);
    if (env.brings_originals_on) {
        auto originals = book.waiting_for(job.id);
        if (!originals) return reporter.stop_with(originals.error());
        for (const auto& one : *originals)
            if (!bring_on(env, book, one, reporter)) return;
    }
    if (auto r = free_duplicates(book, job, env.settings.import.dedupe_by, env.clock.now()); !r)
        return reporter.stop_with(r.error());
    auto fresh = book.job(job.id);
    if (!fresh) return reporter.stop_with(fresh.error());
    run_job(env, book, *fresh, run_purpose::import, reporter);
}

// Moves all chunks from one state to another with a code.
result<void> move_chunks(ledger::ledger& book, core::job_id job, core::chunk_state from, core::chunk_state to,
                         const std::string& code, const std::string& message, core::instant now) {
    constexpr std::size_t at_once = 256;
    core::chunk_id after = 0;
    while (true) {
        auto some = book.chunks(job, from, after, at_once);
        if (!some) return some.error();
        if (some->empty()) return {};
        if (auto r = book.begin(); !r) return r.error();
        for (const auto& chunk : *some) {
            after = chunk.id;
            ledger::chunk_update update;
            update.chunk = chunk.id;
            update.state = to;
            update.code = code;
            update.message = message;
            update.possible_duplicate = chunk.possible_duplicate;
            if (to == core::chunk_state::refused) update.settled_at = now;
            if (auto r = book.update_chunk(update); !r) {
                book.rollback();
                return r.error();
            }
        }
        if (auto r = book.commit(); !r) return r.error();
    }
}

// The job of an input, held; nothing when the reporter was told why there is none.
std::optional<held_job> find_or_plan_input(const environment& env, ledger::ledger& book, const import_options& options,
                                           found_job how, run_reporter& reporter) {
    import_input input(env, options);
    input_summary summary;
    auto job = find_or_plan(book, input, how, ask_apollo_for_owners(env), summary);
    reporter.out().files = summary.files;
    reporter.out().contacts = summary.contacts;
    if (job) {
        reporter.out().job = job->record.id;
        return std::move(*job);
    }
    reporter.stop_with(job.error());
    reporter.out().resume_at = summary.resume_at;
    reporter.out().rows.rows = summary.rows;
    reporter.out().rows.rejected = summary.rejected;
    reporter.out().rows.pending = summary.rows - summary.rejected;
    reporter.read_ledger(book);
    return std::nullopt;
}

// Failed rows become pending, and the job unfinished, together: cut short, it is gone on with like any other.
result<void> reopen(ledger::ledger& book, core::job_id id, core::task_fields same_by, core::instant now) {
    if (auto r = book.begin(); !r) return r.error();
    auto done = book.reopen_failed(id, same_by);
    if (done) done = book.set_job_state(id, job_state::parked, std::nullopt, {}, {}, now);
    if (!done) {
        book.rollback();
        return done.error();
    }
    return book.commit();
}

}  // namespace

namespace {

// A completed job comes without its lock, as nobody works on one; this one has something to do after all.
bool hold_again(ledger::ledger& book, held_job& job, run_reporter& reporter) {
    if (job.lock) return true;
    auto lock = book.lock_job(job.record.id);
    auto fresh = lock ? book.job(job.record.id) : result<ledger::job_record>(lock.error());
    if (!fresh) {
        reporter.stop_with(fresh.error());
        return false;
    }
    job.lock = std::move(*lock);
    job.record = std::move(*fresh);
    return true;
}

// Makes a completed job that has something to do after all an unfinished one, which whoever runs those goes on with.
// Gives whether it is finished.
result<bool> reopen_if_unfinished(ledger::ledger& book, const ledger::job_record& job, core::instant now) {
    auto finished = is_finished(book, job);
    if (!finished || *finished || job.state != job_state::completed) return finished;
    auto lock = book.lock_job(job.id);
    if (!lock && lock.error().code == errc::job_held) return false;
    if (!lock) return lock.error();
    if (auto r = book.set_job_state(job.id, job_state::parked, std::nullopt, {}, {}, now); !r) return r.error();
    return false;
}

}  // namespace

report import_files(const environment& env, const import_options& options) {
    run_reporter reporter(env);
    if (auto missing = key_missing(env)) {
        reporter.stop_with(*missing);
        return reporter.finish();
    }
    auto book = open_book(env, reporter);
    if (!book) return reporter.finish();
    auto job = find_or_plan_input(env, *book, options, found_job::held, reporter);
    if (!job) return reporter.finish();
    if (const auto finished = is_finished(*book, job->record); !finished)
        reporter.stop_with(finished.error());
    else if (*finished)
        report_finished(reporter);
    else if (hold_again(*book, *job, reporter) && !report_if_paused(job->record, reporter) &&
             !report_if_parked(env, job->record, reporter))
        go_on(env, *book, job->record, reporter);
    job->lock.reset();
    reporter.read_ledger(*book);
    return reporter.finish();
}

report prepare_files(const environment& caller, const import_options& options, const keep_job& keep) {
    // Others wait for their turn to be planned: what Apollo is asked for is not waited for, but asked again later.
    constexpr auto patience = std::chrono::seconds(5);
    core::settings impatient = caller.settings;
    impatient.send.max_wait = std::min<std::chrono::milliseconds>(impatient.send.max_wait, patience);
    const environment env = with_settings(caller, impatient);
    run_reporter reporter(env);
    auto book = open_book(env, reporter);
    if (!book) return reporter.finish();
    auto job = find_or_plan_input(env, *book, options, found_job::as_it_is, reporter);
    if (!job) return reporter.finish();
    const auto kept = keep(job->record.id, job->record.created_at);
    const auto finished = kept ? reopen_if_unfinished(*book, job->record, env.clock.now()) : result<bool>(kept.error());
    if (!finished)
        reporter.stop_with(finished.error());
    else if (*finished)
        report_finished(reporter);
    else
        reporter.out().state = report_state::parked;
    reporter.read_ledger(*book);
    return reporter.finish();
}

report release_job(const environment& env, core::job_id id) {
    return with_job(env, id, [&](ledger::ledger& book, const ledger::job_record& job, run_reporter& reporter) {
        const auto finished = is_finished(book, job);
        if (!finished) return reporter.stop_with(finished.error());
        if (*finished) return report_finished(reporter);
        auto kept = book.set_job_state(id, job_state::parked, job.resume_at, {}, {}, env.clock.now());
        if (!kept) return reporter.stop_with(kept.error());
        reporter.out().state = report_state::parked;
    });
}

report pause_job(const environment& env, core::job_id id) {
    return with_job(env, id, [&](ledger::ledger& book, const ledger::job_record& job, run_reporter& reporter) {
        if (job.state == job_state::completed) return report_finished(reporter);
        const failure why{errc::paused, fmt::format("job {} is paused; `taskbarge resume {}` goes on", id, id)};
        auto kept = book.set_job_state(id, job_state::parked, std::nullopt, std::string(core::to_string(why.code)),
                                       why.text, env.clock.now());
        reporter.stop_with(kept ? why : kept.error());
    });
}

report resume_job(const environment& env, core::job_id id, paused_job paused) {
    return with_job(env, id, [&](ledger::ledger& book, const ledger::job_record& job, run_reporter& reporter) {
        const auto finished = is_finished(book, job);
        if (!finished) return reporter.stop_with(finished.error());
        if (*finished) return report_finished(reporter);
        if (paused == paused_job::leave && report_if_paused(job, reporter)) return;
        if (auto missing = key_missing(env)) return reporter.stop_with(*missing);
        if (!report_if_parked(env, job, reporter)) go_on(env, book, job, reporter);
    });
}

report retry_job(const environment& env, core::job_id id, unknown_rows unknown) {
    core::settings changed = env.settings;
    if (unknown == unknown_rows::resend) changed.send.when_unverifiable = core::unverifiable_policy::resend;
    const environment retry_env = with_settings(env, changed);
    return with_job(retry_env, id, [&](ledger::ledger& book, const ledger::job_record& job, run_reporter& reporter) {
        if (job.pruned_at) return reporter.stop_with(ledger::rows_pruned(job.id, *job.pruned_at));
        if (auto missing = key_missing(env)) return reporter.stop_with(*missing);
        if (auto r = reopen(book, job.id, env.settings.import.dedupe_by, env.clock.now()); !r)
            return reporter.stop_with(r.error());
        run_job(retry_env, book, job, run_purpose::retry, reporter);
    });
}

report verify_job(const environment& env, core::job_id id) {
    return with_job(env, id, [&](ledger::ledger& book, const ledger::job_record& job, run_reporter& reporter) {
        if (job.pruned_at) return reporter.stop_with(ledger::rows_pruned(job.id, *job.pruned_at));
        if (auto missing = key_missing(env)) return reporter.stop_with(*missing);
        // What was told of a finished job's end is old from now on, also where this process dies on the way.
        if (job.state == job_state::completed) {
            auto marked = book.set_job_state(job.id, job.state, std::nullopt, {}, {}, env.clock.now());
            if (!marked) return reporter.stop_with(marked.error());
        }
        run_job(env, book, job, run_purpose::verify, reporter);
    });
}

report cancel_job(const environment& env, core::job_id id) {
    return with_job(env, id, [&](ledger::ledger& book, const ledger::job_record& job, run_reporter& reporter) {
        const auto finished = is_finished(book, job);
        if (!finished) return reporter.stop_with(finished.error());
        if (*finished) return report_finished(reporter);
        auto moved = move_chunks(book, job.id, core::chunk_state::planned, core::chunk_state::refused, "cancelled",
                                 "the job was cancelled before the row was sent", env.clock.now());
        if (!moved) return reporter.stop_with(moved.error());
        auto totals = book.totals(job.id);
        if (!totals) return reporter.stop_with(totals.error());
        if (totals->rows.unknown + totals->rows.pending == 0) {
            reporter.out().state = report_state::completed;
            return record_end(env, book, job.id, {}, run_purpose::cancel, reporter);
        }
        if (auto missing = key_missing(env)) return reporter.stop_with(*missing);
        run_job(env, book, job, run_purpose::cancel, reporter);
    });
}

namespace {

void report_record(const ledger::job_record& job, run_reporter& reporter) {
    auto& out = reporter.out();
    out.job = job.id;
    out.state = at_rest(job.state);
    out.resume_at = job.resume_at;
    reporter.take_record(job);
    if (job.state == job_state::completed) return;
    // Why it stopped the last time is over while a process works on it.
    if (job.held) {
        out.state = report_state::running;
        out.resume_at.reset();
    } else if (!job.stop_code.empty()) {
        out.why = failure{core::parse_errc(job.stop_code).value_or(errc::waiting), job.stop_message};
    }
}

}  // namespace

report report_job(const environment& env, core::job_id id) {
    run_reporter reporter(env);
    auto book = open_book(env, reporter, ledger::witness_check::ignored);
    if (!book) return reporter.finish();
    auto record = book->job(id);
    if (!record) {
        reporter.stop_with(record.error());
        return reporter.finish();
    }
    report_record(*record, reporter);
    reporter.read_ledger(*book);
    return reporter.finish();
}

report report_listed(const environment& env, ledger::ledger& book, const ledger::job_record& job) {
    run_reporter reporter(env);
    report_record(job, reporter);
    reporter.read_totals(book);
    return reporter.finish();
}

}  // namespace taskbarge::job
