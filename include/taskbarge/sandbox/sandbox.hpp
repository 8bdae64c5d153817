// A local Apollo over TLS, for trying out, tests and benchmarks. What it imitates and how it misbehaves on demand is
// described in docs/sandbox.md.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::sandbox {

// By core::window_kind; limit 0: unlimited.
using window_limits = std::array<std::uint64_t, 3>;
using window_lengths = std::array<std::chrono::milliseconds, 3>;

// Everything that can be set. One option of `taskbarge sandbox` each.
struct sandbox_options {
    std::string listen = "127.0.0.1:0";  // loopback only; port 0: any free one
    std::string state_folder = {};       // for CA, certificate and key files; empty: a temporary one
    std::string api_key = {};            // empty: made from the seed
    std::uint64_t seed = 1;
    bool tls = true;
    bool gzip = true;  // compress answers for clients that accept it

    // The rate windows of tasks/bulk_create and of each other route; their lengths are common. The limits are those of
    // Apollo's Basic and Professional plans.
    window_limits limits{200, 400, 2000};
    window_limits search_limits{200, 400, 2000};
    window_limits users_limits{200, 400, 2000};
    window_limits usage_limits{200, 400, 2000};
    window_limits contacts_search_limits{200, 400, 2000};
    window_limits contact_limits{200, 400, 2000};
    window_limits contacts_create_limits{200, 400, 2000};
    window_limits lists_limits{200, 400, 2000};  // of labels and of contact_stages
    window_lengths lengths{std::chrono::minutes(1), std::chrono::hours(1), std::chrono::hours(24)};

    bool minimal_answers = false;  // ids on creation, plain fields in the search, instead of about 3 KB a task
    // Between a request and its answer; the tasks are created half-way. Jitter is added, evenly spread.
    std::chrono::milliseconds latency{0};
    std::chrono::milliseconds latency_jitter{0};

    std::uint64_t search_visible = 50000;  // tasks that the search can show, over search_visible / 100 pages
    bool search_filters = false;           // honour contact_id and user_id; Apollo does not document them
    bool search_hides_finished = false;    // completed and skipped tasks are not listed
    std::uint64_t existing_tasks = 0;      // other people's tasks in the list, in no count and no journal

    // The team's contacts: so many made up from the seed, those of a file (lines of JSON) and those given here, each
    // with any of the fields that answers have; the others are made up.
    std::uint64_t contacts = 0;
    std::string contacts_file = {};
    std::vector<std::string> contacts_json = {};
    double contacts_alike = 0;               // so many percent of those made up share their address with another
    std::uint64_t contacts_visible = 50000;  // that one search can show, at most 500 pages of them
    bool keywords_find_additional = false;   // q_keywords looks into all addresses, not the primary one alone
    bool known_contacts_only = false;        // tasks for contacts that are not there are refused with 422

    std::uint32_t max_contacts = 0;              // per request, as the fault cap=N; 0: no cap
    std::vector<std::string> bad_contacts = {};  // refused with 422, as the fault bad_contact=ID
    std::vector<std::string> forbid = {};        // routes answered 403, by the names in sandbox_stats
    std::vector<std::string> faults = {};        // docs/sandbox.md lists them

    std::string journal = {};     // file: one JSON line per task created, written with each request; empty: none
    bool journal_reload = false;  // begin with the tasks that the journal holds
    bool quiet = false;           // run_sandbox: no line on stderr for each request
};

// Where a sandbox is to be found.
struct sandbox_ready {
    std::string base_url;  // ends in /api/v1
    std::string ca_file;   // PEM; empty without TLS
    std::string api_key;
};

// Runs until SIGINT or SIGTERM; calls `ready` once, when it listens. A failure is errc::usage (an option is wrong: the
// text names it), io (a file or folder) or unreachable (the address cannot be listened on).
core::result<void> run_sandbox(const sandbox_options& options, const std::function<void(const sandbox_ready&)>& ready);

