// An Apollo without network: keeps tasks in memory and misbehaves as a test tells it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taskbarge/client/apollo_client.hpp"
#include "taskbarge/core/instant.hpp"

namespace taskbarge::testing {

// Answers as Apollo documents it: bulk_create makes a task per contact, search lists them by due date, most future
// first, 100 a page at most. usage_stats is forbidden and users/search unknown. Belongs to the thread of its event
// loop.
class fake_apollo final : public client::apollo_client {
 public:
    explicit fake_apollo(const core::clock& clock) : clock_(clock) {}

    // --- what one bulk_create request meets, in order; past the list all goes well
    struct creation {
        int status = 200;                  // 0: the connection is lost after the request was written
        bool sent = true;                  // false: it fails before its first byte
        bool connects = true;              // false: nor does that fail soon, but when its asker is stopped; as `silent`
        bool applied = true;               // tasks come into being
        std::size_t named = SIZE_MAX;      // of a 200: how many contacts its answer names
        std::chrono::milliseconds lag{0};  // until the tasks show in the search
        bool answers_again = false;        // the tasks come into being, but the answer is the one before
        std::string retry_after = {};      // of an answer that is no 200
        std::optional<std::uint64_t> minute_limit = {};  // that it tells
    };
    std::deque<creation> creations;

    // Of a request with these contacts: what Apollo refuses it with (422, any body). Nothing: it does not.
    std::function<std::optional<std::string>(const std::vector<std::string>&)> refuses;

    // The day's window that answers tell, with the requests since it began; nothing: it is unlimited.
    std::optional<std::uint64_t> day_limit;
    std::uint64_t day_began = 0;

    // Apollo's clock less ours: in its Date headers and in the creation times of tasks.
    std::chrono::milliseconds skew{0};

    // --- how the search shows the list
    enum class order { by_due_date, oldest_due_first, anyhow };
    order sorted = order::by_due_date;
    std::uint64_t visible = 50'000;  // tasks it shows at most; pages behind are refused with 422
    bool honours_contact_filter = false;
    // Once an answer belonged to an earlier request, so do those that follow on its connection, until it is closed.
    bool keeps_connection = false;
    bool shows_details = true;  // in answers, besides the ids
    // What usage_stats counts for bulk_create in its day; 0: usage_stats is forbidden.
    std::uint64_t counted_today = 0;
    // Tasks that its pages count but leave out.
    std::function<bool(const client::seen_task&)> hides;
    // Called with the ordinal (from 1) of each search request before it is answered: may change anything here.
    std::function<void(std::uint64_t)> on_search;
    // Whether questions (searches and limits) are answered. If not, `on_silence` is called, and they are left off only
    // when their asker is stopped, which is counted.
    bool silent = false;
    std::function<void()> on_silence;
    std::size_t left_off = 0;
    // What the search answers instead of its list; 0: the list.
    int search_status = 0;
    // A window of so many search requests that opens with the first, told in the rate headers; limit 0: none.
    std::uint64_t search_limit = 0;
    std::chrono::milliseconds search_window{1000};

    // --- the tasks
    // Adds a task from outside; makes an id where it has none. Gives the id.
    std::string add(client::seen_task task);
    void remove(std::string_view id);
    std::uint64_t count_of(std::string_view contact_id) const;
    std::uint64_t size() const { return tasks_.size(); }
    const client::seen_task& task(std::string_view id) const;

    std::uint64_t create_requests() const { return create_requests_; }
    std::uint64_t search_requests() const { return search_requests_; }
    std::uint64_t search_refusals() const { return search_refusals_; }

    boost::asio::awaitable<client::creation> bulk_create(const std::string& body,
                                                         const core::task_view& asked) override;
    boost::asio::awaitable<client::exchange> search_tasks(
        std::uint32_t page, std::uint32_t per_page,
        const std::vector<std::pair<std::string, std::string>>& filters) override;
    boost::asio::awaitable<client::exchange> search_users(std::uint32_t page, std::uint32_t per_page) override;
    boost::asio::awaitable<client::exchange> search_contacts(const client::contact_search& what) override;
    boost::asio::awaitable<client::exchange> contact(const std::string& id) override;
    boost::asio::awaitable<client::exchange> create_contacts(const std::string& body) override;
    boost::asio::awaitable<client::exchange> contact_stages() override;
    boost::asio::awaitable<client::exchange> labels() override;
    boost::asio::awaitable<client::exchange> usage_stats() override;
    void close() override;
    std::size_t forgotten_connections() const { return closings_; }

 private:
    boost::asio::awaitable<client::exchange> say_nothing();
    boost::asio::awaitable<client::exchange> create(const std::string& body);
    struct stored {
        client::seen_task task;
        core::instant visible_from{};
    };
    std::string make_id();
    core::instant its_time() const { return clock_.now() + skew; }
    client::exchange answer(int status, std::string body) const;
    std::vector<const stored*> listed(const std::string& contact_filter) const;
    bool count_search(client::exchange& x);

    const core::clock& clock_;
    std::vector<stored> tasks_;
    std::uint64_t made_ = 0;
    std::uint64_t create_requests_ = 0, search_requests_ = 0, search_refusals_ = 0;
    std::optional<core::instant> window_opened_;
    std::uint64_t in_window_ = 0;
    std::uint64_t connection_ = 1;
    std::size_t closings_ = 0;
    std::string last_answer_;
    std::optional<std::string> left_over_;  // on the connection
};

}  // namespace taskbarge::testing
