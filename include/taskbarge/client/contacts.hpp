// Apollo's contacts: what is asked about them, and what answers say.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/client/answer.hpp"
#include "taskbarge/core/contact_key.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"

namespace taskbarge::client {

enum class contact_order : std::uint8_t { created_at, updated_at };

// A page of POST /contacts/search. Apollo ignores filters that it does not understand, in silence.
struct contact_search {
    static constexpr std::uint32_t most_per_page = 100, most_pages = 500;  // docs.apollo.io, "Search for Contacts"
    std::uint32_t page = 1;
    std::uint32_t per_page = most_per_page;
    contact_order order = contact_order::created_at;
    bool ascending = false;
    // Filters; empty: none.
    std::string keywords, stage_id, label_id;
    bool filtered() const { return !keywords.empty() || !stage_id.empty() || !label_id.empty(); }
};

// A contact as answers show it. What is absent or of another type is empty.
struct seen_contact {
    struct key {
        core::key_kind kind = core::key_kind::email;
        std::string text;  // core::comparable_key()
        bool primary = true;
        friend bool operator==(const key&, const key&) = default;
    };
    std::string id, owner_id;  // the id as canonical_id() writes it
    std::optional<core::instant> created_at, updated_at, active_at;
    std::vector<key> keys;
    bool hidden = false;  // that it is there is all that this key may know
};

struct contacts_page {
    std::vector<seen_contact> contacts;
    std::uint64_t total_entries = 0;
    bool partial = false;    // Apollo says that it shows a part of the list only
    bool understood = true;  // all filters are named among the breadcrumbs
};
// The page that was asked for. Fails as read_search() does.
core::result<contacts_page> read_contacts(const exchange& x, const contact_search& asked);

// GET /contacts/{id}: nothing where Apollo says that it does not exist or was deleted (422). Of one that this key may
// not see the id alone.
core::result<std::optional<seen_contact>> read_contact(const exchange& x, std::string_view id);

// GET /contact_stages or GET /labels: the ids, in Apollo's order.
core::result<std::vector<std::string>> read_ids(const exchange& x, std::string_view list);

// A contact that is to be created: by its keys alone. With a name Apollo would take another for it.
struct new_contact {
    std::string email, salesforce_contact_id, salesforce_lead_id, hubspot_id;
};
// The body of POST /contacts/bulk_create with run_dedupe, which takes contacts that there are as they are.
std::string create_contacts_body(std::span<const new_contact> contacts, std::string_view label);
// Those that were created and those that were there, in no order that tells which is which.
core::result<std::vector<seen_contact>> read_created_contacts(const exchange& x);

}  // namespace taskbarge::client
