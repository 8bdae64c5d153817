#include "job/planning/planning.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "job/planning/ledger_sink.hpp"
#include "support/manual_clock.hpp"
#include "unit/job/job_samples.hpp"

namespace taskbarge::job {
namespace {

using core::errc;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

// ------------------------------------------------------------------------------------------- identity

class Identity : public ::testing::Test {
 protected:
    ledger::job_identity made() const { return identity_of(settings, options, digest, relative_day); }

    core::settings settings;
    import_options options;
    reader::input_digest digest{"cafe", 4096};
    std::string relative_day;
};

TEST_F(Identity, SameInputAndSettingsAreTheSameJob) {
    EXPECT_EQ(made(), made());
    EXPECT_EQ(made().input_sha256, "cafe");
    EXPECT_EQ(made().input_bytes, 4096u);
    EXPECT_EQ(made().team, "default");
}

TEST_F(Identity, WhatChangesTheTasksMakesAnotherJob) {
    const auto first = made();
    settings.defaults.note = "hello";
    EXPECT_NE(made(), first);
    settings = {};
    settings.columns["contact_id"] = "Id";
    EXPECT_NE(made(), first);
    settings = {};
    settings.import.chunk_size = 50;
    EXPECT_NE(made(), first);
    settings = {};
    settings.dates.time = "09:00";
    EXPECT_NE(made(), first);
    settings = {};
    settings.apollo.team = "sales";
    EXPECT_NE(made(), first);
    settings = {};
    settings.apollo.base_url = "https://127.0.0.1:1/api/v1";
    EXPECT_NE(made(), first);
    settings = {};
    digest.sha256 = "beef";
    EXPECT_NE(made(), first);
}

TEST_F(Identity, HowItIsSentDoesNot) {
    const auto first = made();
    settings.send.connections = 1;
    settings.send.settle_time = 1h;
    settings.import.max_rejects = {50, std::nullopt};
    settings.import.memory = 1;
    settings.limits.reserve_percent = 10;
    EXPECT_EQ(made(), first);
}

TEST_F(Identity, TheFirstRowsAreAJobOfTheirOwn) {
    const auto all = made();
    options.first_rows = 10;
    const auto ten = made();
    EXPECT_NE(ten, all);
    options.first_rows = 11;
    EXPECT_NE(made(), ten);
}

// ------------------------------------------------------------------------------------------- rejects

core::result<void> checked(const char* percent_or_count, std::uint64_t rejected, std::uint64_t rows) {
    input_summary input;
    input.rows = rows;
    input.rejected = rejected;
    reject_line worst{"bad_due_date", rejected, {}};
    worst.example.at.line = 17;
    worst.example.message = "no date";
    input.rejects.push_back(worst);
    const std::string text = percent_or_count;
    core::share_or_count most;
    if (text.ends_with('%'))
        most.percent = std::stod(text);
    else
        most.count = std::stoull(text);
    return check_rejects(most, input);
}

TEST(Rejects, AShareCountsFromTwentyRejectedRowsOn) {
    EXPECT_TRUE(checked("5%", 19, 19)) << "nineteen of nineteen";
    EXPECT_FALSE(checked("5%", 20, 20));
    EXPECT_FALSE(checked("5%", 20, 399));
    EXPECT_TRUE(checked("5%", 20, 400)) << "exactly the share";
    EXPECT_FALSE(checked("5%", 21, 400));
    EXPECT_TRUE(checked("100%", 500, 500));
    EXPECT_FALSE(checked("0%", 20, 1'000'000));
    EXPECT_TRUE(checked("0%", 19, 1'000'000));
}

TEST(Rejects, APlainNumberIsACount) {
    EXPECT_TRUE(checked("3", 3, 1000));
    EXPECT_FALSE(checked("3", 4, 1'000'000));
    EXPECT_FALSE(checked("0", 1, 1'000'000));
    EXPECT_TRUE(checked("0", 0, 1'000'000));
}

TEST(Rejects, TheFailureNamesTheCommonestReasonAndWhereItStands) {
    const auto r = checked("5%", 30, 100);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, errc::too_many_rejects);
    EXPECT_THAT(r.error().text, HasSubstr("30 of 100 rows"));
    EXPECT_THAT(r.error().text, HasSubstr("5%"));
    EXPECT_THAT(r.error().text, HasSubstr("line 17"));
    EXPECT_THAT(r.error().text, HasSubstr("bad_due_date"));
}

TEST(Rejects, FilesOfMendedRejectsDoNotCount) {
    input_summary input;
    input.rows = 1000;
    input.rejected = 60;
    input.rejects.push_back({"bad_due_date", 60, {}});
    input.files.resize(3);
    input.files[1].first_row = 401;
    input.files[2].first_row = 501;
    input.rejected_by_file = {20, 40};
    const auto refused = [&] { return !check_rejects({5.0, std::nullopt}, input); };
    EXPECT_TRUE(refused());
    input.files[1].mended = true;
    EXPECT_FALSE(refused()) << "20 of 900";
    input.rejected_by_file = {46, 14};
    EXPECT_TRUE(refused()) << "46 of 900";
    input.files[0].mended = true;
    EXPECT_FALSE(refused());
    EXPECT_TRUE(check_rejects({0.0, 0}, input)) << "a count neither";
}

// ------------------------------------------------------------------------------------------- into the ledger

class LedgerSink : public ::testing::Test {
 protected:
    core::row row(std::uint64_t number, const core::task_details& details) {
        id_ = contact_id(number);
        return {number, {0, number + 1}, id_, details.view()};
    }
    std::size_t written_chunks() { return book->chunks(job, core::chunk_state::planned, 0, 100'000).value().size(); }

    std::unique_ptr<ledger::ledger> book = ledger::open_ledger(":memory:").value();
    std::pair<core::job_id, std::unique_ptr<ledger::job_lock>> plan =
        book->begin_plan({"a.csv"}, 100, "https://apollo.example", "default", at_second(1'790'000'000)).value();
    const core::job_id job = plan.first;

 private:
    std::string id_;
};

TEST_F(LedgerSink, RowsAreWrittenInLargeTransactionsWhileReading) {
    ledger_sink sink(*book, job, {100, 64u << 20, {}});
    const auto details = call_on_day(20'600);
    for (std::uint64_t n = 1; n <= 48'000; ++n)
        ASSERT_TRUE(sink.on_rows(std::array{row(n, details)}));
    EXPECT_EQ(written_chunks(), 0u);
    for (std::uint64_t n = 48'001; n <= 60'050; ++n)
        ASSERT_TRUE(sink.on_rows(std::array{row(n, details)}));
    ASSERT_TRUE(sink.wait());
    EXPECT_GE(written_chunks(), 480u);
    EXPECT_LT(written_chunks(), 600u);
    ASSERT_TRUE(sink.finish());
    EXPECT_EQ(written_chunks(), 601u);
    EXPECT_EQ(sink.stats().chunks, 601u);
}

TEST_F(LedgerSink, ALargeTransactionIsPartedWhereAnotherWriterWaits) {
    const auto folder = std::filesystem::path(::testing::TempDir()) / ("ledger-sink-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    const auto path = (folder / "l.db").string();
    const std::uint64_t groups = 6000;
    {
        auto planned = ledger::open_ledger(path).value();
        auto sent = ledger::open_ledger(path).value();
        const auto its = planned->begin_plan({"a.csv"}, 100, "https://apollo.example", "default", at_second(1)).value();
        ledger_sink sink(*planned, its.first, {100, 64u << 20, {}});
        auto details = call_on_day(20'600);
        for (std::uint64_t n = 1; n <= groups; ++n) {
            details.note = std::to_string(n);
            ASSERT_TRUE(sink.on_rows(std::array{row(n, details)}));
        }
        std::atomic<bool> over{false}, going{false};
        std::set<std::uint64_t> seen;
        std::thread other([&] {
            while (!over && sent->begin()) {
                seen.insert(sent->totals(its.first).value().requests.groups);
                sent->rollback();
                going = true;
            }
        });
        while (!going)
            std::this_thread::yield();
        EXPECT_TRUE(sink.finish());
        over = true;
        other.join();
        seen.erase(0);
        seen.erase(groups);
        EXPECT_FALSE(seen.empty()) << "all in one";
    }
    std::filesystem::remove_all(folder);
}

TEST_F(LedgerSink, LongOriginalsOfRejectsAreNotHeldBack) {
    ledger_sink sink(*book, job, {100, 64u << 20, {}});
    core::rejected_row reject;
    reject.code = "not_utf8";
    reject.raw = std::string(1u << 20, 'x');
    std::size_t kept = 0;
    for (core::row_number n = 1; n <= 8; ++n) {
        reject.number = n;
        ASSERT_TRUE(sink.on_reject(reject, {}));
    }
    const auto count = [&](const core::rejected_row&) {
        ++kept;
        return true;
    };
    ASSERT_TRUE(sink.wait());
    ASSERT_TRUE(book->each_reject(job, count));
    EXPECT_GE(kept, 4u) << "a few megabytes are enough for a transaction";
}

TEST_F(LedgerSink, NothingIsWrittenOfNothing) {
    ledger_sink sink(*book, job, {100, 64u << 20, {}});
    ASSERT_TRUE(sink.finish());
    EXPECT_EQ(written_chunks(), 0u);
}

// ------------------------------------------------------------------------------------------- finding or planning

// A file of a few rows, and a ledger beside it.
class FindOrPlan : public ::testing::Test {
 protected:
    class silence : public observer {
        void on_progress(const progress&) override {}
        void on_notice(const std::string&) override {}
    };
    class folder {
     public:
        folder() {
            std::string name = (std::filesystem::temp_directory_path() / "planning-test-XXXXXX").string();
            if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
            path = name;
        }
        ~folder() {
            std::error_code ignored;
            std::filesystem::remove_all(path, ignored);
        }
        folder(const folder&) = delete;
        folder& operator=(const folder&) = delete;
        std::filesystem::path path;
    };

    FindOrPlan() {
        settings.ledger.path = (home_.path / "ledger.db").string();
        settings.defaults.user_id = "66302798d03b9601c7934ebf";
        settings.defaults.type = "call";
        settings.defaults.status = "scheduled";
        settings.defaults.due_at = "2027-02-15T09:00:00Z";
        settings.import.chunk_size = 3;
        book = ledger::open_ledger(settings.ledger.path).value();
        options.files = {write("contacts.csv", 10)};
    }

    std::string write(const std::string& name, int good, int bad = 0) {
        const auto path = (home_.path / name).string();
        std::ofstream out(path);
        out << "contact_id\n";
        for (int i = 1; i <= good; ++i)
            out << contact_id(static_cast<std::uint64_t>(i)) << "\n";
        for (int i = 0; i < bad; ++i)
            out << "not an id\n";
        return path;
    }

    core::result<held_job> find() {
        input = {};
        import_input given(env, options);
        return find_or_plan(*book, given, found_job::held, {}, input);
    }
    std::size_t jobs() { return book->jobs().value().size(); }
    void complete(core::job_id id) {
        ASSERT_TRUE(book->set_job_state(id, core::job_state::completed, std::nullopt, "", "", clock.now()));
    }

    core::settings settings;
    core::secret key{"k"};
    testing::manual_clock clock;
    stop_control stop;
    silence watch;
    environment env{settings, key, clock, stop, watch, 1};
    import_options options;
    input_summary input;
    std::unique_ptr<ledger::ledger> book;

 private:
    folder home_;
};

TEST_F(FindOrPlan, ANewInputIsPlannedCompletely) {
    const auto job = find();
    ASSERT_TRUE(job) << job.error().text;
    EXPECT_FALSE(job->found);
    EXPECT_EQ(job->record.minimum_requests, 4u);
    EXPECT_EQ(input.rows, 10u);
    const auto totals = book->totals(job->record.id).value();
    EXPECT_EQ(totals.rows.pending, 10u);
    EXPECT_EQ(totals.rows.accounted(), 10u);
    EXPECT_EQ(job->record.file_notes.at(0).format, "csv");
}

TEST_F(FindOrPlan, TheSameInputIsTheSameJob) {
    const auto first = find().value().record.id;
    const auto again = find().value();
    EXPECT_TRUE(again.found);
    EXPECT_EQ(again.record.id, first);
    EXPECT_EQ(jobs(), 1u);
}

TEST_F(FindOrPlan, AnotherNameOfTheSameBytesIsTheSameJob) {
    const auto first = find().value().record.id;
    options.files = {write("copy.csv", 10)};
    EXPECT_EQ(find().value().record.id, first);
}

TEST_F(FindOrPlan, WhileAnotherHoldsTheJobItIsNotToBeHad) {
    const auto mine = find().value();
    const auto other = find();
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, errc::job_held);
}

TEST_F(FindOrPlan, AFinishedJobIsFoundUnlessANewOneIsAskedFor) {
    const auto first = find().value().record.id;
    complete(first);
    const auto found = find().value();
    EXPECT_TRUE(found.found);
    EXPECT_EQ(found.record.state, core::job_state::completed);
    options.again = true;
    const auto second = find().value();
    EXPECT_FALSE(second.found);
    EXPECT_NE(second.record.id, first);
    EXPECT_EQ(find().error().code, errc::job_held) << "the unfinished new one goes before another";
}

TEST_F(FindOrPlan, AfterANewJobOfTheSameInputItIsTheNewOneThatIsFound) {
    complete(find().value().record.id);
    options.again = true;
    const auto second = find().value().record.id;
    complete(second);
    options.again = false;
    EXPECT_EQ(find().value().record.id, second);
}

TEST_F(FindOrPlan, OtherSettingsMakeAnotherJob) {
    const auto first = find().value().record.id;
    settings.defaults.note = "new";
    EXPECT_NE(find().value().record.id, first);
    EXPECT_EQ(jobs(), 2u);
}

TEST_F(FindOrPlan, RowsOfAnEarlierJobAreDuplicates) {
    const auto first = find().value();
    options.first_rows = 4;
    const auto second = find().value();
    const auto totals = book->totals(second.record.id).value();
    EXPECT_EQ(totals.rows.rows, 4u);
    EXPECT_EQ(totals.rows.duplicate, 4u);
    EXPECT_EQ(totals.requests.minimum_requests, 0u);
}

TEST_F(FindOrPlan, TooManyRejectsLeaveNoJobBehind) {
    options.files = {write("bad.csv", 10, 30)};
    const auto r = find();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, errc::too_many_rejects);
    EXPECT_EQ(jobs(), 0u);
    EXPECT_EQ(input.rows, 40u);
    EXPECT_EQ(input.rejected, 30u);
}

TEST_F(FindOrPlan, AStopWhileReadingLeavesNoJobBehind) {
    stop.request();
    const auto r = find();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, errc::interrupted);
    EXPECT_EQ(jobs(), 0u);
}

TEST_F(FindOrPlan, AMissingFileIsToldByItsName) {
    options.files = {"/nowhere/contacts.csv"};
    const auto r = find();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, errc::input);
    EXPECT_THAT(r.error().text, HasSubstr("/nowhere/contacts.csv"));
}

TEST_F(FindOrPlan, AFinishedJobWithRelativeDatesIsItsDaysOwn) {
    settings.defaults.due_at = "+3d";
    settings.dates.timezone = "UTC";
    settings.dates.time = "09:00";
    const auto first = find().value().record;
    EXPECT_FALSE(first.identity.relative_day.empty());
    complete(first.id);
    EXPECT_EQ(find().value().record.id, first.id);
    clock.jump(24h);
    const auto tomorrow = find();
    ASSERT_TRUE(tomorrow) << tomorrow.error().text;
    EXPECT_NE(tomorrow->record.id, first.id);
}

TEST_F(FindOrPlan, AnUnfinishedJobWithRelativeDatesGoesOnTheNextDay) {
    settings.defaults.due_at = "+3d";
    settings.dates.timezone = "UTC";
    settings.dates.time = "09:00";
    const auto first = find().value().record;
    clock.jump(24h);
    const auto tomorrow = find();
    ASSERT_TRUE(tomorrow) << tomorrow.error().text;
    EXPECT_TRUE(tomorrow->found);
    EXPECT_EQ(tomorrow->record.id, first.id);
    EXPECT_EQ(jobs(), 1u);
}

TEST_F(FindOrPlan, RelativeDatesThatCountFromAFixedDayAreTheSameJobOnAnyDay) {
    settings.defaults.due_at = "+3d";
    settings.dates.timezone = "UTC";
    settings.dates.time = "09:00";
    options.as_of = clock.now();
    const auto first = find().value().record;
    clock.jump(24h);
    const auto tomorrow = find();
    ASSERT_TRUE(tomorrow) << tomorrow.error().text;
    EXPECT_EQ(tomorrow->record.id, first.id);
    EXPECT_EQ(book->chunks(first.id, core::chunk_state::planned, 0, 1).value().at(0).details.due_at,
              std::chrono::floor<std::chrono::days>(*options.as_of) + 72h + 9h);
}

TEST_F(FindOrPlan, AnOccasionMakesAJobOfItsOwnThatIsFoundByIt) {
    settings.import.dedupe = core::dedupe_scope::file;
    complete(find().value().record.id);
    options.occasion = "contacts.csv.1";
    const auto second = find().value().record.id;
    complete(second);
    const auto again = find().value();
    EXPECT_TRUE(again.found);
    EXPECT_EQ(again.record.id, second);
    EXPECT_EQ(jobs(), 2u);
}

TEST_F(FindOrPlan, AnInputIsKnownByItsOriginWhateverTheSettings) {
    options.origin = "ticket";
    const auto first = find().value().record.id;
    settings.defaults.note = "hello";
    settings.import.chunk_size = 4;
    settings.apollo.team = "sales";
    const auto unfinished = find().value();
    EXPECT_TRUE(unfinished.found);
    EXPECT_EQ(unfinished.record.id, first);
    complete(first);
    options.again = true;
    EXPECT_EQ(find().value().record.id, first) << "another job is for another input";
    EXPECT_EQ(jobs(), 1u);
    options.origin = "another ticket";
    EXPECT_NE(find().value().record.id, first);
}

TEST_F(FindOrPlan, AnInputWithoutOriginIsNotFoundByIt) {
    const auto first = find().value().record.id;
    settings.defaults.note = "hello";
    EXPECT_NE(find().value().record.id, first);
}

TEST_F(FindOrPlan, AnotherFileOfAKnownOriginIsRefused) {
    options.origin = "ticket";
    const auto first = find().value().record.id;
    options.files = {write("contacts.csv", 11)};
    const auto other = find();
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, errc::input);
    EXPECT_THAT(other.error().text, HasSubstr("job " + std::to_string(first)));
}

TEST_F(FindOrPlan, TwoThatPlanOneInputAtOnceUnderDifferentSettingsHaveOneJob) {
    struct meanwhile final : silence {
        void on_notice(const std::string&) override {
            if (auto once = std::exchange(work, {})) once();
        }
        std::function<void()> work;
    } reading;
    options.origin = "ticket";
    const auto file = options.files.front();
    std::ofstream(file) << "contact_id,not used\n" << contact_id(1) << ",\n";
    core::job_id theirs = 0;
    // A column that is not used is told when all is read.
    reading.work = [&] {
        auto changed = settings;
        changed.defaults.note = "hello";
        const environment other{changed, key, clock, stop, watch, 1};
        input_summary read;
        import_input same(other, options);
        theirs = find_or_plan(*ledger::open_ledger(settings.ledger.path).value(), same, found_job::held, {}, read)
                     .value()
                     .record.id;
    };
    const environment mine{settings, key, clock, stop, reading, 1};
    import_input given(mine, options);
    const auto held = find_or_plan(*book, given, found_job::held, {}, input);
    ASSERT_TRUE(held) << held.error().text;
    EXPECT_EQ(held->record.id, theirs);
    EXPECT_TRUE(held->found);
    EXPECT_EQ(jobs(), 1u);
}

// A job of yesterday's dates would else pass for today's, whose tasks nobody makes.
TEST_F(FindOrPlan, AReadingThatPassesMidnightHasTheDayFromWhichItsDatesCount) {
    class slow_reading final : public core::clock {
     public:
        core::instant now() const override { return core::instant(25h * ++looks_); }
        std::chrono::steady_clock::time_point steady_now() const override { return {}; }

     private:
        mutable std::atomic<int> looks_{0};
    } each_look_is_a_day_later;
    settings.dates.timezone = "UTC";
    settings.dates.time = "09:00";
    std::ofstream(options.files.front()) << "contact_id,due_at\n" << contact_id(1) << ",+3d\n";
    const environment late{settings, key, each_look_is_a_day_later, stop, watch, 1};
    import_input given(late, options);
    const auto job = find_or_plan(*book, given, found_job::held, {}, input);
    ASSERT_TRUE(job) << job.error().text;
    const auto due = book->chunks(job->record.id, core::chunk_state::planned, 0, 1).value().at(0).details.due_at;
    EXPECT_EQ(core::to_rfc3339(due - 72h).substr(0, 10), job->record.identity.relative_day);
}

TEST_F(FindOrPlan, FilesMayBeCalledByOtherNames) {
    options.names = {"contacts of May.csv"};
    EXPECT_EQ(find().value().record.files, std::vector<std::string>{"contacts of May.csv"});
    EXPECT_EQ(input.files.at(0).name, "contacts of May.csv");
}

TEST_F(FindOrPlan, APreparedJobIsFoundWhileAnotherHoldsIt) {
    const auto mine = find().value();
    core::job_id kept = 0;
    const auto keep = [&](core::job_id id, core::instant made) {
        kept = id;
        EXPECT_EQ(made, mine.record.created_at);
        return core::result<void>();
    };
    const auto r = prepare_files(env, options, keep);
    EXPECT_FALSE(r.why) << r.why->text;
    EXPECT_EQ(r.job, mine.record.id);
    EXPECT_EQ(kept, mine.record.id);
    EXPECT_EQ(r.state, report_state::parked);
}

TEST_F(FindOrPlan, APreparedJobIsNobodyElsesUntilItIsKept) {
    const auto keep = [&](core::job_id id, core::instant) -> core::result<void> {
        EXPECT_EQ(book->lock_job(id).error().code, errc::job_held);
        return core::failure{errc::io, "no room for the note"};
    };
    const auto r = prepare_files(env, options, keep);
    ASSERT_TRUE(r.why);
    EXPECT_EQ(r.why->code, errc::io);
    EXPECT_EQ(r.rows.pending, 10u) << "the job is there and can be prepared again";
}

TEST_F(FindOrPlan, APausedJobWaitsUntilItIsReleased) {
    const auto id =
        prepare_files(env, options, [](core::job_id, core::instant) { return core::result<void>(); }).job.value();
    EXPECT_EQ(pause_job(env, id).why->code, errc::paused);
    const auto cron = import_files(env, options);
    ASSERT_TRUE(cron.why);
    EXPECT_EQ(cron.why->code, errc::paused);
    EXPECT_EQ(cron.rows.pending, 10u);
    EXPECT_FALSE(release_job(env, id).why);
    EXPECT_EQ(book->job(id).value().stop_code, "");
}

TEST_F(FindOrPlan, APlanGivesTheRejectsOfAnInputThatMakesNoJob) {
    options.files = {write("good.csv", 10), write("bad.csv", 10, 30)};
    std::vector<core::row_number> first_rows;
    const auto plan = plan_files(env, options, [&](const core::rejected_row& row, const ledger::file_note& file) {
        EXPECT_EQ(row.code, "invalid_contact_id");
        EXPECT_EQ(file.header, "contact_id");
        first_rows.push_back(file.first_row);
        return core::result<void>();
    });
    ASSERT_TRUE(plan.base.why);
    EXPECT_EQ(plan.base.why->code, errc::too_many_rejects);
    EXPECT_EQ(first_rows, std::vector<core::row_number>(30, 11));
}

TEST_F(FindOrPlan, WhoeverCannotTakeARejectEndsThePlan) {
    options.files = {write("bad.csv", 10, 30)};
    std::size_t told = 0;
    const auto plan =
        plan_files(env, options, [&](const core::rejected_row&, const ledger::file_note&) -> core::result<void> {
            ++told;
            return core::failure{errc::io, "no room"};
        });
    EXPECT_EQ(plan.base.why.value().code, errc::io);
    EXPECT_EQ(told, 1u);
}

}  // namespace
}  // namespace taskbarge::job
