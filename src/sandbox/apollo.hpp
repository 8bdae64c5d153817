// Apollo itself: what it answers, and what that does to its tasks. Knows no sockets: bytes come in and go out
// elsewhere.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/contact_service.hpp"
#include "sandbox/faults.hpp"
#include "sandbox/fixed_windows.hpp"
#include "sandbox/task_service.hpp"
#include "sandbox/wire.hpp"
#include "taskbarge/sandbox/sandbox.hpp"

namespace taskbarge::sandbox {

// What the head of a request says.
struct request_head {
    std::string_view method, target;
    std::string_view key;      // as sent in x-api-key or as a bearer token
    std::string headers = {};  // "name: value; name: value", where a fault's answer repeats them
};

// How a request goes on once its head is read.
struct admission {
    std::optional<sandbox::route> route;          // nothing: no route of Apollo's
    std::uint64_t place = 0;                      // among the requests let in on its route, from 1
    std::optional<answer> refused;                // the answer, whatever the body says
    std::shared_ptr<const sandbox::fault> fault;  // strikes this request; never one that is refused
    bool dated = true;                            // the answer has a Date
    window_usage usage;
    std::uint64_t number = 0;                                 // of all requests
    std::chrono::milliseconds wait_before{0}, wait_after{0};  // around the creation of tasks
};

// All state of the sandbox. Every function may be called from any thread.
class apollo {
 public:
    // `options` must be checked, with the key filled in; `clock` must outlive it.
    apollo(sandbox_options options, fault_plan plan, const core::clock& clock);
    // Reads the journal and the contacts. Before the first request.
    core::result<void> open();

    admission admit(const request_head& head);
    // The answer to an admitted request, with all its headers, as its fault distorts it. How it is delivered is the
    // connection's business.
    answer serve(const admission& a, const request_head& head, std::string_view body);
    // How a request ended: the status sent, or 0 when there is no answer. To be called once for each.
    void record(const admission& a, int status);

    // A new connection, and the fault that strikes it.
    std::shared_ptr<const fault> admit_connection();
    std::optional<std::uint64_t> requests_per_connection() const;
    std::string date() const;
    // Creations that faults put off happen now.
    void finish();

    sandbox_stats stats() const;
    void for_each_task(const std::function<void(const stored_task&)>& visit) const;
    std::uint64_t count_of(std::string_view contact_id, const core::task_view& details) const;
    void for_each_contact(const std::function<void(const stored_contact&)>& visit) const;
    core::result<std::string> add_contact(std::string_view json);
    bool remove_contact(std::string_view id);
    bool merge_contacts(std::string_view from, std::string_view into);
    core::result<void> set_faults(const std::vector<std::string>& faults);
    const sandbox_options& options() const { return options_; }

 private:
    struct route_state {
        fixed_windows windows;
        bool forbidden = false;
        std::uint64_t places = 0;
        std::map<int, std::uint64_t> by_status = {};
    };

    route_state& state(route r) { return routes_[static_cast<std::size_t>(r)]; }
    void add_waits(admission& a) const;
    answer throttled(route r, const fixed_windows::shut_window& shut) const;
    answer honest_answer(const admission& a, const request_head& head, std::string_view body);
    known_contact known_contacts() const;
    answer usage_stats_answer();
    answer distorted(const admission& a, answer honest) const;
    answer fault_429(const admission& a) const;
    answer admin(const request_head& head, std::string_view body);
    answer stats_answer() const;
    answer tasks_answer() const;
    answer contacts_answer() const;
    answer changed_contacts(std::string_view what, std::string_view body);
    sandbox_stats stats_now() const;
    void visit_tasks(const std::function<void(const stored_task&)>& visit) const;
    core::result<void> replace_faults(const std::vector<std::string>& faults);

    const sandbox_options options_;
    const core::clock& clock_;
    mutable std::mutex mutex_;  // guards all below; never held while waiting
    mutable task_service tasks_;
    mutable contact_service contacts_;
    fault_plan plan_;
    std::array<route_state, all_routes.size()> routes_;
    std::uint64_t requests_ = 0;
    std::uint64_t connections_ = 0;
    std::uint64_t connection_places_ = 0;
};

// Reads all of them; the first that is wrong fails.
core::result<std::vector<fault>> parse_faults(const std::vector<std::string>& texts);

}  // namespace taskbarge::sandbox
