#include "service/api/control_api.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "service/api/routes.hpp"

namespace taskbarge::service {

namespace {

template <class Subject>
http::route_handler call(Subject& subject, awaitable<void> (Subject::*handle)(http::request&, const path_values&)) {
    return [&subject, handle](http::request& x, const path_values& v) { return (subject.*handle)(x, v); };
}

}  // namespace

struct control_api::subjects {
    explicit subjects(parts p) : shared{std::move(p)} {}

    shared_parts shared;
    health_routes health{shared};
    metrics_route metrics{shared};
    import_routes imports{shared};
    job_routes jobs{shared};
    result_routes results{shared};
    row_routes rows{shared};
    contact_routes contacts{shared};
    overview_route overview{shared};
    page_routes page;
    ticket_route tickets{shared};
    event_route events{shared};
};

control_api::control_api(parts p) : subjects_(std::make_unique<subjects>(std::move(p))) {}

control_api::~control_api() = default;

http::router control_api::routes() {
    using known = std::vector<std::string>;  // parameters; probes and scrapers may put what they like to theirs
    auto& s = *subjects_;
    http::router r;
    r.add("GET", "/", call(s.page, &page_routes::index));
    r.add("GET", "/assets/{name}", call(s.page, &page_routes::asset));
    r.add("GET", "/openapi.yaml", call(s.page, &page_routes::description));
    r.add("GET", "/healthz", call(s.health, &health_routes::health));
    r.add("GET", "/readyz", call(s.health, &health_routes::readiness));
    r.add("GET", "/metrics", call(s.metrics, &metrics_route::show));
    r.add("POST", "/v1/imports", call(s.imports, &import_routes::submit), known{"name", "first", "again", "hold"});
    r.add("GET", "/v1/imports", call(s.imports, &import_routes::list), known{"place", "limit"});
    r.add("GET", "/v1/imports/{import}", call(s.imports, &import_routes::show), known{});
    r.add("POST", "/v1/imports/{import}/retry", call(s.imports, &import_routes::retry), known{});
    r.add("DELETE", "/v1/imports/{import}", call(s.imports, &import_routes::discard), known{});
    r.add("GET", "/v1/imports/{import}/plan", call(s.imports, &import_routes::plan), known{});
    r.add("PUT", "/v1/imports/{import}/settings", call(s.imports, &import_routes::set_settings), known{});
    r.add("POST", "/v1/imports/{import}/start", call(s.imports, &import_routes::start), known{"plan"});
    r.add("GET", "/v1/imports/{import}/rejects", call(s.results, &result_routes::rejects_of_import), known{"ticket"});
    r.add("GET", "/v1/jobs", call(s.jobs, &job_routes::list), known{"state", "before", "limit"});
    r.add("GET", "/v1/jobs/{job}", call(s.jobs, &job_routes::show), known{});
    for (const auto what : {job_command::pause, job_command::resume, job_command::retry, job_command::retry_unknown,
                            job_command::verify, job_command::cancel}) {
        auto handle = [&jobs = s.jobs, what](http::request& x, const path_values& v) {
            return jobs.command(x, v, what);
        };
        r.add("POST", fmt::format("/v1/jobs/{{job}}/{}", to_string(what)), std::move(handle), known{});
    }
    r.add("GET", "/v1/jobs/{job}/results", call(s.results, &result_routes::results), known{"format", "only", "ticket"});
    r.add("GET", "/v1/jobs/{job}/rejects", call(s.results, &result_routes::rejects), known{"sheet", "ticket"});
    r.add("GET", "/v1/jobs/{job}/rows", call(s.rows, &row_routes::list),
          known{"limit", "after", "state", "code", "contact"});
    r.add("GET", "/v1/jobs/{job}/attempts", call(s.rows, &row_routes::attempts), known{"limit", "before"});
    r.add("GET", "/v1/jobs/{job}/input", call(s.rows, &row_routes::input), known{});
    r.add("GET", "/v1/rows", call(s.rows, &row_routes::find), known{"q", "limit"});
    r.add("GET", "/v1/history", call(s.rows, &row_routes::history), known{"from", "to", "step", "job"});
    r.add("GET", "/v1/overview", call(s.overview, &overview_route::show), known{});
    r.add("POST", "/v1/tickets", call(s.tickets, &ticket_route::issue), known{});
    r.add("GET", "/v1/contacts", call(s.contacts, &contact_routes::show), known{});
    r.add("POST", "/v1/contacts/refresh", call(s.contacts, &contact_routes::refresh), known{"all"});
    r.add("GET", "/v1/events", call(s.events, &event_route::stream), known{"job", "ticket"});
    return r;
}

}  // namespace taskbarge::service
