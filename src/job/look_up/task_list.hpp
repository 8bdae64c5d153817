// The list that /tasks/search shows, read page by page: most future due date first.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "job/look_up/evidence.hpp"
#include "job/online/session.hpp"

namespace taskbarge::job {

// What is kept of every task on the pages that were read.
struct shown_task {
    std::string id, status;
    std::optional<core::instant> due_at, created_at;
};

// One reading of the list under one set of filters. Pages are kept, so a reading asks for each at most once. Where the
// search's windows are used up in the middle it waits, as long as send.max_wait allows and no stop is asked for: a
// reading that began anew in each window would never get through a due date with more pages than a window has requests.
class task_list {
 public:
    using filter_list = std::vector<std::pair<std::string, std::string>>;
    // Called for each task; false: enough is known.
    using visitor = std::function<bool(const client::seen_task&)>;
    // Of the tasks of other contacts than those only what shown_task has is kept, and shown to visitors: a team's notes
    // may be long.
    using contact_set = boost::unordered_flat_set<std::string>;
    task_list(session& s, filter_list filters, contact_set wanted);

    // Visits the tasks that are due exactly at `due`. doubt_reason::none: the whole span of that due date was seen, or
    // as much of it as was wanted. Where the reading ended early, end().ended is true and the reason is search_failing.
    boost::asio::awaitable<doubt_reason> read_span(core::instant due, const visitor& visit);
    // Asks for the first page again. None: the list is what it was, and all pages read so far are whole and in order.
    boost::asio::awaitable<doubt_reason> confirm_unchanged();

    // Whether every task on the pages read so far is of that contact.
    bool only_of(const std::string& contact_id) const;

    // All tasks on the pages read so far.
    std::vector<shown_task> shown() const;

    // The due date of the last task on the pages read so far: after a span that was not visible, what is due earlier
    // is not visible either.
    std::optional<core::instant> last_shown() const;

    const reading_end& end() const { return end_; }

 private:
    // What is kept of a page.
    struct page_view {
        std::vector<client::seen_task> tasks;
        std::optional<core::instant> first_due, last_due;
        bool sorted = true;
        bool whole = true;  // holds as many tasks as the list's length says
    };
    page_view view_of(std::uint64_t number, client::search_page&& got) const;
    boost::asio::awaitable<const page_view*> page(std::uint64_t number);  // null: ended early
    boost::asio::awaitable<std::optional<client::search_page>> fetch(std::uint64_t number);
    boost::asio::awaitable<core::result<asked>> ask(std::uint64_t number);
    boost::asio::awaitable<bool> pause_until(core::instant until);
    boost::asio::awaitable<std::uint64_t> first_page_reaching(core::instant due);  // 0: ended early
    void keep(std::uint64_t number, page_view view);
    doubt_reason problem_of_pages() const;
    std::uint64_t listed() const;  // tasks on all pages that Apollo shows
    std::uint64_t last_page() const;
    bool all_shown() const;

    session& session_;
    const filter_list filters_;
    const contact_set wanted_;
    std::map<std::uint64_t, page_view> pages_;
    boost::unordered_flat_set<std::string> ids_;  // of all pages kept
    std::uint64_t most_shown_;                    // by the settings, or less where Apollo refused a page
    std::optional<std::uint64_t> total_;
    bool changed_ = false;
    reading_end end_;
};

}  // namespace taskbarge::job
