// Blocking calls (SQLite, files) off the event loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <type_traits>
#include <utility>

namespace taskbarge::async {

// A thread, or some, that run the calls given to them; a single one in the order in which they came. run() may be
// called from any thread.
class worker {
 public:
    explicit worker(std::size_t threads = 1);
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    // Runs what is queued, then joins the thread. Whoever awaits a call must still have its executor.
    ~worker();

    // Runs `f` on the worker's thread and resumes the caller on the caller's executor with its value or exception. Once
    // awaited the call is made and its end awaited: a stop of the waiting coroutine does not interrupt it.
    //
    //     auto chunk = co_await w.run([&] { return ledger.next_chunk(job); });
    //
    // A named function object is used in place and lives until the call is done. One that holds more than references
    // and plain values has to be named: GCC 12 destroys such a closure twice if it is made within a co_await.
    template <class F>
    boost::asio::awaitable<std::invoke_result_t<F&>> run(F&& f) {
        static_assert(std::is_lvalue_reference_v<F> || std::is_trivially_destructible_v<F>,
                      "give the function object a name before awaiting the call");
        return on_thread<F>(std::forward<F>(f));
    }

 private:
    // F is an lvalue reference or a type.
    template <class F>
    boost::asio::awaitable<std::invoke_result_t<F&>> on_thread(F f) {
        using value_type = std::invoke_result_t<F&>;
        // An empty slot: no cancellation reaches the call, so this frame outlives it.
        auto token = boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot(), boost::asio::use_awaitable);
        if constexpr (std::is_void_v<value_type>) {
            co_await boost::asio::co_spawn(thread_, call(f), token);
        } else {
            std::optional<value_type> value;
            auto keep = [&] { value.emplace(f()); };
            co_await boost::asio::co_spawn(thread_, call(keep), token);
            co_return std::move(*value);
        }
    }

    template <class F>
    static boost::asio::awaitable<void> call(F& f) {
        f();
        co_return;
    }

    boost::asio::thread_pool thread_;
};

}  // namespace taskbarge::async
