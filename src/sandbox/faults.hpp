// Misbehaviour on demand: what a fault is, how it is written, and which one strikes a request. docs/sandbox.md teaches
// the grammar.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/rate_window.hpp"

namespace taskbarge::sandbox {

enum class route : std::uint8_t {
    bulk_create,
    search,
    users,
    usage_stats,
    contacts_search,
    contact,
    contacts_create,
    labels,
    stages
};
inline constexpr std::array all_routes{route::bulk_create,     route::search,          route::users,
                                       route::usage_stats,     route::contacts_search, route::contact,
                                       route::contacts_create, route::labels,          route::stages};
std::string_view to_string(route r);
std::string route_names();  // all of them, in a text

enum class fault_kind : std::uint8_t {
    // One of these strikes a request: the first in the list that matches.
    status,         // an HTTP error instead of the answer
    throttle,       // 429
    stall,          // no answer, the connection stays open
    reset,          // TCP reset
    close,          // orderly end instead of an answer
    cut,            // half of the answer, then an orderly end
    length,         // wrong content-length
    html,           // 200 with a page instead of JSON
    success_false,  // 200 {"success":false}
    missing,        // contacts that the answer does not name
    repeated,       // contacts that it names twice
    foreign,        // contacts that nobody asked for
    anonymous,      // tasks without a contact_id
    oversized,      // a huge answer
    dribble,        // the answer, spread over a time
    delay,          // a wait before or after applying
    garbage,        // no HTTP at all
    copy,           // the answer, and the same once more
    previous,       // the answer to the request before on that connection
    same_id,        // one task id for all contacts
    hides,          // what a page of a search leaves out and counts
    longer,         // tasks that a page of the search has too many
    again,          // contacts of the page before in place of some of this one
    partial,        // the search shows the first contacts only, and says so
    deaf,           // the search knows no filter
    texts,          // pagination in texts instead of numbers
    other,          // another contact than the one asked for
    // These hold beside others.
    lag,          // tasks show in the search only after a time
    visible,      // how many tasks the search shows
    bad_contact,  // contacts refused with 422
    bad_user,     // users refused with 422
    cap,          // the most contacts a request may have
    close_after,  // requests per connection
    skew,         // the server's clocks are off
    no_date,      // answers without a Date
    spend,        // others of the team use the windows too
    // What others of the team do to the contacts, just before a request is answered.
    gone,    // some are deleted
    arrive,  // there are new ones
    touch,   // some are changed
    merge    // one is merged into another
};

// When the tasks of a struck request come into being.
enum class fault_moment : std::uint8_t {
    before,  // the fault comes before: never
    after,   // the fault comes after: as usual
    later    // some time after the answer
};

enum class fault_stage : std::uint8_t {
    accept,     // of a connection
    handshake,  // TLS: after the client's first bytes
    request,    // the request's head is read, its body not
    answer,     // the request is read
    mid_answer  // half of the answer is sent
};

enum class retry_form : std::uint8_t { seconds, http_date, missing };

// The web server in front dates the answers, the back end stamps the tasks: `both` is what a fault may turn.
enum class server_clock : std::uint8_t { both, date, tasks };

// Which of the requests on its route (or connections, for accept and handshake) a fault strikes.
struct fault_places {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;  // first to last, from 1
    std::optional<double> percent;                                // neither: all
};

struct fault {
    std::string spelled;  // as it was given
    fault_kind kind = fault_kind::status;
    sandbox::route route = sandbox::route::bulk_create;
    fault_moment moment = fault_moment::before;
    fault_stage stage = fault_stage::answer;
    std::chrono::milliseconds later{1000};  // for fault_moment::later
    fault_places places;

    int status = 0;                           // status, cap
    std::int64_t number = 0;                  // counts, bytes
    std::chrono::milliseconds time{0};        // lag, delay, dribble, copy, skew
    std::vector<std::string> ids;             // bad_contact, bad_user; merge: from, into
    bool named = false;                       // bad_contact: the error text names the first one
    bool echoes = false;                      // status, throttle: the answer repeats the request's headers
    server_clock clock = server_clock::both;  // skew
    retry_form retry = retry_form::seconds;
    core::window_kind window = core::window_kind::minute;  // throttle: the one that its text names
};

inline bool is(const fault* f, fault_kind kind) {
    return f != nullptr && f->kind == kind;
}

// A failure is errc::usage, names the fault and says what would be right.
core::result<fault> parse_fault(std::string_view text);

// All faults in force. Chance depends on the seed, the fault's place in the list and the request's place alone.
class fault_plan {
 public:
    fault_plan() = default;
    fault_plan(std::vector<fault> faults, std::uint64_t seed);

    // The fault that strikes the `place`th request on a route, from 1.
    std::shared_ptr<const fault> strike(route r, std::uint64_t place);
    // The fault that strikes the `place`th connection, at accept or handshake.
    std::shared_ptr<const fault> strike_connection(std::uint64_t place);

    // What others do to the contacts before this request is answered.
    std::vector<std::shared_ptr<const fault>> others(route r, std::uint64_t place);
    // For what the `place`th request on a route creates.
    std::chrono::milliseconds lag(route r, std::uint64_t place);
    std::uint64_t spend(route r, std::uint64_t place);
    std::optional<std::uint64_t> visible() const;
    std::optional<std::uint64_t> close_after() const;
    // How far off one of the clocks is.
    std::chrono::milliseconds skew(server_clock of) const;
    bool leaves_out_date(route r, std::uint64_t place);
    const fault* cap() const;
    bool has_bad_contacts() const { return has_bad_contacts_; }
    const fault* bad_contact(std::string_view canonical_id) const;
    const fault* bad_user(std::string_view id) const;

    // The count of strikes of lasting faults (visible, bad_contact, bad_user, cap) is told by their users.
    void note_strike(const fault& f);
    std::vector<std::pair<std::string, std::uint64_t>> strikes() const;

 private:
    struct entry {
        std::shared_ptr<const fault> what;
        std::uint64_t strikes = 0;
    };
    bool strikes_at(std::size_t i, std::uint64_t place) const;
    entry* find_striking(fault_kind kind, route r, std::uint64_t place);
    const fault* first_of(fault_kind kind) const;

    std::vector<entry> entries_;
    std::uint64_t seed_ = 0;
    bool has_bad_contacts_ = false;
};

}  // namespace taskbarge::sandbox
