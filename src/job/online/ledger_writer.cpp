#include "job/online/ledger_writer.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>

#include "taskbarge/core/fault_point.hpp"
#include "taskbarge/core/shortage.hpp"

namespace taskbarge::job {

namespace asio = boost::asio;
using core::result;

ledger_writer::ledger_writer(ledger::ledger& book, asio::any_io_executor resume_on,
                             std::function<void(std::chrono::microseconds)> on_commit,
                             std::chrono::microseconds patience)
    : ledger_(book),
      resume_on_(std::move(resume_on)),
      on_commit_(std::move(on_commit)),
      patience_(patience),
      thread_([this] { loop(); }) {}

ledger_writer::~ledger_writer() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    arrived_.notify_one();
    thread_.join();
}

void ledger_writer::expect_together(std::size_t pieces) {
    const std::lock_guard lock(mutex_);
    together_ = pieces;
}

bool ledger_writer::idle() const {
    const std::lock_guard lock(mutex_);
    return !busy_ && waiting_.empty();
}

asio::awaitable<result<void>> ledger_writer::run(work w) {
    // Where the coroutine waits: a timer that never expires by itself, cancelled when the work is done.
    struct waiting_room {
        explicit waiting_room(const asio::any_io_executor& ex) : bell(ex, asio::steady_timer::time_point::max()) {}
        asio::steady_timer bell;
        std::optional<result<void>> outcome;
    };
    auto room = std::make_shared<waiting_room>(resume_on_);
    entry one{std::move(w), [room, ex = resume_on_](result<void> r) {
                  asio::post(ex, [room, r = std::move(r)]() mutable {
                      room->outcome = std::move(r);
                      room->bell.cancel();
                  });
              }};
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(one));
    }
    arrived_.notify_one();
    // What was handed over is done in any case: a stop of the waiting coroutine does not end the wait.
    while (!room->outcome) {
        boost::system::error_code cancelled;
        co_await room->bell.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
    co_return std::move(*room->outcome);
}

void ledger_writer::loop() {
    while (true) {
        std::vector<entry> group;
        {
            std::unique_lock lock(mutex_);
            arrived_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            group.swap(waiting_);
            busy_ = true;
        }
        run_group(group);
        group.clear();
        const std::lock_guard lock(mutex_);
        busy_ = false;
    }
}

// Whether more pieces have joined the group before its time was up.
bool ledger_writer::more_joined(std::vector<entry>& group, std::chrono::steady_clock::time_point until) {
    std::unique_lock lock(mutex_);
    if (group.size() >= together_) return false;
    arrived_.wait_until(lock, until, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return false;
    group.reserve(group.size() + waiting_.size());  // nothing is lost between the two where there is no memory for it
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(group));
    waiting_.clear();
    return true;
}

// A piece that throws, for want of memory say, is a piece that failed: the thread has no caller.
result<void> ledger_writer::run_all(std::vector<entry>& group, std::chrono::microseconds patience, bool& begun) try {
    begun = false;
    if (auto opened = ledger_.begin(); !opened) return opened.error();
    begun = true;
    const auto until = std::chrono::steady_clock::now() + patience;
    std::size_t at = 0;
    do {
        for (; at < group.size(); ++at) {
            if (auto r = group[at].run(ledger_); !r) {
                ledger_.rollback();
                return r.error();
            }
        }
    } while (patience.count() > 0 && more_joined(group, until));
    core::fault_point("before_commit");
    const auto began = std::chrono::steady_clock::now();
    auto committed = ledger_.commit();
    if (on_commit_)
        on_commit_(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began));
    if (!committed) {
        ledger_.rollback();
        return committed.error();
    }
    core::fault_point("after_commit");
    return {};
} catch (const std::exception& e) {
    ledger_.rollback();
    return core::failure_of(e);
}

void ledger_writer::run_group(std::vector<entry>& group) {
    bool begun = false;
    const auto together = run_all(group, patience_, begun);
    // Where not even a transaction could be begun it is no piece's fault, and the next try would wait for minutes
    // again.
    if (together || group.size() == 1 || !begun) {
        for (entry& e : group)
            e.done(together);
        return;
    }
    for (entry& e : group) {
        std::vector<entry> alone;
        alone.push_back(std::move(e));
        alone.front().done(run_all(alone, {}, begun));
    }
}

}  // namespace taskbarge::job
