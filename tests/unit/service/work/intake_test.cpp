#include "service/work/intake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>

#include "service/inbox/files.hpp"
#include "taskbarge/core/fault_point.hpp"
#include "taskbarge/job/commands.hpp"
#include "unit/service/work/workplace.hpp"

namespace taskbarge {
namespace {

// What somebody else does there and then, once.
std::mutex points_mutex;
std::map<std::string, std::function<void()>> at_point;

}  // namespace

// In place of the shipped one, which does nothing.
void core::fault_point(const char* name) {
    std::function<void()> work;
    {
        const std::lock_guard lock(points_mutex);
        const auto found = at_point.find(name);
        if (found == at_point.end()) return;
        work = std::move(found->second);
        at_point.erase(found);
    }
    work();
}

namespace service {
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
    core::result<std::vector<inbox::held_item>> adopt(std::size_t most,
                                                      const std::function<bool(const std::string&)>& known) override {
        return store_.adopt(most, known);
    }
    core::result<std::vector<inbox::item>> list(inbox::item_place place, std::size_t most) override {
        return store_.list(place, most);
    }
    core::result<std::uint64_t> count(inbox::item_place place) override { return store_.count(place); }
    core::result<std::vector<std::string>> done_with(const std::set<core::job_id>& jobs) override {
        return store_.done_with(jobs);
    }
    core::result<std::optional<inbox::item>> find(const std::string& id) override { return store_.find(id); }
    core::result<std::optional<inbox::held_item>> hold(const std::string& id) override { return store_.hold(id); }
    core::result<void> claim(inbox::held_item& held) override { return store_.claim(held); }
    core::result<void> discard(inbox::held_item& held) override { return store_.discard(held); }
    void let_go(const std::string& id) override { store_.let_go(id); }
    core::result<void> add_file(const inbox::held_item& held, const std::string& name,
                                const std::function<core::result<void>(int fd)>& write) override {
        auto written = store_.add_file(held, name, write);
        if (written && name == unsure) return core::failure{core::errc::io, "perhaps"};
        return written;
    }
    core::result<void> put_away(inbox::held_item& held, inbox::item_place where) override {
        return store_.put_away(held, where);
    }
    const std::string& root() const override { return store_.root(); }

    int refused = 0;
    std::string unsure;  // the file that is written, though nobody can say so

