// Asks Apollo for contacts, and puts into the ledger what it shows: the whole list, what has changed in it, one key at
// a time, or one id at a time. What was read stays read, wherever it is stopped.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "job/contacts/contact_reading.hpp"
#include "job/contacts/contact_resolver.hpp"
#include "job/online/session.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/ledger/contact_store.hpp"

namespace taskbarge::job {

// The cheapest way to what is wanted, by what is known. Plain arithmetic.
struct finding_way {
    enum class kind : std::uint8_t {
        nothing,     // but for ids
        changes,     // what has changed in a complete index
        whole_list,  // page by page
        searches     // one request for each e-mail
    };
    kind what = kind::nothing;
    std::uint64_t requests = 0;         // at least
    std::uint64_t id_requests = 0;      // besides, one for each id that is to be checked
    std::uint64_t create_requests = 0;  // and these, for contacts that are to be created
    std::uint64_t all() const { return requests + id_requests + create_requests; }
    bool total_known = true;  // false: the first request tells what the rest costs
};
finding_way way_to(const wanted_contacts& wanted, const ledger::contact_index& index, const core::settings& settings,
                   core::instant now);
std::string text_of(const finding_way& way, const wanted_contacts& wanted, std::uint64_t total);

struct finding_end {
    std::uint64_t requests = 0;
    std::optional<core::instant> resume_at;  // of a failure that is errc::waiting: not before
    std::optional<core::failure> why;        // nothing: all was asked for
    bool ids_unchecked = false;              // ids could not be checked: they are sent as they are
};

// Brings what is wanted into the ledger's store, or says why it cannot: errc::input where no waiting helps.
finding_end find_contacts(const environment& env, ledger::ledger& book, const wanted_contacts& wanted);

// Reads what has changed; the whole list with `all`, or where there is no complete index to which changes would add.
finding_end refresh_index(const environment& env, ledger::ledger& book, bool all);

// Asks for contacts that may be gone, one by one, and takes in what has changed in the list besides.
finding_end recheck_contacts(const environment& env, ledger::ledger& book, const std::vector<std::string>& ids);

// How many contacts the team has, for who keeps nothing. One request.
core::result<std::uint64_t> ask_for_total(const environment& env, ledger::ledger& book);

}  // namespace taskbarge::job
