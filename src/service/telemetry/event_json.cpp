#include "service/telemetry/event_json.hpp"

namespace taskbarge::service {

std::string_view to_string(job::phase p) {
    switch (p) {
        case job::phase::reading:
            return "reading";
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

void add_counts(core::json_object& o, const core::row_counts& rows) {
    o.number("rows", rows.rows);
    o.number("created", rows.created);
    o.number("duplicate", rows.duplicate);
    o.number("rejected", rows.rejected);
    o.number("failed", rows.failed);
    o.number("unknown", rows.unknown);
    o.number("pending", rows.pending);
}

void time_or_null(core::json_object& o, std::string_view key, const std::optional<core::instant>& t) {
    if (!t) return o.null(key);
    o.text(key, core::to_rfc3339(*t));
}

void job_or_null(core::json_object& o, std::string_view key, const std::optional<core::job_id>& job) {
    if (!job) return o.null(key);
    o.number(key, static_cast<std::uint64_t>(*job));
}

std::string progress_json(const job::progress& p) {
    std::string out;
    core::json_object o(out);
    job_or_null(o, "job", p.job != 0 ? std::optional(p.job) : std::nullopt);
    o.text("phase", to_string(p.phase));
    add_counts(o, p.rows);
    o.number("requests", p.requests.requests);
    o.number("minimum_requests", p.requests.minimum_requests);
    o.number("in_flight", p.in_flight);
    o.number("bytes_read", p.bytes_read);
    o.number("bytes_total", p.bytes_total);
    o.text_or_null("waiting_for", p.waiting_for);
    time_or_null(o, "waiting_until", p.waiting_until);
    time_or_null(o, "expected_end", p.expected_end);
    o.close();
    return out;
}

std::string notice_json(core::job_id job, std::string_view text) {
    std::string out;
    core::json_object o(out);
    job_or_null(o, "job", job != 0 ? std::optional(job) : std::nullopt);
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
    job_or_null(o, "job", job);
    o.text_or_null("error", error);
    o.close();
    return out;
}

}  // namespace taskbarge::service
