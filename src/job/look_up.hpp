// The look-up: finds out through /tasks/search what became of doubtful requests.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "job/evidence.hpp"
#include "job/session.hpp"
#include "job/task_list.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::job {

// How a pass over the doubtful chunks went.
struct pass_result {
    std::map<core::instant, span_view> spans;  // by due date; those that could be read, each with its own problem
    reading_end end;                           // what kept the others from being read
};

// Reads the spans of the due dates of all `doubts`. No request of ours creates anything meanwhile (the caller sees to
// that), or the list would change under the scan.
class look_up {
 public:
    explicit look_up(session& s) : session_(s) {}
    boost::asio::awaitable<pass_result> scan(const std::vector<doubt>& doubts);

 private:
    boost::asio::awaitable<span_view> view_of(core::instant due, const std::vector<const doubt*>& doubts,
                                              reading_end& end);
    boost::asio::awaitable<span_view> scan_span(task_list& list, core::instant due,
                                                const std::vector<const doubt*>& doubts);
    boost::asio::awaitable<doubt_reason> control_shows(task_list& list, core::task_status status, core::instant due,
                                                       const std::vector<client::seen_task>& due_then);
    boost::asio::awaitable<std::optional<span_view>> try_contact_filter(core::instant due,
                                                                        const std::vector<const doubt*>& doubts,
                                                                        reading_end& end);
    boost::asio::awaitable<bool> contact_filter_works(core::task_status status, core::instant due, reading_end& end);
    boost::asio::awaitable<void> mark_recorded(pass_result& out);

    session& session_;
    // Learnt in this pass, so that a hundred due dates that cannot be seen cost no more requests than one.
    std::optional<core::instant> hidden_before_;  // what is due earlier lies behind what the list shows
    bool filter_fails_ = false;
};

}  // namespace taskbarge::job
