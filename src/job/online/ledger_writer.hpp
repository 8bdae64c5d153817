// The ledger on a thread of its own, with grouped commits: what arrives during one commit goes into the next, and a
// commit waits a moment for what is about to come.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

// Every piece of work is durable before its awaiting coroutine goes on. Work runs in the order in which it was handed
// over, inside a transaction shared with its neighbours. Where one piece fails, the group is rolled back and each piece
// is run again in a transaction of its own (but all fail together where the ledger cannot even begin one), so work must
// set its outputs anew each time it runs. The ledger must outlive the writer and is used by nobody else meanwhile. The
// destructor finishes what was handed over.
class ledger_writer {
 public:
    // `on_commit` is told, on the ledger's thread, how long each commit took. `patience` is how long a commit waits
    // for the pieces that are expected together with the first of its group.
    ledger_writer(ledger::ledger& book, boost::asio::any_io_executor resume_on,
                  std::function<void(std::chrono::microseconds)> on_commit = {},
                  std::chrono::microseconds patience = std::chrono::milliseconds(1));
    ~ledger_writer();
    ledger_writer(const ledger_writer&) = delete;
    ledger_writer& operator=(const ledger_writer&) = delete;

    // How many pieces of the sender's connections a commit waits for: it costs the same for one as for many.
    void expect_together(std::size_t pieces);

    // Nothing is under way, and whatever was done has been told to the executor. For who steps through a run.
    bool idle() const;

    using work = std::function<core::result<void>(ledger::ledger&)>;

    // Runs `w` on the ledger's thread; resumes on the executor when it is committed, or was not. It may refer to what
    // its caller holds: once it is handed over nothing is thrown until it is done, whatever is short.
    // Not a coroutine itself, and so is ask(): GCC 12 mishandles a std::function that is made within a co_await.
    template <class F>
    boost::asio::awaitable<core::result<void>> write(F w) {
        return run(work(std::move(w)));
    }

    // The same for work with a value.
    template <class T, class F>
    boost::asio::awaitable<core::result<T>> ask(F question) {
        auto answer = std::make_shared<std::optional<T>>();
        auto done = run(work([answer, question = std::move(question)](ledger::ledger& l) mutable -> core::result<void> {
            core::result<T> r = question(l);
            if (!r) return r.error();
            *answer = std::move(*r);
            return {};
        }));
        return wait_for_answer(std::move(done), std::move(answer));
    }

 private:
    boost::asio::awaitable<core::result<void>> run(work w);
    template <class T>
    static boost::asio::awaitable<core::result<T>> wait_for_answer(boost::asio::awaitable<core::result<void>> running,
                                                                   std::shared_ptr<std::optional<T>> answer) {
        auto done = co_await std::move(running);
        if (!done) co_return done.error();
        co_return std::move(**answer);
    }

    struct entry {
        work run;
        std::function<void(core::result<void>)> done;
    };
    void loop();
    void run_group(std::vector<entry>& group);
    core::result<void> run_all(std::vector<entry>& group, std::chrono::microseconds patience, bool& begun);
    bool more_joined(std::vector<entry>& group, std::chrono::steady_clock::time_point until);

    ledger::ledger& ledger_;
    boost::asio::any_io_executor resume_on_;
    std::function<void(std::chrono::microseconds)> on_commit_;
    const std::chrono::microseconds patience_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<entry> waiting_;
    std::size_t together_ = 0;
    bool busy_ = false;  // with a group
    bool closing_ = false;
    std::thread thread_;
};

}  // namespace taskbarge::job
