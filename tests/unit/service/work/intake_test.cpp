#include "service/work/intake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>

#include "unit/service/work/workplace.hpp"

namespace taskbarge::service {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using namespace std::chrono_literals;

// The day is the test's, waits are real.
class settable_day final : public core::clock {
 public:
    core::instant now() const override { return core::instant(std::chrono::milliseconds(wall_)); }
    std::chrono::steady_clock::time_point steady_now() const override { return std::chrono::steady_clock::now(); }
    void next_day() { wall_ += std::chrono::milliseconds(24h).count(); }

 private:
    std::atomic<std::int64_t> wall_{1'790'000'000'000};  // 2026-09-21T14:13:20Z
};

// A store whose disk is full when the first job is to be noted.
class full_disk final : public inbox::item_store {
 public:
    full_disk(inbox::item_store& store, std::function<void()> meanwhile)
        : store_(store), meanwhile_(std::move(meanwhile)) {}

    core::result<void> set_job(inbox::held_item& held, core::job_id job, core::instant made) override {
        if (refused > 0) return store_.set_job(held, job, made);
        ++refused;
        meanwhile_();
        return core::failure{core::errc::ledger_full, "no room"};
    }
    core::result<std::optional<inbox::held_item>> take(const std::string& name, core::instant now) override {
        return store_.take(name, now);
    }
    core::result<std::unique_ptr<inbox::upload>> begin_upload(inbox::item_note note) override {
        return store_.begin_upload(std::move(note));
    }
    core::result<inbox::held_item> take_path(const std::string& path, const std::vector<std::string>& allowed,
                                             inbox::item_note note) override {
        return store_.take_path(path, allowed, std::move(note));
    }
    core::result<std::vector<inbox::held_item>> adopt(std::size_t most) override { return store_.adopt(most); }
    core::result<std::vector<inbox::item>> list(inbox::item_place place, std::size_t most) override {
        return store_.list(place, most);
    }
    core::result<std::vector<std::string>> done_with(const std::set<core::job_id>& jobs) override {
        return store_.done_with(jobs);
    }
    core::result<std::optional<inbox::item>> find(const std::string& id) override { return store_.find(id); }
    core::result<std::optional<inbox::held_item>> hold(const std::string& id) override { return store_.hold(id); }
    core::result<void> add_file(const inbox::held_item& held, const std::string& name,
                                const std::function<core::result<void>(int fd)>& write) override {
        return store_.add_file(held, name, write);
    }
    core::result<void> put_away(inbox::held_item& held, inbox::item_place where) override {
        return store_.put_away(held, where);
    }
    const std::string& root() const override { return store_.root(); }

    int refused = 0;

 private:
    inbox::item_store& store_;
    std::function<void()> meanwhile_;
};

class Intake : public Workplace {
 protected:
    Intake() {
        change([](core::settings& s) {
            s.dates.timezone = "UTC";
            s.dates.time = "09:00";
        });
        store = inbox::item_store::open(path("inbox")).value();
    }

    std::unique_ptr<intake> make() { return make(*store); }
    std::unique_ptr<intake> make(inbox::item_store& of) {
        intake::parts p{configuration, clock, of, runs, most_items, {}, {}, {}};
        p.job_ready = [] {};
        p.found_finished = [this](core::job_id job) { told.add("found_finished", std::to_string(job)); };
        p.failed = [this](const inbox::item& item, const core::failure& why) {
            told.add("failed", item.id + ": " + why.text);
        };
        return std::make_unique<intake>(std::move(p));
    }

    std::string rows(const std::string& due = "2027-02-10T10:00:00Z") const {
        return "contact_id,user_id,type,status,due_at\n"
               "000000000000000000000001,66302798d03b9601c7934ebf,call,scheduled," +
               due + "\n";
    }
    // An item that nobody holds, as a dead process leaves it.
    inbox::item left(const std::string& bytes, bool again = false) {
        inbox::item_note note;
        note.name = "a.csv";
        note.taken_at = clock.now();
        note.again = again;
        auto upload = store->begin_upload(note).value();
        upload->write(bytes).value();
        return upload->finish().value().item();
    }
    void write(const std::string& where, const std::string& text) const { std::ofstream(where) << text; }
    void finish(core::job_id job) const {
        book()->set_job_state(job, core::job_state::completed, std::nullopt, "", "", clock.now()).value();
    }
    std::size_t jobs() const { return book()->jobs().value().size(); }
    // As after a kill between the plan's commit and the number's being written.
    static void forget_job(const inbox::item& item) { std::filesystem::remove(item.folder + "/job"); }

