// One run's dealings with Apollo: the client, the rate windows in the ledger, and waits that a stop can end.
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "job/online/ledger_writer.hpp"
#include "job/online/route_windows.hpp"
#include "taskbarge/async/task_group.hpp"
#include "taskbarge/async/waits.hpp"
#include "taskbarge/client/apollo_client.hpp"
#include "taskbarge/job/environment.hpp"

namespace taskbarge::job {

// A request that creates nothing, and how it went.
struct asked {
    std::optional<client::exchange> answer;   // nothing: no place in the windows
    std::optional<core::instant> wait_until;  // throttled or no place: not before
    bool after_answer = false;                // no place until an answer under way has come: very soon
};

// Listens to the environment's stop for as long as it lives.
class session {
 public:
    session(const environment& env, boost::asio::any_io_executor ex, ledger_writer& writer,
            client::apollo_client& client);
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();

    // One request on a route that creates nothing: takes its place, asks, learns. A failure is the ledger's. A stop
    // ends it at once, as one that was not sent or not answered: nothing is lost by it.
    boost::asio::awaitable<core::result<asked>> search_page(
        std::uint32_t page, std::uint32_t per_page, const std::vector<std::pair<std::string, std::string>>& filters);
    static constexpr std::uint32_t users_per_page = 100;
    boost::asio::awaitable<core::result<asked>> users_page(std::uint32_t page);
    boost::asio::awaitable<core::result<asked>> contacts_page(client::contact_search what);
    boost::asio::awaitable<core::result<asked>> contact(std::string id);
    // GET /contact_stages or GET /labels.
    boost::asio::awaitable<core::result<asked>> list(route r);
    // Creates contacts, for which the caller has recorded its intent. A stop ends it as not sent while it waits for a
    // connection; once its first byte is written its answer or its deadline is waited for.
    boost::asio::awaitable<core::result<asked>> create_contacts(std::string body);
    // A bulk_create request without contacts or details, which Apollo can only refuse: shows the right to the route.
    boost::asio::awaitable<core::result<asked>> create_nothing();
    // Asks usage_stats once and fills the books of all routes. A key without that right is no failure: nothing learnt.
    // Gives the exchange, or nothing where there was no place for it.
    boost::asio::awaitable<core::result<std::optional<client::exchange>>> learn_limits();

    // The least that Apollo's clocks may say now, once an answer has shown one: gateways and back ends have their own.
    // Kept by the monotonic clock, so that setting ours changes nothing.
    std::optional<core::instant> server_time() const;
    // Takes in a clock of Apollo's as it was read in an answer that came just now: every answer's Date by itself, those
    // of bulk_create, and the time at which it created a task, by whoever asked.
    void note_server_clock(std::optional<core::instant> shown);

    // The next request goes over a new connection.
    void forget_connections() { client_.close(); }

    // The request that creates tasks, for which the caller took a place. A stop ends it as not sent while it waits for
    // a connection; once its first byte is written its answer or its deadline is waited for. Both arguments live until
    // it is done.
    boost::asio::awaitable<client::creation> create(const std::string& body, const core::task_view& details);

    // Waits until then, or for a stop: then false.
    boost::asio::awaitable<bool> pause_until(std::chrono::steady_clock::time_point until);
    // Rung when a stop is asked for.
    async::wake_bell& bell() { return bell_; }

    route_windows& windows(route r) { return windows_[static_cast<std::size_t>(r)]; }
    ledger_writer& writer() { return writer_; }
    const environment& env() const { return env_; }
    boost::asio::any_io_executor executor() const { return executor_; }

 private:
    template <class Call>
    boost::asio::awaitable<core::result<asked>> ask(route r, Call call);
    boost::asio::awaitable<client::exchange> answer_or_stop(boost::asio::awaitable<client::exchange> request);

    const environment& env_;
    boost::asio::any_io_executor executor_;
    ledger_writer& writer_;
    client::apollo_client& client_;
    std::array<route_windows, route_count> windows_;
    async::wake_bell bell_;
    std::list<async::task_group*> under_way_;                     // what a stop is passed on to
    std::optional<std::chrono::milliseconds> least_server_time_;  // at zero of the monotonic clock
};

}  // namespace taskbarge::job
