#include "service/work/scheduler.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "taskbarge/job/commands.hpp"
#include "unit/service/work/workplace.hpp"

namespace taskbarge::service {
namespace {

using core::errc;
using namespace std::chrono_literals;

// Takes connections, in the kernel's queue, and never says a word.
class silent_server {
 public:
    silent_server() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
        EXPECT_EQ(::listen(fd_, 16), 0);
        socklen_t size = sizeof at;
        EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size), 0);
        port_ = ntohs(at.sin_port);
    }
    silent_server(const silent_server&) = delete;
    silent_server& operator=(const silent_server&) = delete;
    ~silent_server() { ::close(fd_); }
    std::string url() const { return fmt::format("https://127.0.0.1:{}/api/v1", port_); }

 private:
    int fd_;
    int port_ = 0;
};

class Scheduler : public Workplace {
 protected:
    std::unique_ptr<scheduler> make() {
        scheduler::parts p{configuration, core::system_clock(), runs, 1, {}, {}, {}};
        p.finished = [](core::job_id) {};
        p.notify = [](std::string_view, const job::report&) {};
        return std::make_unique<scheduler>(std::move(p));
    }
    static std::string running(core::job_id job) { return fmt::format(R"("job":{},"state":"running")", job); }
    void keep_state(core::job_id job, std::optional<core::instant> resume_at) const {
        book()
            ->set_job_state(job, core::job_state::parked, resume_at, "waiting", "a window", core::system_clock().now())
            .value();
    }
};

TEST_F(Scheduler, ACommandForAJobThatIsNotThereHoldsNothingAgainstTheOneThatGetsItsNumber) {
    const auto s = make();
    for (const auto what : {job_command::cancel, job_command::retry, job_command::verify, job_command::pause})
        EXPECT_EQ(s->command(1, what).why->code, errc::no_such_job);
    ASSERT_EQ(plan(), 1);
    s->start();
    EXPECT_TRUE(told.wait_for(running(1)));
}

TEST_F(Scheduler, AStoredTimeThatCannotBeRightDoesNotCount) {
    const auto late = plan("a"), lost = plan("b");
    keep_state(late, core::system_clock().now() + 23h);
    keep_state(lost, core::system_clock().now() + 24h * 3650);
    const auto s = make();
    s->start();
    EXPECT_TRUE(told.wait_for(running(lost)));
    EXPECT_EQ(told.count(running(late)), 0u);
}

TEST_F(Scheduler, APausedJobIsPassedByUntilItIsResumed) {
    const auto first = plan("a"), second = plan("b");
    const auto s = make();
    EXPECT_EQ(s->command(first, job_command::pause).why->code, errc::paused);
    s->start();
    ASSERT_TRUE(told.wait_for(running(second)));
    EXPECT_EQ(told.count(running(first)), 0u);
    s->command(second, job_command::pause);
    s->command(first, job_command::resume);
    EXPECT_TRUE(told.wait_for(running(first)));
}

TEST_F(Scheduler, ARunLeavesAJobAloneThatWasPausedSinceItWasChosen) {
    const auto job = plan();
    const auto s = make();
    s->command(job, job_command::pause);
    const auto c = configuration.get();
    job::stop_control stop;
    silence unwatched;
    const job::environment env{c->settings, c->key, core::system_clock(), stop, unwatched, 1};
    EXPECT_EQ(job::resume_job(env, job, job::paused_job::leave).why->code, errc::paused);
}

TEST_F(Scheduler, AnotherCommandMeanwhileDoesNotHideARunFromTheStop) {
    const silent_server apollo;
    change([&](core::settings& s) {
        s.apollo.base_url = apollo.url();
        s.send.max_wait = 65min;
        s.send.connect_timeout = 2s;
    });
    const auto job = plan();
    const auto s = make();
    s->start();
    ASSERT_TRUE(told.wait_for(running(job)));
    // The run holds the job as soon as it is on its way.
    for (int n = 0; n < 10'000 && !book()->job(job).value().held; ++n)
        std::this_thread::yield();
    EXPECT_EQ(s->command(job, job_command::verify).why->code, errc::job_held);
    s->stop();
    s->stop();
    s->close();  // waits for the run: for minutes, if it was not asked to stop
    EXPECT_FALSE(book()->job(job).value().held);
}

TEST_F(Scheduler, APauseEndsTheRunThatIsOnItsWay) {
    const silent_server apollo;
    change([&](core::settings& s) {
        s.apollo.base_url = apollo.url();
        s.send.max_wait = 65min;
        s.send.connect_timeout = 2s;
        s.send.request_timeout = 1s;
    });
    const auto job = plan();
    const auto s = make();
    s->start();
    ASSERT_TRUE(told.wait_for(running(job)));
    EXPECT_EQ(s->command(job, job_command::pause).why->code, errc::paused);
    EXPECT_EQ(book()->job(job).value().stop_code, "paused");
}

TEST_F(Scheduler, AJobOfAnotherTeamIsNotSentToThisOne) {
    const auto job = plan("a", "sales");
    const auto s = make();
    EXPECT_EQ(s->command(job, job_command::retry).why->code, errc::usage);
    EXPECT_EQ(s->command(job, job_command::verify).why->code, errc::usage);
    EXPECT_EQ(s->command(job, job_command::cancel).why->code, errc::usage);
    EXPECT_EQ(s->command(job, job_command::pause).why->code, errc::paused);
    EXPECT_EQ(book()->totals(job).value().rows.pending, 1u);
}

TEST_F(Scheduler, GoesOnWithALedgerThatWasPutInTheOldOnesPlace) {
    ASSERT_EQ(plan("a"), 1);
    const auto s = make();
    s->start();
    ASSERT_TRUE(told.wait_for(R"("job":1,"state":"parked")"));
    delete_ledger();
    ASSERT_EQ(plan("b"), 1);
    s->wake();
    EXPECT_TRUE(told.wait_for(running(1), 2));
}

}  // namespace
}  // namespace taskbarge::service
