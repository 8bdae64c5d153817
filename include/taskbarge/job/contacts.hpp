// What the ledger knows of the team's contacts, and how it comes to know it: the commands `contacts ...`.
//
// Functions block like those of job.hpp, and none of them prints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "taskbarge/core/contact_key.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/ledger/contact_store.hpp"

namespace taskbarge::job {

struct contacts_status {
    ledger::contact_index index;
    std::uint64_t contacts = 0;               // known, whole list or not
    std::optional<std::uint64_t> pages_left;  // of a reading that was cut short
    bool reads_all = false;                   // that one is of the whole list
    std::optional<core::rate_book> book;      // of contacts/search, as far as it is known
};
core::result<contacts_status> status_of_contacts(const environment& env);

// contacts refresh: takes in what has changed, or reads the whole list (`all`, or where there is no complete index).
struct contacts_report {
    contacts_status status;
    std::uint64_t requests = 0;
    std::optional<core::instant> resume_at;
    std::optional<core::failure> why;  // it stopped before its end; what was read is kept
};
contacts_report refresh_contacts(const environment& env, bool all);

// contacts load: files of contacts that Apollo exported, which cost no request. A file is as old as its time of change
// says; contacts of which the index knows something newer are left as they are.
struct loaded_contacts {
    std::uint64_t records = 0;
    std::uint64_t contacts = 0;  // taken in
    std::uint64_t older = 0;     // left as they are
    std::uint64_t without_id = 0;
    std::uint64_t without_key = 0;     // taken in as well, as ids that exist
    std::vector<std::string> columns;  // that were used, as the first file has them
};
core::result<loaded_contacts> load_contacts(const environment& env, const std::vector<std::string>& files);

// contacts find: what is known of one key, or of Apollo's id; asks nobody. errc::usage for what is neither.
struct found_contact {
    std::optional<core::key_kind> kind;  // nothing: Apollo's id
    std::string key;                     // as it is compared
    std::vector<ledger::contact_match> contacts;
    std::optional<core::instant> id_seen_at;    // of an id that is known
    std::optional<core::instant> absent_since;  // Apollo was asked, and had none
    ledger::contact_index index;
};
core::result<found_contact> find_contact(const environment& env, const std::string& text);

}  // namespace taskbarge::job
