// Refused requests: finding out, with few requests, which contacts or details Apollo refuses. Plain state, no I/O.
//
// A refused chunk is planned again as a set of suspects. A part of it is split off and sent, the rest is kept back
// (recorded in the ledger) until the part's outcome is known: where the part is created, the rest holds what was
// refused; where it is refused, the part holds it, and what is left of it comes together with the rest again, of which
// nothing is known any more. search_plan says how large a part is. A contact fails only when it was refused alone.
// Details are taken to be bad only when nothing was ever created with them and three different contacts were refused
// alone with the same words; the owner, when these words are about the owner and nothing was created for him.
//
// A limit of contacts is never believed for its words, but when all parts of a refused request were created and no
// request of its size ever was. Words that speak of a limit only change in which order things are tried.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "job/sending/chunk_flow.hpp"
#include "job/sending/search_plan.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/job/retry_policy.hpp"
#include "taskbarge/ledger/send_book.hpp"
#include "taskbarge/ledger/window_store.hpp"

namespace taskbarge::job {

// What earlier runs of a job, and of its team, have learnt about refusals.
struct earlier_refusals {
    ledger::learnt_refusals learnt;
    std::optional<ledger::contact_limit> limit;
    core::rate_window day;        // of tasks/bulk_create
    ledger::requests_made today;  // by this job, within that window
};

class isolation {
 public:
    // `budget`: requests that may be spent on finding bad contacts in this job, until somebody retries it. Nothing: as
    // many as it takes.
    explicit isolation(std::optional<std::uint64_t> budget) : budget_(budget) {}

    // What an earlier run of the job has learnt: it is not asked again.
    void recall(const ledger::learnt_refusals& learnt);
    // The limit of contacts a request that was shown for the team. An old one is tried once more.
    void recall_limit(const std::optional<ledger::contact_limit>& limit, core::instant now);

    // A planned chunk was read from the ledger, in the order of ids. Gives the chunk to be sent: a part once its rest
    // is here too, which is kept back.
    std::optional<ledger::chunk_record> take_in(ledger::chunk_record chunk);
    // Whether it is the rest of a part that was taken in.
    bool is_awaited(const ledger::chunk_record& chunk) const { return lone_parts_.contains(chunk.partner); }

    // What must happen to a planned chunk instead of sending it, if anything: a split or a refusal by what was learnt.
    std::optional<ledger::chunk_update> before_send(const ledger::chunk_record& chunk, core::instant now);
    // Whether a clean chunk had better wait for the searches under way: it is likely to be refused like those before.
    bool better_later(const ledger::chunk_record& chunk) const;
    // The chunk is sent after all: counts it where it is part of a search. Give it back when it was not sent.
    void sending(const ledger::chunk_record& chunk);
    void not_sent(const ledger::chunk_record& chunk);

    // What becomes of a chunk that Apollo refused. `perhaps_too_many`: its words may speak of a limit of contacts.
    // `proven`: something was created with its details before.
    ledger::chunk_update after_refusal(const ledger::chunk_record& chunk, const verdict& refused, bool perhaps_too_many,
                                       bool proven, core::instant now);

    // The outcome of a chunk that was sent. Gives the rest that was kept back for it, if it may go now.
    std::optional<ledger::chunk_record> outcome(const ledger::chunk_record& chunk, const verdict& v, core::instant now);
    // The chunk was changed instead of sent: its rest waits for nothing any more, and nothing is known of it.
    std::optional<ledger::chunk_record> release_rest(const ledger::chunk_record& chunk);

    const std::optional<ledger::contact_limit>& limit() const { return limit_; }
    // True once after the limit has changed: it is to be kept.
    bool take_limit_change() { return std::exchange(limit_changed_, false); }

 private:
    struct group_knowledge {
        bool proven = false;  // something was created with these details
        bool bad = false;
        std::string words;                 // of the contacts refused alone
        std::uint32_t refused_alone = 0;   // different contacts, same words
        std::uint32_t refused_chunks = 0;  // whole, and nothing was created
        std::uint32_t probes = 0;
        // Refused alone while nothing was created with the details: bad contacts, once something is.
        std::vector<std::pair<std::string, std::string>> suspects;
    };

    ledger::chunk_update refuse(const ledger::chunk_record& chunk, std::string code, std::string message,
                                core::instant now) const;
    ledger::chunk_update split_off(const ledger::chunk_record& chunk, const std::vector<std::uint32_t>& part,
                                   ledger::search_mark known) const;
    ledger::chunk_update split_named(const ledger::chunk_record& chunk, const std::vector<std::uint32_t>& others) const;
    ledger::chunk_update split_to_limit(const ledger::chunk_record& chunk, std::uint32_t first_size, bool clean) const;
    std::optional<ledger::chunk_update> fit_limit(const ledger::chunk_record& chunk);
    std::optional<ledger::chunk_update> drop_known_contacts(const ledger::chunk_record& chunk, core::instant now) const;
    std::optional<ledger::chunk_update> next_part(const ledger::chunk_record& chunk);
    std::size_t part_size(std::size_t size, ledger::search_mark known);
    const search_plan& plan_for(std::size_t size);
    bool limit_suspected(std::uint32_t refused_with) const;
    std::uint32_t size_to_try(std::size_t size) const;
    void learn_refused_alone(core::group_number group, const std::string& contact, const std::string& user,
                             const std::string& words);
    void learn_created(const ledger::chunk_record& chunk, core::instant now);
    void learn_limit(std::uint32_t refused, core::instant now);
    std::vector<std::uint32_t> probe_of(const ledger::chunk_record& chunk);
    void prove(core::group_number group, const std::string& user);

    std::optional<std::uint64_t> budget_;
    std::uint64_t spent_ = 0;
    refusal_rate rate_;
    std::optional<search_plan> plan_;
    int plan_key_ = 0;
    std::size_t plan_most_ = 0;

    std::optional<ledger::contact_limit> limit_;
    bool limit_changed_ = false;
    bool try_limit_again_ = false;       // a request of the size that was refused goes once more
    std::uint32_t trying_ = 0;           // a size between what passes and what was refused, about to be sent
    std::uint32_t tried_ = 0;            // the last of those that was sent
    std::uint32_t most_created_ = 0;     // contacts of a request that was created whole
    std::uint32_t refused_in_vain_ = 0;  // clean chunks larger than that, and no bad contact found since
    bool hinted_ = false;                // by words that speak of a limit
    std::uint32_t told_ = 0;             // a number in them that may be it
    boost::unordered_flat_set<std::string> not_about_size_;  // words with which one contact alone was refused

    boost::unordered_flat_map<core::group_number, group_knowledge> groups_;
    boost::unordered_flat_map<std::string, std::string> bad_contacts_;  // with Apollo's words
    boost::unordered_flat_map<std::string, std::string> bad_users_;
    boost::unordered_flat_set<std::string> good_users_;                           // something was created for them
    boost::unordered_flat_map<core::chunk_id, ledger::chunk_record> lone_parts_;  // whose rest is yet to be read
    boost::unordered_flat_map<core::chunk_id, ledger::chunk_record> rests_;       // kept back, by their part
};

// Codes of planned chunks: part of a search for what was refused, and contacts that the words of a refusal name.
inline constexpr std::string_view isolating = "isolating";
inline constexpr std::string_view named_by_refusal = "named";

}  // namespace taskbarge::job
