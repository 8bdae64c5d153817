// Refused requests: finding out, with few requests, which contacts or details Apollo refuses. Plain state, no I/O.
//
// A refused chunk is split (recorded in the ledger), and one part is sent before the other: where the first is created,
// the second holds what was refused, and need not be sent whole to know it. A contact fails only when it was refused
// alone. Details are taken to be bad only when nothing was ever created with them and three different contacts were
// refused alone with the same words; the owner, when these words are about the owner and nothing was created for him.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "job/chunk_flow.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/job/retry_policy.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

class isolation {
 public:
    // `budget`: requests that may be spent on finding bad contacts in this job, until somebody retries it.
    explicit isolation(std::uint64_t budget) : budget_(budget) {}

    // What an earlier run of the job has learnt: it is not asked again.
    void recall(const ledger::learnt_refusals& learnt);

    // What must happen to a planned chunk instead of sending it, if anything: a split or a refusal by what was learnt.
    std::optional<ledger::chunk_update> before_send(const ledger::chunk_record& chunk, core::instant now);
    // The chunk is sent after all: counts it where it is part of a search. Give it back when it was not sent.
    void sending(const ledger::chunk_record& chunk);
    void not_sent(const ledger::chunk_record& chunk);

    // What becomes of a chunk that Apollo refused. `proven`: something was created with its details before.
    ledger::chunk_update after_refusal(const ledger::chunk_record& chunk, const verdict& refused, bool too_many,
                                       bool proven, core::instant now);

    // A planned child was read from the ledger: true when it is kept back until its sibling's outcome is known.
    bool keep_back(const ledger::chunk_record& child);
    // The outcome of a chunk that was sent. Gives the sibling that was kept back for it, if any.
    std::optional<ledger::chunk_record> outcome(const ledger::chunk_record& chunk, const verdict& v);
    // The chunk was changed instead of sent: its sibling waits for nothing any more.
    std::optional<ledger::chunk_record> release_sibling(const ledger::chunk_record& chunk);

 private:
    struct group_knowledge {
        bool proven = false;  // something was created with these details
        bool bad = false;
        std::string words;                // of the contacts refused alone
        std::uint32_t refused_alone = 0;  // different contacts, same words
        std::uint32_t probes = 0;
        // Refused alone while nothing was created with the details: bad contacts, once something is.
        std::vector<std::pair<std::string, std::string>> suspects;
    };
    // Two parts of a split: the second waits for the first. Known by its rows, since ids are given by the ledger.
    struct waiting_part {
        core::row_number first_row = 0;
        bool together_refused = false;  // both parts together hold what was refused
        std::optional<ledger::chunk_record> chunk;
        bool released = false;
    };
    enum class hint : std::uint8_t { holds_bad, probe_first };

    ledger::chunk_update refuse(const ledger::chunk_record& chunk, std::string code, std::string message,
                                core::instant now) const;
    ledger::chunk_update split_in_two(const ledger::chunk_record& chunk, const std::vector<std::uint32_t>& first,
                                      bool together_refused);
    ledger::chunk_update split_to_cap(const ledger::chunk_record& chunk) const;
    std::optional<ledger::chunk_update> drop_known_contacts(const ledger::chunk_record& chunk, core::instant now) const;
    void learn_refused_alone(core::group_number group, const std::string& contact, const std::string& user,
                             const std::string& words);
    std::vector<std::uint32_t> probe_of(const ledger::chunk_record& chunk);
    void prove(core::group_number group, const std::string& user);
    void learn_cap(std::size_t refused);

    std::uint64_t budget_;
    std::uint64_t spent_ = 0;
    std::uint32_t cap_ = 0;  // contacts a request; 0: none known
    boost::unordered_flat_map<core::group_number, group_knowledge> groups_;
    boost::unordered_flat_map<std::string, std::string> bad_contacts_;  // with Apollo's words
    boost::unordered_flat_map<std::string, std::string> bad_users_;
    boost::unordered_flat_set<std::string> good_users_;                // something was created for them
    boost::unordered_flat_map<core::chunk_id, waiting_part> waiting_;  // by the parent's id
    boost::unordered_flat_map<core::chunk_id, hint> hints_;
};

// The code of planned chunks that are part of a search for what was refused.
inline constexpr std::string_view isolating = "isolating";

}  // namespace taskbarge::job
