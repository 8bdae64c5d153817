// What happens, told to everybody who listens: the source of the event streams.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "taskbarge/core/state.hpp"

namespace taskbarge::service {

// One event. `data` is a JSON object on one line; `job` 0: of no job.
struct event {
    std::uint64_t id = 0;  // rises by one within a process
    std::string type;      // progress, job, import, notice
    core::job_id job = 0;
    std::string data;
};

// Keeps the last events, so that a listener that was cut off can go on where it was. publish() may be called from any
// thread; everything else belongs to the executor's.
class event_hub {
 public:
    explicit event_hub(boost::asio::any_io_executor ex) : executor_(std::move(ex)) {}

    void publish(std::string type, core::job_id job, std::string data);

    // Hears every event from its making on. Bounded: one that does not keep up loses the oldest, and is told how many.
    class listener {
     public:
        // `after`: the last event that was heard before; those kept since then come first.
        listener(event_hub& hub, std::optional<std::uint64_t> after);
        ~listener();
        listener(const listener&) = delete;
        listener& operator=(const listener&) = delete;
        // The next event, or nothing after `patience`, or after wake().
        boost::asio::awaitable<std::optional<event>> next(std::chrono::milliseconds patience);
        std::uint64_t take_lost() { return std::exchange(lost_, 0); }

     private:
        friend class event_hub;
        void add(const event& e);
        event_hub& hub_;
        std::list<listener*>::iterator place_;
        std::deque<event> waiting_;
        boost::asio::steady_timer bell_;
        std::uint64_t lost_ = 0;
    };

    // Ends every wait for an event, so that whoever waits looks whether it should go on.
    void wake();

    std::size_t listeners() const { return listeners_.size(); }
    std::uint64_t last_id() const { return last_id_; }

 private:
    void spread(event e);

    boost::asio::any_io_executor executor_;
    std::list<listener*> listeners_;
    std::deque<event> kept_;
    std::uint64_t last_id_ = 0;
};

}  // namespace taskbarge::service
