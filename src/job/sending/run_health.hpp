// Whether a run gets through to Apollo: what each answer says of the way there, and when that is reason to slow down,
// to wait, or to end. Plain state, no I/O; time is passed in, chance is seeded.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "job/look_up/evidence.hpp"
#include "job/sending/chunk_flow.hpp"
#include "job/sending/moment.hpp"
#include "job/sending/refusal_watch.hpp"
#include "taskbarge/client/answer.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/job/retry_policy.hpp"

namespace taskbarge::job {

// What a 401 means to whoever reads of it.
core::failure key_refused();

class run_health {
 public:
    // The settings must outlive it. `created_before`: earlier runs of the job have created something.
    run_health(const core::settings& settings, bool created_before, std::uint64_t seed);

    // The answer of a bulk_create request, or that none came, and the windows after it. A failure: the run cannot go
    // on.
    std::optional<core::failure> note_answer(consequence what, const client::exchange& x,
                                             const core::rate_book& windows, const moment& now);
    // What an answer asks of a person, by what became of its chunk. Nothing: the run goes on.
    std::optional<core::failure> why_to_end(const verdict& v) const;
    // The answer to another route's request that did not get through.
    void note_unreached(const client::exchange& x, const moment& now);
    // What kept a pass of look-ups from reading all it wanted. A failure: the run cannot go on.
    std::optional<core::failure> note_search(const reading_end& end, const moment& now);
    // A look-up has found something that this job created.
    void note_created() { anything_created_ = true; }
    // A refusal that may be about everything.
    void note_refusal(const ledger::chunk_record& chunk, const std::string& message) {
        refusals_.refused(chunk, message);
    }

    bool anything_created() const { return anything_created_; }

    // Sending. A request is begun by begin_request(), which is to be called only where may_send() says so.
    bool may_send(steady_time now) const { return breaker_.would_allow(now); }
    void begin_request(steady_time now) { breaker_.allow(now); }
    void request_given_up() { breaker_.abandoned(); }
    // Until something was created the way to Apollo is not known to be good: one request at a time finds that out.
    std::uint32_t room() const { return anything_created_ ? width_.width() : 1; }
    // Nothing: Apollo is taken to be healthy.
    std::optional<steady_time> sending_opens(steady_time now) const;
    // When a request that never left may be tried again.
    core::instant next_try(core::instant now);
    // Something before Apollo kept the request from it. While others get through it is about this request, which may
    // be tried so often; else it is an outage, and costs no row its place.
    void weigh_gateway(verdict& v) const;

    // When look-ups may go on. Nothing: now.
    std::optional<steady_time> look_up_opens() const { return search_opens_; }

    // An outage parks the job when it lasts longer than any wait may, and soon when Apollo was never reached at all:
    // then it is more likely the settings than the weather.
    bool outage_over_limit(steady_time now) const;
    // Why a run that did not come to its end is over, where the way to Apollo is the reason.
    std::optional<core::failure> outage(steady_time now) const;
    // What the last 429 asked to wait, where one is believed.
    std::optional<std::chrono::milliseconds> told_wait() const { return told_wait_; }

 private:
    // What is kept of the latest trouble.
    struct trouble {
        int status = 0;
        std::string text;
        bool hopeless = false;  // repeating soon is pointless
    };
    static trouble trouble_of(const client::exchange& x) { return {x.status, x.error_text, x.tls_or_name_problem}; }
    void trouble_begins(trouble what, steady_time now);
    std::string last_words() const;
    backoff_terms terms() const { return {settings_.send.backoff_base, settings_.send.backoff_cap}; }

    const core::settings& settings_;
    random_source random_;
    circuit_breaker breaker_;
    send_width width_;
    refusal_watch refusals_;
    bool anything_created_ = false;
    bool any_answer_ = false;
    std::uint32_t unreached_in_a_row_ = 0;
    std::optional<steady_time> trouble_since_;
    trouble last_trouble_;
    std::optional<std::chrono::milliseconds> told_wait_;
    std::uint32_t search_failures_ = 0;
    std::optional<steady_time> search_opens_;
};

}  // namespace taskbarge::job
