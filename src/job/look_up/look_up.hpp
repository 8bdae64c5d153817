// The look-up: finds out through /tasks/search what became of doubtful requests.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "job/look_up/evidence.hpp"
#include "job/look_up/task_list.hpp"
#include "job/online/session.hpp"
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
    // A task that the ledger knows, and its place in the ledger's count of events.
    struct control {
        ledger::known_task task;
        ledger::event_number since = 0;
    };

    template <class T, class F>
    boost::asio::awaitable<std::optional<T>> ask_ledger(F question);
    boost::asio::awaitable<std::optional<std::vector<ledger::recorded_task>>> recorded_of(std::vector<std::string> ids);
    boost::asio::awaitable<std::vector<control>> controls_after(core::task_status status, ledger::event_number ended);

    boost::asio::awaitable<span_view> view_of(core::instant due, const std::vector<const doubt*>& doubts,
                                              reading_end& end);
    boost::asio::awaitable<span_view> scan_span(task_list& list, core::instant due,
                                                const std::vector<const doubt*>& doubts);
    boost::asio::awaitable<void> seek_control(task_list& list, core::task_status status,
                                              const std::vector<const doubt*>& doubts, span_view& view);
    boost::asio::awaitable<bool> own_task_shows(core::task_status status, core::instant due,
                                                const std::function<bool(const std::string&)>& in_span);
    boost::asio::awaitable<std::optional<span_view>> try_contact_filter(core::instant due,
                                                                        const std::vector<const doubt*>& doubts,
                                                                        reading_end& end);
    boost::asio::awaitable<ledger::event_number> contact_filter_proves(core::task_status status,
                                                                       const std::vector<const doubt*>& doubts,
                                                                       reading_end& end);
    boost::asio::awaitable<void> mark_recorded(pass_result& out);

    session& session_;
    // Learnt in this pass, so that a hundred due dates that cannot be seen cost no more requests than one.
    std::optional<core::instant> hidden_before_;  // what is due earlier lies behind what the list shows
    bool filter_fails_ = false;
    std::optional<core::failure> ledger_failure_;
};

}  // namespace taskbarge::job
