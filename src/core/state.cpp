#include "taskbarge/core/state.hpp"

#include <array>

#include "core/words.hpp"
#include "taskbarge/core/rate_window.hpp"

namespace taskbarge::core {
namespace {

constexpr std::array<std::string_view, 6> row_words{"created", "duplicate", "rejected", "failed", "unknown", "pending"};
constexpr std::array<std::string_view, 6> chunk_words{"planned", "sending", "created", "refused", "doubtful", "split"};
constexpr std::array<std::string_view, 4> job_words{"planning", "parked", "completed", "failed"};
constexpr std::array<std::string_view, 3> window_words{"minute", "hour", "day"};

}  // namespace

std::string_view to_string(row_state v) {
    return word_of(row_words, v);
}
std::optional<row_state> parse_row_state(std::string_view text) {
    return value_of<row_state>(row_words, text);
}
std::string_view to_string(chunk_state v) {
    return word_of(chunk_words, v);
}
std::optional<chunk_state> parse_chunk_state(std::string_view text) {
    return value_of<chunk_state>(chunk_words, text);
}
std::string_view to_string(job_state v) {
    return word_of(job_words, v);
}
std::optional<job_state> parse_job_state(std::string_view text) {
    return value_of<job_state>(job_words, text);
}
std::string_view to_string(window_kind v) {
    return word_of(window_words, v);
}

row_state state_of_open_row(chunk_state of, row_state while_sending) {
    switch (of) {
        case chunk_state::planned:
            return row_state::pending;
        case chunk_state::sending:
            return while_sending;
        case chunk_state::refused:
            return row_state::failed;
        case chunk_state::created:
        case chunk_state::doubtful:
        case chunk_state::split:
            break;
    }
    return row_state::unknown;
}

row_state row_state_of(chunk_state of) {
    return of == chunk_state::created ? row_state::created : state_of_open_row(of, row_state::pending);
}

std::uint64_t& count_of(row_counts& sums, row_state of) {
    switch (of) {
        case row_state::created:
            return sums.created;
        case row_state::duplicate:
            return sums.duplicate;
        case row_state::rejected:
            return sums.rejected;
        case row_state::failed:
            return sums.failed;
        case row_state::unknown:
            return sums.unknown;
        case row_state::pending:
            break;
    }
    return sums.pending;
}

row_counts& row_counts::operator+=(const row_counts& more) {
    rows += more.rows;
    created += more.created;
    duplicate += more.duplicate;
    duplicate_pending += more.duplicate_pending;
    duplicate_unknown += more.duplicate_unknown;
    duplicate_failed += more.duplicate_failed;
    rejected += more.rejected;
    failed += more.failed;
    unknown += more.unknown;
    pending += more.pending;
    return *this;
}

request_counts& request_counts::operator+=(const request_counts& more) {
    groups += more.groups;
    minimum_requests += more.minimum_requests;
    requests += more.requests;
    retries += more.retries;
    rate_limited += more.rate_limited;
    return *this;
}

}  // namespace taskbarge::core