    static std::string accepted(core::job_id job) { return fmt::format(R"("state":"accepted","job":{})", job); }
    static std::string done(core::job_id job) { return fmt::format(R"("state":"done","job":{})", job); }

    settable_day clock;
    std::size_t most_items = 64;
    std::unique_ptr<inbox::item_store> store;
};

TEST_F(Intake, AnInputWhoseNoteCannotBeReadIsNotGuessedAt) {
    const auto item = left(rows());
    write(item.folder + "/item.json", "{");
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(told.wait_for("failed " + item.id));
    EXPECT_THAT(store->list(inbox::item_place::failed, 10).value(), SizeIs(1));
    EXPECT_EQ(jobs(), 0u);
}

TEST_F(Intake, AnItemWhoseNoteIsALinkIsPutAwayOnce) {
    const auto item = left(rows());
    std::filesystem::remove(item.folder + "/item.json");
    std::filesystem::create_symlink("/dev/null", item.folder + "/item.json");
    const auto i = make();
    i->start().value();
    i->look();
    i->look();
    ASSERT_TRUE(told.wait_for("failed " + item.id));
    i->close();
    EXPECT_EQ(told.count("failed " + item.id), 1u);
    EXPECT_EQ(i->sizes(), std::pair(std::size_t{0}, std::size_t{0}));
}

TEST_F(Intake, TheJobOfAnotherInputInAReplacedLedgerIsNotTakenForItsOwn) {
    const auto item = left(rows());
    write(item.folder + "/job", "1\n");
    ASSERT_EQ(plan("the hash of another input"), 1);
    finish(1);
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(told.wait_for("failed " + item.id));
    EXPECT_EQ(told.count(done(1)), 0u);
}

TEST_F(Intake, AnInputIsNotPutAwayBeforeItsJobIsFinished) {
    const auto item = left(rows());
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(told.wait_for(accepted(1)));
    i->job_finished(1);  // as by a mistake, or the news of an end before a retry
    ASSERT_TRUE(told.wait_for(accepted(1), 2));
    EXPECT_THAT(store->list(inbox::item_place::processing, 10).value(), SizeIs(1));
    finish(1);
    i->look();
    EXPECT_TRUE(told.wait_for(done(1)));
}

TEST_F(Intake, ARelativeDateCountsFromTheDayOfTakingAfterAKillAndAMidnight) {
    const auto item = left(rows("+1d"));
    {
        const auto i = make();
        i->start().value();
        ASSERT_TRUE(told.wait_for(accepted(1)));
    }
    forget_job(item);
    clock.next_day();
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(told.wait_for(accepted(1), 2));
    EXPECT_EQ(jobs(), 1u);
    EXPECT_EQ(book()->job(1).value().identity.relative_day, "2026-09-21");
}

TEST_F(Intake, AJobThatIsWantedAgainIsMadeOnceWhateverTheKills) {
    const auto first = left(rows());
    const auto second = left(rows(), true);
    {
        const auto i = make();
        i->start().value();
        ASSERT_TRUE(told.wait_for(accepted(1)));
        ASSERT_TRUE(told.wait_for(accepted(2)));
    }
    finish(1);
    forget_job(first);
    forget_job(second);
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(told.wait_for(accepted(1), 2));
    ASSERT_TRUE(told.wait_for(accepted(2), 2));
    EXPECT_EQ(jobs(), 2u);
}

TEST_F(Intake, AnInputIsPlannedOnceThoughItsSettingsAreOthersAfterAKill) {
    const std::vector<std::function<void(core::settings&)>> changes{
        [](core::settings& s) { s.defaults.note = "another note"; },
        [](core::settings& s) { s.defaults.priority = "high"; },
        [](core::settings& s) { s.defaults.due_at = "+9d"; },
        [](core::settings& s) { s.dates.time = "10:00"; },
        [](core::settings& s) { s.columns["note"] = "there is no such column"; },
        [](core::settings& s) { s.import.chunk_size = 7; },
    };
    const auto item = left(rows());
    {
        const auto i = make();
        i->start().value();
        ASSERT_TRUE(told.wait_for(accepted(1)));
    }
    std::size_t starts = 1;
    for (const auto& changed : changes) {
        forget_job(item);
        change(changed);
        const auto i = make();
        i->start().value();
        ASSERT_TRUE(told.wait_for(R"("state":"accepted")", ++starts));
        EXPECT_EQ(jobs(), 1u) << "change " << starts - 1;
        EXPECT_EQ(store->find(item.id).value()->job, 1);
    }
}

TEST_F(Intake, AnInputWhoseJobCouldNotBeNotedIsPlannedOnceThoughItsSettingsWereReadAnew) {
    const auto item = left(rows());
    full_disk full(*store, [this] { change([](core::settings& s) { s.defaults.note = "another note"; }); });
    const auto i = make(full);
    i->start().value();
    ASSERT_TRUE(told.wait_for(accepted(1)));
    EXPECT_EQ(full.refused, 1);
    EXPECT_EQ(jobs(), 1u);
}

TEST_F(Intake, TwoDropsOfOneInputHaveOneJobWhichIsTheFirstOnes) {
    const auto first = left(rows());
    const auto second = left(rows());
    {
        const auto i = make();
        i->start().value();
        ASSERT_TRUE(told.wait_for(accepted(1), 2));
    }
    EXPECT_NE(first.ticket, second.ticket);
    EXPECT_EQ(book()->job_of_origin(first.ticket).value()->id, 1);
    EXPECT_EQ(book()->job_of_origin(second.ticket).value(), std::nullopt);
    // Nothing was done for the second one: cut short, it is as if it came now.
    forget_job(first);
    forget_job(second);
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(told.wait_for(accepted(1), 4));
    EXPECT_EQ(jobs(), 1u);
}

TEST_F(Intake, AnotherInputInTheFolderOfOneThatWasPlannedIsNotTakenForIt) {
    const auto item = left(rows());
    {
        const auto i = make();
        i->start().value();
        ASSERT_TRUE(told.wait_for(accepted(1)));
    }
    forget_job(item);
    write(item.input(), rows("2027-03-11T10:00:00Z"));
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(told.wait_for("failed " + item.id));
    EXPECT_EQ(jobs(), 1u);
    EXPECT_TRUE(told.wait_for("failed " + item.id + ": a.csv was another file when job 1 was planned"));
}

TEST_F(Intake, AnItemOfAnEarlierVersionHasNoTicketAndIsTakenIn) {
    const auto item = left(rows());
    write(item.folder + "/item.json",
          R"({"name":"a.csv","origin":"upload","taken_at":"2026-09-21T14:13:20Z","first_rows":0,"again":false})");
    const auto i = make();
    i->start().value();
    EXPECT_TRUE(told.wait_for(accepted(1)));
    EXPECT_EQ(store->find(item.id).value()->ticket, "");
}

TEST_F(Intake, MoreItemsThanItMayHoldAreTakenUpWhenOthersAreDone) {
    most_items = 2;
    for (int day = 10; day < 15; ++day)
        left(rows(fmt::format("2027-02-{}T10:00:00Z", day)));
    const auto i = make();
    i->start().value();
    for (core::job_id job = 1; job <= 5; ++job) {
        ASSERT_TRUE(told.wait_for(accepted(job)));
        EXPECT_LE(i->sizes().first + i->sizes().second, 2u);
        // The others are nobody's meanwhile.
        EXPECT_EQ(store->adopt(10).value().size(), job < 4 ? 5u - 2u - (static_cast<std::size_t>(job) - 1) : 0u);
        finish(job);
        i->job_finished(job);
        ASSERT_TRUE(told.wait_for(done(job)));
        i->look();
    }
    EXPECT_THAT(store->list(inbox::item_place::done, 10).value(), SizeIs(5));
}

TEST_F(Intake, AnEndThatADeadProcessMayNotHaveToldIsTold) {
    const auto item = left(rows());
    {
        const auto i = make();
        i->start().value();
        ASSERT_TRUE(told.wait_for(accepted(1)));
    }
    finish(1);
    const auto i = make();
    i->start().value();
    EXPECT_TRUE(told.wait_for("found_finished 1"));
    EXPECT_TRUE(told.wait_for(done(1)));
}

// ------------------------------------------------------------------------------- results of a job that ended again

class Renewal : public Intake {
 protected:
    // As `retry` leaves a job, in another process.
    void finish_again(core::job_id job, const std::string& code) {
        const auto of = book();
        of->set_job_state(job, core::job_state::parked, std::nullopt, "", "", clock.now()).value();
        of->reopen_failed(job).value();
        clock.next_day();
        refuse(*of, code);
        of->set_job_state(job, core::job_state::completed, std::nullopt, "", "", clock.now()).value();
    }
    // The one chunk that there is.
    void refuse(ledger::ledger& of, const std::string& code) const {
        ledger::chunk_update update;
        update.chunk = 1;
        update.state = core::chunk_state::refused;
        update.code = code;
        update.settled_at = clock.now();
        of.update_chunk(update).value();
    }
    // An input whose job is finished, put away.
    inbox::item put_away() {
        const auto item = left(rows());
        const auto i = make();
        i->start().value();
        EXPECT_TRUE(told.wait_for(accepted(1)));
        finish(1);
        i->look();
        EXPECT_TRUE(told.wait_for(done(1)));
        return store->find(item.id).value().value();
    }
    static std::string text(const std::string& of) {
        std::ifstream in(of);
        return {std::istreambuf_iterator<char>(in), {}};
    }
};

TEST_F(Renewal, ResultsInDoneAreWrittenAnewWhenTheirJobIsFinishedAgain) {
    const auto item = put_away();
    EXPECT_THAT(text(item.folder + "/results.csv"), HasSubstr("pending"));
    const auto i = make();
    i->start().value();
    i->look();
    finish_again(1, "first_reason");
    i->look();
    ASSERT_TRUE(told.wait_for(done(1), 2));
    EXPECT_THAT(text(item.folder + "/results.csv"), HasSubstr("first_reason"));
    EXPECT_THAT(text(item.folder + "/summary.json"), HasSubstr(R"("failed":1)"));
    EXPECT_THAT(text(item.folder + "/summary.json"),
                HasSubstr(R"("finished_at":")" + core::to_rfc3339(clock.now()) + '"'));
    finish_again(1, "second_reason");
    i->look();
    ASSERT_TRUE(told.wait_for(done(1), 3));
    EXPECT_THAT(text(item.folder + "/results.csv"), HasSubstr("second_reason"));
}

TEST_F(Renewal, ResultsThatGotOldWhileTheServiceWasDownAreWrittenAnewOnce) {
    const auto item = put_away();
    finish_again(1, "first_reason");
    {
        const auto i = make();
        i->start().value();
        i->look();
        ASSERT_TRUE(told.wait_for(done(1), 2));
    }
    EXPECT_THAT(text(item.folder + "/results.csv"), HasSubstr("first_reason"));
    write(item.folder + "/results.csv", "as a person changed it");
    const auto other = left(rows("2027-03-11T10:00:00Z"));
    const auto i = make();
    i->start().value();
    i->look();
    // What comes after it in the queue is done: so is a look at the results, if there was one.
    ASSERT_TRUE(told.wait_for(accepted(2)));
    i->close();
    EXPECT_EQ(text(item.folder + "/results.csv"), "as a person changed it");
    EXPECT_EQ(told.count(done(1)), 2u);
}

TEST_F(Renewal, CutShortBetweenItsFilesItIsDoneAfterTheNextStart) {
    const auto item = put_away();
    finish_again(1, "first_reason");
    // The summary comes last, and says of which end the results are.
    const auto old_summary = text(item.folder + "/summary.json");
    {
        const auto i = make();
        i->start().value();
        i->look();
        ASSERT_TRUE(told.wait_for(done(1), 2));
    }
    write(item.folder + "/summary.json", old_summary);
    const auto i = make();
    i->start().value();
    i->look();
    ASSERT_TRUE(told.wait_for(done(1), 3));
    EXPECT_THAT(text(item.folder + "/summary.json"), HasSubstr(R"("failed":1)"));
}

TEST_F(Renewal, TheResultsOfAnotherLedgersJobAreNotWritten) {
    const auto item = put_away();
    const auto before = text(item.folder + "/results.csv");
    for (const char* part : {"", "-wal", "-shm"})
        std::filesystem::remove(ledger_path() + part);
    ASSERT_EQ(plan("the hash of another input"), 1);
    finish(1);
    finish_again(1, "first_reason");
    const auto other = left(rows("2027-03-11T10:00:00Z"));
    const auto i = make();
    i->look();
    i->start().value();
    ASSERT_TRUE(told.wait_for(accepted(2)));
    finish_again(1, "second_reason");
    i->look();
    finish(2);
    i->job_finished(2);
    ASSERT_TRUE(told.wait_for(done(2)));
    i->close();
    EXPECT_EQ(text(item.folder + "/results.csv"), before);
    EXPECT_EQ(told.count(done(1)), 1u);
}

TEST_F(Renewal, ResultsOfALostLedgerStayAsTheyAreWhenTheSameFileIsDroppedAgain) {
    const auto item = put_away();
    const auto before = text(item.folder + "/results.csv");
    for (const char* part : {"", "-wal", "-shm"})
        std::filesystem::remove(ledger_path() + part);
    clock.next_day();
    const auto again = left(rows());
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(told.wait_for(accepted(1), 2));
    finish(1);
    i->look();
    ASSERT_TRUE(told.wait_for(done(1), 2));
    finish_again(1, "of_the_second_ledger");
    i->look();
    ASSERT_TRUE(told.wait_for(done(1), 3)) << "those of the item that was dropped again";
    i->close();
    EXPECT_EQ(text(item.folder + "/results.csv"), before) << "the only trace of what the lost ledger's job did";
}

TEST_F(Renewal, AnItemIsNotGivenAnotherLedgersJobOfTheSameFile) {
    const auto item = left(rows() + "000000000000000000000002,66302798d03b9601c7934ebf,2027-03-10T10:00:00Z\n");
    {
        const auto i = make();
        i->start().value();
        ASSERT_TRUE(told.wait_for(accepted(1)));
    }
    for (const char* part : {"", "-wal", "-shm"})
        std::filesystem::remove(ledger_path() + part);
    clock.next_day();
    {
        job::stop_control stop;
        silence quiet;
        const auto c = configuration.get();
        const job::environment env{c->settings, c->key, clock, stop, quiet, 1};
        job::import_options first_row_only;
        first_row_only.files = {item.input()};
        first_row_only.first_rows = 1;
        ASSERT_EQ(
            job::prepare_files(env, first_row_only, [](core::job_id, core::instant) { return core::result<void>(); })
                .job,
            1);
    }
    const auto i = make();
    i->start().value();
    EXPECT_TRUE(told.wait_for("failed " + item.id)) << "its second row is in no job";
    i->close();
}

TEST_F(Renewal, AnInputThatWasPlannedGoesOnThoughItsSettingsCannotBeReadAnyMore) {
    const auto item = left(rows());
    {
        const auto i = make();
        i->start().value();
        ASSERT_TRUE(told.wait_for(accepted(1)));
    }
    forget_job(item);
    write(item.folder + "/settings.toml", "[defaults]\nnonsense = 1\n");
    const auto i = make();
    i->start().value();
    EXPECT_TRUE(told.wait_for(accepted(1), 2));
    i->close();
    EXPECT_EQ(jobs(), 1u);
}

TEST_F(Renewal, AnItemWhoseJobIsPrunedIsPutAwayWithItsSums) {
    const auto item = left(rows());
    {
        const auto i = make();
        i->start().value();
        ASSERT_TRUE(told.wait_for(accepted(1)));
    }
    refuse(*book(), "any_reason");
    finish(1);
    book()->prune_job(1, false, clock.now(), [] { return true; }).value();
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(told.wait_for(done(1)));
    const auto now = store->find(item.id).value().value();
    EXPECT_THAT(text(now.folder + "/summary.json"), HasSubstr(R"("rows":1)"));
    EXPECT_FALSE(std::filesystem::exists(now.folder + "/results.csv"));
}

}  // namespace
}  // namespace taskbarge::service