// What was asked on one route.
struct route_stats {
    std::map<int, std::uint64_t> by_status;         // answers by HTTP status; 0: none was given
    std::array<std::uint64_t, 3> most_in_window{};  // the fullest window so far, by core::window_kind
    std::uint64_t requests() const;
};

struct sandbox_stats {
    // bulk_create, search, users, usage_stats, contacts_search, contact, contacts_create, labels, stages
    std::map<std::string, route_stats> routes;
    std::uint64_t tasks = 0;                                    // created through the API
    std::uint64_t pairs = 0;                                    // different (contact, details) among them
    std::uint64_t tasks_twice = 0;                              // pairs with more than one task
    std::uint64_t contacts = 0;                                 // there are
    std::uint64_t contacts_created = 0;                         // through the API
    std::uint64_t throttled = 0;                                // 429s given, on all routes
    std::uint64_t connections = 0;                              // accepted
    std::vector<std::pair<std::string, std::uint64_t>> faults;  // as given, and how often each struck
};

// A task as it was created.
struct stored_task {
    std::string id;
    std::string contact_id;
    core::task_view details;  // lives as long as the server
    core::instant created_at{};
};

// A contact as it is now. Empty texts are null in answers.
struct stored_contact {
    std::string id = {}, first_name = {}, last_name = {}, title = {}, organization_name = {};
    std::string email = {}, email_status = {};
    std::vector<std::string> other_emails = {};  // the additional ones
    std::string salesforce_id = {}, salesforce_lead_id = {}, salesforce_contact_id = {}, salesforce_account_id = {};
    std::string hubspot_vid = {}, hubspot_company_id = {}, crm_id = {}, linkedin_url = {};
    std::string person_id = {}, account_id = {}, owner_id = {}, contact_stage_id = {};
    std::vector<std::string> label_ids = {};
    std::vector<std::string> merged_crm_ids = {};
    core::instant created_at{}, updated_at{};
    std::optional<core::instant> last_activity_at = {};
};

// A sandbox inside the calling process, with a thread of its own. All functions may be called from any thread, the
// inspecting ones also after stop().
//
//     auto apollo = server::start({.seed = 7, .faults = {"500:after@2"}});
//     ... import against (*apollo)->where() ...
//     EXPECT_EQ((*apollo)->stats().tasks_twice, 0);
class server {
 public:
    // Fails as run_sandbox does. `clock` decides windows, lag and creation times and must outlive the server; latency
    // and slow answers take real time.
    static core::result<std::unique_ptr<server>> start(const sandbox_options& options,
                                                       const core::clock& clock = core::system_clock());
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server();

    // Drops every connection at once, as a crash would; creations that a fault put off happen now. Idempotent.
    void stop();

    const sandbox_ready& where() const;
    sandbox_stats stats() const;
    // Every task created through the API, in the order of creation. `visit` must not call the server.
    void for_each_task(const std::function<void(const stored_task&)>& visit) const;
    // How many tasks one contact has with these details. Looks at every task.
    std::uint64_t count_of(std::string_view contact_id, const core::task_view& details) const;
    // Every contact, in no order. `visit` must not call the server.
    void for_each_contact(const std::function<void(const stored_contact&)>& visit) const;
    // Adds a contact, as a line of the contacts file; its id. Fails with errc::usage.
    core::result<std::string> add_contact(std::string_view json);
    // False when there is no such contact.
    bool remove_contact(std::string_view id);
    // `from` is no more; `into` has its addresses and CRM ids besides. False when one of them is not there.
    bool merge_contacts(std::string_view from, std::string_view into);
    // Replaces all faults, those of the options too; places count from 1 again. On failure nothing changes.
    core::result<void> set_faults(const std::vector<std::string>& faults);

 private:
    friend core::result<void> run_sandbox(const sandbox_options&, const std::function<void(const sandbox_ready&)>&);
    class impl;
    explicit server(std::unique_ptr<impl> i);
    std::unique_ptr<impl> impl_;
};

}  // namespace taskbarge::sandbox
