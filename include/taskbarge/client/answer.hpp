// What is known of one exchange with Apollo, classified once, here, and typed from then on.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/id_list.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/core/secret.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::client {

// How far a request came. Only `not_sent` is safe to repeat without looking.
enum class reach : std::uint8_t {
    not_sent,   // failed before its first byte was written (DNS, connect, TLS, a stop): nothing can have happened
    no_answer,  // written at least in part; no whole answer came (timeout, reset, cut off, too large, not HTTP)
    answered    // a whole HTTP answer
};

// The rate headers of one answer: x-rate-limit-*, x-*-usage, x-*-requests-left.
struct rate_headers {
    struct window {
        bool present = false;
        bool unlimited = false;  // the limit header is there and empty
        std::optional<std::uint64_t> limit, used, left;
    };
    std::array<window, 3> windows;  // by core::window_kind
};

struct exchange {
    client::reach reach = client::reach::not_sent;
    int status = 0;    // HTTP
    std::string body;  // decoded (gzip undone)
    std::string content_type;
    std::string request_id;   // x-request-id
    std::string retry_after;  // as sent; see parse_retry_after
    std::string location;     // of a redirect
    std::string trace;        // what headers tell of who answered: "Server: cloudflare, CF-RAY: 8f2a-FRA"
    std::optional<core::instant> server_date;
    rate_headers rates;
    std::string error_code;            // for not_sent and no_answer, stable: listed at apollo_client
    std::string error_text;            // one line for people; never the key
    bool tls_or_name_problem = false;  // not_sent: no such host, bad certificate; repeating soon is pointless
    // On which connection of its client it went, from 1; 0: on none. Answers that were mixed up have it in common.
    std::uint64_t connection = 0;
    std::uint64_t bytes_sent = 0, bytes_received = 0;
    std::chrono::milliseconds took{0};
};

// Who spoke, as far as an answer tells. Apollo speaks JSON, with 401 plain text; what stands in front of it (a CDN, a
// firewall, a captive portal, a company's proxy) has pages of its own.
enum class respondent : std::uint8_t {
    apollo,    // or nobody that could be told from it
    no_route,  // 3xx, 404, 405, 410, whoever said so: nothing of Apollo's is at this URL, and nothing was done
    gateway    // a page, or nothing, with 2xx or a status by which Apollo says what is wrong
};
respondent respondent_of(const exchange& x);
// What a person needs to know when it was not Apollo: errc::settings of no_route, else errc::unreachable. `route` is
// what was asked for.
core::failure not_apollo(const exchange& x, std::string_view route);

// Which contact got which task: parallel.
struct created_tasks {
    core::id_list contact_ids;  // canonical_id()
    core::id_list task_ids;
    void add(std::string_view contact_id, std::string_view task_id) {
        contact_ids.push_back(contact_id);
        task_ids.push_back(task_id);
    }
    std::size_t size() const { return task_ids.size(); }
    bool empty() const { return task_ids.empty(); }
};

// The closed set of what an exchange on bulk_create means.
enum class create_verdict : std::uint8_t {
    created,       // 200 or 201, success, and `tasks` could be read: true for the contacts it names
    refused,       // 400, 413, 422: nothing was created (assumed of 422)
    too_many,      // the same, and a limit of contacts may be why: 413, or a text that speaks of one
    throttled,     // 429
    unauthorized,  // 401
    forbidden,     // 403
    no_route,      // see respondent: nothing was created, and nothing ever will be at this URL
    gateway,       // the same with 4xx: the request was kept from Apollo, so nothing was created
    not_sent,      // safe to repeat
    doubtful       // may have been created: 408, 5xx, other statuses, lost or unreadable answers, success:false; also
                   // 2xx of a gateway: who knows what is behind it
};

struct create_answer {
    create_verdict verdict = create_verdict::doubtful;
    created_tasks tasks;                        // verdict created; in the answer's order
    std::string code;                           // stable: created, refused_422, http_500, request_timeout, ...
    std::string message;                        // the server's own words, or ours; one line, bounded
    std::optional<core::instant> created_at{};  // when the first task was created, by the clock that stamps tasks
};
// `asked` is what the request asked for: an answer whose tasks are others, or that names a task twice, is not the
// answer to it (doubtful, `answer_not_ours`). `key` is taken out of the body unless it is a clear success, before
// anything is read from it; no text of what is returned holds it.
create_answer classify_bulk_create(exchange& x, const core::task_view& asked, const core::secret& key = {});

// What came of one bulk_create request.
struct creation {
    exchange http;  // of a body only what may be looked at: nothing of a clear success, else its first 64 KiB
    create_answer answer;
};

// A task as /tasks/search shows it. Fields that are absent or of another type are empty.
struct seen_task {
    std::string id, contact_id, user_id, type, priority, status, note;
    std::optional<core::instant> due_at, created_at;
};
struct search_page {
    std::vector<seen_task> tasks;
    std::uint64_t page = 0, per_page = 0, total_entries = 0, total_pages = 0;
};
// The page that was asked for. Any failure to read is errc::waiting or forbidden/unauthorized. Not usable is also what
// has more tasks than were asked for (none is kept), says that it is another page, or has a task twice.
core::result<search_page> read_search(const exchange& x, std::uint64_t page, std::uint64_t per_page);

struct apollo_user {
    std::string id, email, name;
};
struct users_page {
    std::vector<apollo_user> users;
    std::uint64_t page = 0, total_pages = 0;
};
// As read_search().
core::result<users_page> read_users(const exchange& x, std::uint64_t page, std::uint64_t per_page);

// limit and consumed of each window of one route, such as ("api/v1/tasks", "bulk_create").
struct route_usage {
    std::string controller, action;
    rate_headers usage;
};
// Not usable with more routes than any API has.
core::result<std::vector<route_usage>> read_usage_stats(const exchange& x);

// Seconds, or an HTTP date (RFC 9110, 10.2.3) against `now`. Nothing when absent or unreadable; zero stays zero.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view text, core::instant now);
// An HTTP date in the IMF-fixdate form.
std::optional<core::instant> parse_http_date(std::string_view text);
// "... 600 times per hour ..." -> hour.
std::optional<core::window_kind> window_named_in(std::string_view message);

}  // namespace taskbarge::client
