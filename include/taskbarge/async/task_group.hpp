// The owner of spawned coroutines: nothing is detached, whoever spawns waits.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>

namespace taskbarge::async {

// Runs coroutines on one executor and knows when all have ended. All members are called on that executor (which must
// be single-threaded or a strand).
//
//     async::task_group group(ex);
//     for (auto& c : connections) group.spawn(serve(c));
//     co_await group.wait();
class task_group {
 public:
    explicit task_group(boost::asio::any_io_executor ex);
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;
    // wait() should have returned. If not (an exception is on its way), the children are asked to stop; they end
    // unheard, so what they refer to must outlive the executor's run.
    ~task_group();

    // Starts a child: it runs at once up to its first wait when called on the executor. The coroutine holds what it
    // needs by value or refers to what outlives the group. After stop() nothing is started any more. A child that
    // throws stops the whole group.
    void spawn(boost::asio::awaitable<void> task);

    // Asks every child to stop: terminal cancellation. A child may finish what it must first. May be called again.
    void stop();
    bool stopping() const;

    // Returns when no child is left, also those spawned meanwhile. Rethrows the first exception of a child, except
    // the operation_aborted by which it obeyed a stop. If the waiting coroutine is cancelled the group is asked to
    // stop, and the wait goes on until it has.
    boost::asio::awaitable<void> wait();

    std::size_t running() const;

 private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace taskbarge::async