 private:
    inbox::item_store& store_;
    std::function<void()> meanwhile_;
};

TEST(ReadingPause, GrowsWithFailuresAndNotWithWaitsForATime) {
    const core::instant now(1'790'000'000'000ms);
    std::uint32_t failures = 0;
    EXPECT_EQ(reading_pause(failures, std::nullopt, now), 2s);
    EXPECT_EQ(reading_pause(failures, std::nullopt, now), 4s);
    for (int window = 0; window < 100; ++window)
        EXPECT_EQ(reading_pause(failures, now + 61s, now), 61s);
    EXPECT_EQ(reading_pause(failures, std::nullopt, now), 8s);
    // A time that is over, or cannot be right.
    EXPECT_EQ(reading_pause(failures, now - 1h, now), 50ms);
    EXPECT_EQ(reading_pause(failures, now + 9000h, now), job::longest_park);
}

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
    inbox::item left(const std::string& bytes, bool again = false, bool held = false) {
        inbox::item_note note;
        note.name = "a.csv";
        note.taken_at = clock.now();
        note.again = again;
        note.held = held;
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

    static constexpr const char* planned = R"("state":"planned")";
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
    write(item.folder + "/job", "1 1789999999999\n");
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

TEST_F(Intake, AWordThatCouldNotBeKeptIsNone) {
    const auto item = left(rows(), false, true);
    full_disk disk(*store, [] {});
    {
        const auto i = make(disk);
        i->start().value();
        ASSERT_TRUE(told.wait_for(planned));
        disk.unsure = "started";
        const auto said = i->start(item.id, "");
        ASSERT_TRUE(said);
        EXPECT_FALSE(*said);
        EXPECT_EQ(i->planned(), 1u);
    }
    const auto i = make(disk);
    i->start().value();
    ASSERT_TRUE(told.wait_for(planned, 2));
    EXPECT_EQ(jobs(), 0u);
}

TEST_F(Intake, APlanIsNeverThatOfOtherSettingsThanTheInputHas) {
    const auto item = left(rows(), false, true);
    full_disk disk(*store, [] {});
    disk.unsure = "settings.toml";
    const auto i = make(disk);
    i->start().value();
    ASSERT_TRUE(told.wait_for(planned));
    const auto set = i->set_settings(item.id, "[defaults]\nnote = \"another\"\n");
    ASSERT_TRUE(set);
    EXPECT_FALSE(*set);
    EXPECT_TRUE(told.wait_for(planned, 2));
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
    ASSERT_TRUE(told.wait_for(accepted(1), 2));
    finish(1);
    i->look();
    ASSERT_TRUE(told.wait_for("failed " + item.id));
    EXPECT_EQ(jobs(), 1u);
    EXPECT_EQ(told.count("failed " + item.id + ": a.csv went on to be written after it had been read: job 1"), 1u);
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
        const auto known = [&](const std::string& id) { return i->state_of(id).has_value(); };
        EXPECT_EQ(store->adopt(10, known).value().size(), job < 4 ? 5u - 2u - (static_cast<std::size_t>(job) - 1) : 0u);
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

// ------------------------------------------------------------------------------- a writer that goes on

struct Growing : Intake {
    Growing() {
        change([](core::settings& s) { s.serve.settle = 1ms; });
    }
    ~Growing() override { at_point.clear(); }

    inbox::held_item dropped() {
        write(path("inbox/a.csv"), rows());
        return store->take("a.csv", clock.now()).value().value();
    }
    static void append(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::app) << text; }
    static std::string another_row() {
        return "000000000000000000000002,66302798d03b9601c7934ebf,call,scheduled,2027-02-10T10:00:00Z\n";
    }
    inbox::item the_failed() const {
        const auto items = store->list(inbox::item_place::failed, 10).value();
        return items.size() == 1 ? items.front() : inbox::item{};
    }
    static std::string content(const std::string& path) {
        std::ifstream in(path);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    bool wait_for_state(const intake& i, const std::string& id, const std::string& state) const {
        const auto end = std::chrono::steady_clock::now() + 30s;
        while (std::chrono::steady_clock::now() < end) {
            if (const auto now = i.state_of(id); now && now->first == state) return true;
            std::this_thread::yield();
        }
        return false;
    }
};

TEST_F(Growing, AnInputThatGrewAfterItWasReadIsNotDoneAndIsTold) {
    const auto i = make();
    auto held = dropped();
    const auto item = held.item();
    i->start().value();
    i->submit(std::move(held));
    ASSERT_TRUE(told.wait_for(accepted(1)));
    append(item.input(), another_row());
    finish(1);
    i->look();
    ASSERT_TRUE(told.wait_for("failed " + item.id));
    EXPECT_EQ(told.count(done(1)), 0u);
    EXPECT_EQ(told.count(R"("state":"failed","job":1)"), 1u);
    const auto failed = the_failed();
    const auto why = content(failed.folder + "/error.txt");
    EXPECT_THAT(why, HasSubstr(fmt::format("job 1 was made of {} bytes, and there are {} now", rows().size(),
                                           rows().size() + another_row().size())));
    EXPECT_THAT(why, HasSubstr("Drop the whole file again"));
    EXPECT_THAT(content(failed.folder + "/results.csv"), HasSubstr("000000000000000000000001"));
    EXPECT_THAT(content(failed.folder + "/summary.json"), HasSubstr(R"("state":"failed")"));
    EXPECT_EQ(failed.job, 1);
}

TEST_F(Growing, ItIsToldAlsoWhenItGrewWhileTheServiceWasDown) {
    const auto item = left(rows());
    {
        const auto i = make();
        i->start().value();
        ASSERT_TRUE(told.wait_for(accepted(1)));
    }
    append(item.input(), another_row());
    finish(1);
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(told.wait_for("failed " + item.id));
    EXPECT_THAT(content(the_failed().folder + "/error.txt"), HasSubstr("went on to be written"));
    EXPECT_EQ(told.count("found_finished"), 0u);
}

TEST_F(Growing, AnInputThatIsReplacedOrCutShortIsTold) {
    core::job_id job = 0;
    for (const auto& now : {rows("2027-03-11T10:00:00Z"), std::string("contact_id\n")}) {
        const auto item = left(rows(fmt::format("2027-02-1{}T10:00:00Z", ++job)));
        const auto before = std::filesystem::last_write_time(item.input());
        const auto i = make();
        i->start().value();
        ASSERT_TRUE(told.wait_for(accepted(job)));
        write(item.input(), now);
        std::filesystem::last_write_time(item.input(), before);  // as `cp -p` does
        finish(job);
        i->look();
        ASSERT_TRUE(told.wait_for("failed " + item.id));
    }
}

TEST_F(Growing, AnInputWithAnotherTimeAndTheSameBytesIsDone) {
    const auto item = left(rows());
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(told.wait_for(accepted(1)));
    std::filesystem::last_write_time(item.input(), std::filesystem::file_time_type::clock::now() - 1h);
    finish(1);
    i->look();
    EXPECT_TRUE(told.wait_for(done(1)));
}

TEST_F(Growing, AnInputThatIsRemovedWhenItWasPlannedIsDone) {
    const auto item = left(rows());
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(told.wait_for(accepted(1)));
    std::filesystem::remove(item.input());
    finish(1);
    i->look();
    EXPECT_TRUE(told.wait_for(done(1)));
}

TEST_F(Growing, WhatGrowsWhileItIsReadIsReadAgain) {
    const auto i = make();
    auto held = dropped();
    const auto input = held.item().input();
    at_point["planned"] = [&] { append(input, another_row()); };
    i->start().value();
    i->submit(std::move(held));
    ASSERT_TRUE(told.wait_for(R"("state":"accepted")"));
    ASSERT_EQ(jobs(), 1u);
    EXPECT_EQ(book()->totals(book()->jobs().value().front().id).value().rows.rows, 2u);
}

TEST_F(Growing, WhatIsOpenForWritingIsReadWhenItIsClosed) {
    const auto i = make();
    auto held = dropped();
    const auto item = held.item();
    if (inbox::writers_of(item.input()) == inbox::writers::unknown) GTEST_SKIP() << "not told by this file system";
    {
        std::ofstream writer(item.input(), std::ios::app);
        i->start().value();
        i->submit(std::move(held));
        ASSERT_TRUE(wait_for_state(*i, item.id, "waiting"));
        EXPECT_THAT(i->state_of(item.id)->second, HasSubstr("a.csv is still being written"));
        writer << another_row();
    }
    ASSERT_TRUE(told.wait_for(R"("state":"accepted")"));
    EXPECT_EQ(book()->totals(book()->jobs().value().front().id).value().rows.rows, 2u);
}

// ------------------------------------------------------------------------------- many

std::size_t open_descriptors() {
    std::size_t count = 0;
    for (const auto& one : std::filesystem::directory_iterator("/proc/self/fd"))
        count += one.path().empty() ? 0 : 1;
    return count;
}

TEST_F(Intake, ItemsThatWaitForTheirJobsHoldNoDescriptors) {
    constexpr int many = 40;
    most_items = 2 * many;
    const auto i = make();
    i->start().value();
    ASSERT_TRUE(i->submit(store->hold(left(rows()).id).value().value()));
    ASSERT_TRUE(told.wait_for(accepted(1)));
    const auto with_one = open_descriptors();
    for (int n = 1; n < many; ++n)
        ASSERT_TRUE(i->submit(store->hold(left(rows(fmt::format("2027-02-10T10:00:{:02}Z", n))).id).value().value()));
    ASSERT_TRUE(told.wait_for(R"("state":"accepted")", many));
    EXPECT_EQ(i->sizes().second, static_cast<std::size_t>(many));
    EXPECT_LT(open_descriptors(), with_one + many / 2);
    // They are this process's all the same: none is taken in twice.
    i->look();
    EXPECT_EQ(told.count(R"("state":"queued")"), static_cast<std::size_t>(many));
}

// The other one may have another ledger, to which the job is unknown.
TEST_F(Intake, AnItemThatWaitsForItsJobIsNoOtherServices) {
    const auto item = left(rows());
    const auto other_store = inbox::item_store::open(path("inbox")).value();
    auto first = make();
    first->start().value();
    ASSERT_TRUE(told.wait_for(accepted(1)));
    const auto second = make(*other_store);
    second->start().value();
    second->look();
    EXPECT_EQ(second->sizes(), std::pair(std::size_t{0}, std::size_t{0}));
    EXPECT_FALSE(other_store->hold(item.id).value());
    // When the first one is gone, it is.
    first.reset();
    store.reset();
    second->look();
    ASSERT_TRUE(told.wait_for(accepted(1), 2));
    finish(1);
    second->look();
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
}  // namespace service
}  // namespace taskbarge
