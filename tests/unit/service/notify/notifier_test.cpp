#include "service/notify/notifier.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <future>

#include "unit/service/notify/outbox_folder.hpp"

namespace taskbarge::service::notify {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(Signature, IsTheHmacOfTimeAndBody) {
    // printf '1790000000.{"event":"completed"}' | openssl dgst -sha256 -hmac 'a webhook key'
    EXPECT_EQ(signature(core::secret("a webhook key"), core::instant(1'790'000'000'999ms), "{\"event\":\"completed\"}"),
              "t=1790000000,v1=648b514d6075c4d6d915ae56c1a0f5be9433c5c9bae1586dce834f8b39a0ada3");
}

class Notifier : public outbox_fixture {
 protected:
    // Options whose notes can be waited for.
    notifier::options heard_options() {
        auto o = options();
        o.note = [this, kept = o.note](std::string_view outcome, const std::string& id, const std::string& text) {
            kept(outcome, id, text);
            const std::lock_guard lock(hearing_);  // not between a waiter's look and its wait
            heard_.notify_all();
        };
        return o;
    }
    bool wait_for_notes(std::size_t count) {
        for (std::unique_lock lock(hearing_);;) {
            if (notes().size() >= count) return true;
            if (heard_.wait_for(lock, 20s) == std::cv_status::timeout) return false;
        }
    }
    static std::unique_ptr<notifier> start(notifier::options o) {
        auto made = notifier::start(std::move(o));
        if (!made) throw std::runtime_error(made.error().text);
        return std::move(*made);
    }

 private:
    std::mutex hearing_;
    std::condition_variable heard_;
};

TEST_F(Notifier, TellsAtOnce) {
    const auto n = start(heard_options());
    for (const char* id : {"a", "b"})
        ASSERT_TRUE(n->tell(id, "completed", "{}"));
    ASSERT_TRUE(wait_for_notes(2));
    EXPECT_THAT(posted(), ElementsAre("a", "b"));
    EXPECT_EQ(n->waiting(), 0U);
}

TEST_F(Notifier, WhatIsToldWakesWhatIsDue) {
    answer({false, true, "503"});
    const auto n = start(heard_options());
    ASSERT_TRUE(n->tell("a", "completed", "{}"));
    ASSERT_TRUE(wait_for_notes(1));
    EXPECT_EQ(n->waiting(), 1U);
    answer({true, false, "200"});
    clock_.advance(5s);
    ASSERT_TRUE(n->tell("b", "completed", "{}"));
    ASSERT_TRUE(wait_for_notes(3));
    EXPECT_THAT(notes(), ElementsAre(StartsWith("retried a"), StartsWith("delivered a"), StartsWith("delivered b")));
}

TEST_F(Notifier, WaitsByTheClockForTheNextTry) {
    // The real clock, on which a letter of the past is due a moment after the start.
    class ahead final : public core::clock {
     public:
        core::instant now() const override { return core::system_clock().now() + 4990ms; }
        std::chrono::steady_clock::time_point steady_now() const override { return core::system_clock().steady_now(); }
    } later;
    answer({false, true, "503"});
    auto o = heard_options();
    o.clock = &core::system_clock();
    {
        const auto n = start(o);
        ASSERT_TRUE(n->tell("a", "completed", "{}"));
        ASSERT_TRUE(wait_for_notes(1));
    }
    answer({true, false, "200"});
    o.clock = &later;
    const auto n = start(o);
    ASSERT_TRUE(wait_for_notes(2)) << "nobody rang: the thread woke by itself";
    EXPECT_THAT(notes(), ElementsAre(StartsWith("retried a"), StartsWith("delivered a")));
}

TEST_F(Notifier, StopWaitsForTheTryUnderWayAndKeepsTheRest) {
    std::promise<void> reached, go_on;
    std::atomic<bool> first{true};
    auto o = heard_options();
    o.post = [&, kept = o.post](const posting& p) {
        if (first.exchange(false)) {
            reached.set_value();
            go_on.get_future().wait();
        }
        return kept(p);
    };
    auto n = start(o);
    ASSERT_TRUE(n->tell("a", "completed", "{}"));
    reached.get_future().wait();
    ASSERT_TRUE(n->tell("b", "completed", "{}"));
    auto stopping = std::async(std::launch::async, [&] { n.reset(); });
    go_on.set_value();
    stopping.get();
    const auto before = posted();
    ASSERT_FALSE(before.empty());
    EXPECT_EQ(before.front(), "a");
    o.post = options().post;
    const auto again = start(o);
    ASSERT_TRUE(wait_for_notes(2));
    EXPECT_THAT(posted(), ElementsAre("a", "b")) << "each once";
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(Notifier, StopWithNothingToDoIsAtOnce) {
    for (int i = 0; i < 50; ++i)
        start(options());
    EXPECT_THAT(notes(), IsEmpty());
}

TEST_F(Notifier, ManyThreadsTell) {
    const auto n = start(heard_options());
    std::vector<std::future<void>> tellers;
    for (int t = 0; t < 4; ++t)
        tellers.push_back(std::async(std::launch::async, [&, t] {
            for (int i = 0; i < 25; ++i)
                EXPECT_TRUE(n->tell("t" + std::to_string(t) + "-" + std::to_string(i), "failed", "{}"));
        }));
    for (auto& t : tellers)
        t.get();
    ASSERT_TRUE(wait_for_notes(100));
    EXPECT_EQ(n->waiting(), 0U);
}

}  // namespace
}  // namespace taskbarge::service::notify
