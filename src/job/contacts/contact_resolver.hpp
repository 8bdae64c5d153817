// From what rows name their contacts by to Apollo's ids, by what the ledger knows. Asks nobody.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "taskbarge/client/contacts.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/job/report.hpp"
#include "taskbarge/ledger/contact_store.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::job {

inline ledger::contact_team contact_team_of(const core::settings& s) {
    return {s.apollo.base_url, s.apollo.team};
}

// That a key has no contact is believed of an index for so long: others of the team make contacts all the time.
inline constexpr auto absence_holds = std::chrono::minutes(10);

// Whether something that was seen then may still be believed. A time in the future was read off a clock that was wrong
// then or is now: it says nothing.
inline bool is_within(core::instant then, core::instant now, core::instant::duration limit) {
    constexpr auto slack = std::chrono::minutes(5);  // of clocks, and of a run that goes on while others read
    return then <= now + slack && now - then <= limit;
}
// How old what was found may be. What a run has read itself is believed to its end, so that it has one.
inline core::instant::duration age_allowed(const core::settings& s) {
    return std::max<core::instant::duration>(s.contacts.max_age, absence_holds);
}

// What Apollo would have to be asked for.
struct wanted_contacts {
    static constexpr std::size_t most = 200'000;  // kept; beyond, they are only said to be more
    std::unordered_set<std::string> emails;       // comparable keys
    std::unordered_set<std::string> ids;          // of contacts, to be checked
    std::vector<client::new_contact> create;
    // Rows that share a key are of one contact.
    void add_to_create(client::new_contact contact);
    std::string label;             // of those that are created
    std::uint64_t other_keys = 0;  // rows with none but CRM ids and profiles, which no search finds
    bool more = false;
    bool empty() const { return emails.empty() && ids.empty() && create.empty() && other_keys == 0; }

 private:
    std::unordered_map<std::string, std::size_t> place_;  // of `create`, by key
};

// What is made of a row whose contact is not known yet.
enum class unknown_contacts : std::uint8_t {
    stop,     // resolve() says so and stops: nothing is to be planned from the batch
    collect,  // it is put into wanted()
    stand_in  // and its key stands for the contact, for what an import would do
};

// A store of one's own for who reads beside the ledger's thread; null: there is none, and nothing is known.
using open_contacts = std::function<core::result<ledger::contact_store*>()>;

// Not thread-safe.
class contact_resolver {
 public:
    // `open` is called when the first row wants it; what it gives outlives this. `now` decides what is too old to be
    // believed.
    contact_resolver(ledger::contact_index index, open_contacts open, const core::settings& settings, core::instant now,
                     unknown_contacts what);
    // Whether rows with ids are looked at, too: the reader must keep their records then.
    bool checks_ids() const;

    // Gives each row its contact id, or makes a reject of it. False: stopped at a row whose contact is not known. The
    // texts that it gives hold until the next call.
    core::result<bool> resolve(reader::row_batch& batch);
    // Of the rows of the last batch that were found by a key: "email:ada@example.com", by the rows' numbers.
    const std::vector<std::pair<core::row_number, std::string>>& found_by() const { return found_by_; }

    const contact_tally& tally() const { return tally_; }
    wanted_contacts& wanted() { return wanted_; }
    const wanted_contacts& wanted() const { return wanted_; }

 private:
    struct answer;
    core::result<bool> resolve_rows(reader::row_batch& batch);
    core::result<answer> look_at(const core::row& row, const reader::row_keys& keys);
    core::result<answer> by_keys(const core::row& row, const reader::row_keys& keys);
    core::result<answer> to_create(const reader::row_keys& keys);
    core::result<answer> check_id(std::string_view id, const reader::row_keys& keys);
    core::result<bool> is_absent(std::optional<core::key_kind> kind, std::string_view text);
    std::optional<ledger::contact_match> chosen(const std::vector<ledger::contact_match>& from,
                                                std::string_view owner) const;
    bool fresh(core::instant seen_at) const;
    bool absence_is_known() const;

    ledger::contact_index index_;
    open_contacts open_;
    ledger::contact_store* store_ = nullptr;
    const core::settings& settings_;
    ledger::contact_team team_;
    core::instant now_;
    unknown_contacts what_;
    std::vector<std::string> texts_;  // of the last batch
    std::vector<std::pair<core::row_number, std::string>> found_by_;
    contact_tally tally_;
    wanted_contacts wanted_;
};

}  // namespace taskbarge::job
