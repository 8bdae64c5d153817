// The routes of the control API by subject; each class is in a file of its name. Handlers run on the API's executor.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "service/api/control_api.hpp"
#include "taskbarge/async/worker.hpp"
#include "taskbarge/core/json_text.hpp"

namespace taskbarge::service {

class block_pipe;

// What all subjects work with.
struct shared_parts : control_api::parts {
    async::worker readers{4};  // ledger and inbox, and pieces of uploads
};

using boost::asio::awaitable;
using path_values = http::path_values;

// Why the service is not ready; empty: it is. Blocks.
std::string why_not_ready(const shared_parts& p);

// /healthz, /readyz
class health_routes {
 public:
    explicit health_routes(shared_parts& p) : parts_(p) {}
    awaitable<void> health(http::request& x, const path_values& v);
    awaitable<void> readiness(http::request& x, const path_values& v);

 private:
    shared_parts& parts_;
};

// /metrics
class metrics_route {
 public:
    explicit metrics_route(shared_parts& p) : parts_(p) {}
    awaitable<void> show(http::request& x, const path_values& v);

 private:
    gauges gather() const;

    shared_parts& parts_;
};

// /v1/imports: files that are submitted, and what became of those that were taken in
class import_routes {
 public:
    explicit import_routes(shared_parts& p) : parts_(p) {}
    awaitable<void> submit(http::request& x, const path_values& v);
    awaitable<void> list(http::request& x, const path_values& v);
    awaitable<void> show(http::request& x, const path_values& v);
    awaitable<void> retry(http::request& x, const path_values& v);
    // Of those that wait for a person's word.
    awaitable<void> plan(http::request& x, const path_values& v);
    awaitable<void> set_settings(http::request& x, const path_values& v);
    awaitable<void> start(http::request& x, const path_values& v);
    awaitable<void> discard(http::request& x, const path_values& v);

 private:
    http::response done_with(const std::string& id, const intake::planned_item& done, int status) const;
    awaitable<void> submit_upload(http::request& x);
    awaitable<void> submit_path(http::request& x);
    awaitable<void> accepted(http::request& x, inbox::held_item held);
    std::string import_json(const inbox::item& item) const;
    core::result<std::string> imports_json(inbox::item_place place, std::size_t most) const;

    shared_parts& parts_;
    async::worker copiers_{2};  // files as large as may be
};

// /v1/jobs, but for their results: what they are, and what a person wants of them
class job_routes {
 public:
    explicit job_routes(shared_parts& p) : parts_(p) {}
    awaitable<void> list(http::request& x, const path_values& v);
    awaitable<void> show(http::request& x, const path_values& v);
    awaitable<void> command(http::request& x, const path_values& v, job_command what);

 private:
    core::result<std::string> job_json(core::job_id job) const;
    core::result<std::string> jobs_json(const ledger::job_page& page) const;

    shared_parts& parts_;
    async::worker commands_{8};  // those that wait for requests in flight, at the most
    async::worker runs_{4};      // those that last as long as Apollo's windows let them
    std::size_t runs_asked_for_ = 0;
};

// /v1/rows, /v1/history, and a job's rows, attempts and input: what a person looks at
class row_routes {
 public:
    explicit row_routes(shared_parts& p) : parts_(p) {}
    awaitable<void> find(http::request& x, const path_values& v);
    awaitable<void> history(http::request& x, const path_values& v);
    awaitable<void> list(http::request& x, const path_values& v);
    awaitable<void> attempts(http::request& x, const path_values& v);
    awaitable<void> input(http::request& x, const path_values& v);

 private:
    awaitable<void> answer(http::request& x,
                           std::function<core::result<std::string>(ledger::ledger&, const core::settings&)> read);

    shared_parts& parts_;
};

// /v1/jobs/{job}/results and rejects, /v1/imports/{import}/rejects: streams of any length
class result_routes {
 public:
    explicit result_routes(shared_parts& p) : parts_(p) {}
    awaitable<void> results(http::request& x, const path_values& v);
    awaitable<void> rejects(http::request& x, const path_values& v);
    awaitable<void> rejects_of_import(http::request& x, const path_values& v);

 private:
    // Streams what `produce` pushes, on a thread of its own. A failure before the first block is a problem; one in the
    // middle cuts the answer short, so that it is not taken for whole.
    using producer = std::function<core::result<void>(const std::function<bool(std::string)>& push)>;
    static core::result<void> give_out(block_pipe& pipe, const producer& produce, const std::string& folder);
    awaitable<void> stream(http::request& x, std::string content_type, std::string file_name, producer produce);

    shared_parts& parts_;
    async::worker producers_{8};
    std::size_t streams_ = 0;
};

// /v1/contacts: what is known of Apollo's contacts
class contact_routes {
 public:
    explicit contact_routes(shared_parts& p) : parts_(p) {}
    awaitable<void> show(http::request& x, const path_values& v);
    awaitable<void> refresh(http::request& x, const path_values& v);

 private:
    core::result<std::string> contacts_json() const;

    shared_parts& parts_;
};

// /v1/overview: what the dashboard shows first, seen at one moment
class attention;
class overview_route {
 public:
    explicit overview_route(shared_parts& p) : parts_(p) {}
    awaitable<void> show(http::request& x, const path_values& v);

 private:
    core::result<std::string> overview_json(bool may_write) const;
    core::result<void> add_jobs(core::json_object& o, ledger::ledger& book, const configuration& c, core::instant now,
                                attention& urgent) const;
    core::result<void> add_imports(core::json_object& o) const;
    core::result<std::string> look(bool may_write, std::chrono::steady_clock::time_point asked_at);

    struct made {
        std::chrono::steady_clock::time_point begun_at{};
        std::string json;
    };
    shared_parts& parts_;
    std::array<made, 2> looks_;  // for who may read, and for who may write; the looker's own
    async::worker looker_;
};

// /, /assets and /openapi.yaml: the dashboard's own files
class page_routes {
 public:
    awaitable<void> index(http::request& x, const path_values& v);
    awaitable<void> asset(http::request& x, const path_values& v);
    awaitable<void> description(http::request& x, const path_values& v);
};

// /v1/tickets: for requests that cannot carry the token
class ticket_route {
 public:
    explicit ticket_route(shared_parts& p) : parts_(p) {}
    awaitable<void> issue(http::request& x, const path_values& v);

 private:
    shared_parts& parts_;
};

// /v1/events
class event_route {
 public:
    explicit event_route(shared_parts& p) : parts_(p) {}
    awaitable<void> stream(http::request& x, const path_values& v);

 private:
    shared_parts& parts_;
};

}  // namespace taskbarge::service
