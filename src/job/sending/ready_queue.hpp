// The chunks of a run that may be sent, and which of them goes next. Plain state, no I/O; time is passed in.
//
// A chunk comes in by reading the ledger ahead, as part of what another was split into, or back from an answer that
// planned it again. It goes out by take_next(), and whoever took it says what became of it, by exactly one of
// not_sent(), take_outcome() and take_changed(). What Apollo refuses, and how much of the day may go into finding that
// out, is decided in here (isolation, search_day).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_set>
#include <vector>

#include "job/sending/chunk_flow.hpp"
#include "job/sending/isolation.hpp"
#include "job/sending/moment.hpp"
#include "job/sending/run_policy.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/job/retry_policy.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

class ready_queue {
 public:
    struct ready_chunk {
        ledger::chunk_record chunk;
        steady_time not_before{};
    };
    // What goes next: a request, or a change of the chunk that needs none.
    struct next_step {
        ready_chunk ready;
        std::optional<ledger::chunk_update> instead;
    };

    // The settings must outlive it.
    ready_queue(const core::settings& settings, std::uint64_t minimum_requests);

    void recall(const earlier_refusals& known, core::instant now);

    // Reading ahead. One page at a time: between begin_loading() and end_loading() the chunks planned behind
    // last_loaded() are handed over page by page, as long as wants_page() says so.
    static constexpr std::size_t page_size = 64;
    bool wants_loading() const;
    void begin_loading() { loading_ = true; }
    bool wants_page() const;
    core::chunk_id last_loaded() const { return last_loaded_; }
    void take_page(std::vector<ledger::chunk_record> page, const moment& now);
    void end_loading() { loading_ = false; }
    bool loading() const { return loading_; }
    // Nothing of the job is in memory, or on its way, but doubts: what was left in the ledger is read again.
    void read_again_if_left();
    // Whether what could go now is none but searches: these had better wait for clean chunks that are being read.
    bool only_searches(steady_time now) const;

    // The next chunk, where one may go. `may_send`: a request may leave; else only a change is given.
    std::optional<next_step> take_next(const moment& now, const core::rate_window& day, bool may_send);
    // There was no place in the windows: the chunk is as it was.
    void not_sent(ready_chunk ready);
    // What becomes of a refused chunk instead: see isolation::after_refusal().
    ledger::chunk_update after_refusal(const ledger::chunk_record& chunk, const verdict& refused, bool perhaps_too_many,
                                       bool proven, core::instant now);
    // The outcome of a chunk's request is in the ledger, with the children that came of it. `written`: the request
    // left. Gives the chunks that are in doubt now.
    std::vector<ledger::chunk_record> take_outcome(ledger::chunk_record chunk, const verdict& v, bool written,
                                                   std::vector<ledger::chunk_record> children,
                                                   const core::rate_window& day, const moment& now);
    // The same for a chunk that was changed without a request.
    std::vector<ledger::chunk_record> take_changed(const ledger::chunk_record& chunk,
                                                   std::vector<ledger::chunk_record> children);
    // A chunk that was in doubt is settled, and the settlement is in the ledger.
    std::vector<ledger::chunk_record> take_settled(ledger::chunk_record chunk, const ledger::chunk_update& update,
                                                   std::vector<ledger::chunk_record> children);

    // The limit of contacts a request, once after it has changed: it is to be kept for the team.
    std::optional<std::optional<ledger::contact_limit>> take_limit_change();

    // What decide() wants to know of it.
    void describe(run_view& v, const core::rate_window& day, const moment& now) const;
    // Nothing is left that this run could send. What the retry budget keeps back is not sent in it: nothing that it
    // could show is worth waiting for.
    bool nothing_to_send() const;
    // Retries that were made.
    std::uint64_t retries() const { return budget_.spent(); }

 private:
    bool may_go(const ready_chunk& r) const;
    steady_time ready_at(const ready_chunk& r, std::optional<steady_time> search_opens) const;
    std::deque<ready_chunk>::iterator next_ready(steady_time now, std::optional<steady_time> search_opens);
    std::optional<steady_time> searches_open(const core::rate_window& day, const moment& now) const;
    std::size_t clean() const;
    bool searches_full() const;
    void take_in(ledger::chunk_record chunk, const moment& now);
    std::vector<ledger::chunk_record> take_children(std::vector<ledger::chunk_record> children);
    void insert(ledger::chunk_record chunk, steady_time not_before);

    const core::settings& settings_;
    isolation isolation_;
    search_day day_;
    retry_budget budget_;
    std::deque<ready_chunk> ready_;                // by time, and by arrival where that is the same
    std::unordered_set<core::chunk_id> children_;  // of splits, that were taken in
    bool loading_ = false;
    bool all_loaded_ = false;
    bool left_in_ledger_ = false;  // searches, for later
    core::chunk_id last_loaded_ = 0;
};

}  // namespace taskbarge::job
