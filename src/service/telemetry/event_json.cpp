#include "service/telemetry/event_json.hpp"

namespace taskbarge::service {

std::string_view to_string(job::phase p) {
    switch (p) {
        case job::phase::reading:
            return "reading";
        case job::phase::finding:
            return "finding";
        case job::phase::connecting:
            return "connecting";
        case job::phase::sending:
            return "sending";
        case job::phase::looking_up:
            return "looking_up";
        case job::phase::waiting:
            return "waiting";
        case job::phase::stopping:
            break;
    }
    return "stopping";
}

std::string progress_json(const job::progress& p) {
    std::string out;
    core::json_object o(out);
    o.job_or_null("job", p.job != 0 ? std::optional(p.job) : std::nullopt);
    o.text("phase", to_string(p.phase));
    core::add_counts(o, p.rows);
    o.number("requests", p.requests.requests);
    o.number("minimum_requests", p.requests.minimum_requests);
    o.number("in_flight", p.in_flight);
    o.number("bytes_read", p.bytes_read);
    o.number("bytes_total", p.bytes_total);
    o.number("contacts_read", p.contacts_read);
    o.number("contacts_total", p.contacts_total);
    o.text_or_null("waiting_for", p.waiting_for);
    o.time_or_null("waiting_until", p.waiting_until);
    o.time_or_null("expected_end", p.expected_end);
    o.close();
    return out;
}

std::string notice_json(core::job_id job, std::string_view text) {
    std::string out;
    core::json_object o(out);
    o.job_or_null("job", job != 0 ? std::optional(job) : std::nullopt);
    o.text("text", text);
    o.close();
    return out;
}

std::string job_event_json(core::job_id job, std::string_view state, std::string_view error) {
    std::string out;
    core::json_object o(out);
    o.number("job", static_cast<std::uint64_t>(job));
    o.text("state", state);
    o.text_or_null("error", error);
    o.close();
    return out;
}

std::string import_event_json(std::string_view import, std::string_view state, std::optional<core::job_id> job,
                              std::string_view error) {
    std::string out;
    core::json_object o(out);
    o.text("import", import);
    o.text("state", state);
    o.job_or_null("job", job);
    o.text_or_null("error", error);
    o.close();
    return out;
}

}  // namespace taskbarge::service
