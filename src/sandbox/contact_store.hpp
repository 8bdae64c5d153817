// All contacts of the sandbox, packed so that half a million fit, and the orders in which the search shows them.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/keywords.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/sandbox/sandbox.hpp"

namespace taskbarge::sandbox {

// The fields of a contact that are one text, by their names in JSON.
struct contact_field {
    std::string_view name;
    std::string stored_contact::*text;
};
inline constexpr std::array contact_fields{
    contact_field{"id", &stored_contact::id},
    contact_field{"first_name", &stored_contact::first_name},
    contact_field{"last_name", &stored_contact::last_name},
    contact_field{"title", &stored_contact::title},
    contact_field{"organization_name", &stored_contact::organization_name},
    contact_field{"email", &stored_contact::email},
    contact_field{"email_status", &stored_contact::email_status},
    contact_field{"salesforce_id", &stored_contact::salesforce_id},
    contact_field{"salesforce_lead_id", &stored_contact::salesforce_lead_id},
    contact_field{"salesforce_contact_id", &stored_contact::salesforce_contact_id},
    contact_field{"salesforce_account_id", &stored_contact::salesforce_account_id},
    contact_field{"hubspot_vid", &stored_contact::hubspot_vid},
    contact_field{"hubspot_company_id", &stored_contact::hubspot_company_id},
    contact_field{"crm_id", &stored_contact::crm_id},
    contact_field{"linkedin_url", &stored_contact::linkedin_url},
    contact_field{"person_id", &stored_contact::person_id},
    contact_field{"account_id", &stored_contact::account_id},
    contact_field{"owner_id", &stored_contact::owner_id},
    contact_field{"contact_stage_id", &stored_contact::contact_stage_id},
};

enum class contact_order : std::uint8_t { created_at, updated_at, last_activity };
inline constexpr std::size_t contact_orders = 3;

struct contact_query {
    std::string keywords = {};  // empty: all
    bool in_all_addresses = false;
    std::vector<std::string> stages = {}, labels = {};  // one of them; empty: any
    contact_order order = contact_order::last_activity;
    bool ascending = false;
};

// Not thread-safe.
class contact_store {
 public:
    using index = std::uint32_t;
    using time_point = std::chrono::steady_clock::time_point;

    explicit contact_store(std::uint64_t seed) : seed_(seed) {}

    // The search shows it from `visible_at` on. Nothing when there is one with that id.
    std::optional<index> add(const stored_contact& c, time_point visible_at = time_point::min());
    // The same contact, as it is from now on.
    void change(index i, const stored_contact& c);
    void remove(index i);

    std::optional<index> find(std::string_view id) const;
    // Whether there was a contact with that id, which was removed.
    bool was_removed(std::string_view id) const { return removed_.contains(core::canonical_id(id)); }
    stored_contact at(index i) const;
    std::uint64_t size() const { return numbers_.size(); }
    // One of them, by chance; nothing when there is none.
    std::optional<index> any(std::uint64_t mixed) const;
    void for_each(const std::function<void(const stored_contact&)>& visit) const;

    struct found {
        std::uint64_t total = 0;
        std::vector<index> contacts;
    };
    // The contacts from `offset` on, at most `count`. Ties stand in an order that is fixed but not that of creation.
    found search(const contact_query& query, std::uint64_t offset, std::uint64_t count, time_point now);

    // The one that Apollo takes for the same person: by id, then CRM ids, then any address. Those that the search does
    // not show yet are not seen.
    std::optional<index> same_as(const stored_contact& c, time_point now);

    // How many have each label.
    std::map<std::string, std::uint64_t> count_labels() const;

 private:
    struct record {
        std::string text;  // all texts; empty: no more there
        std::array<core::instant, contact_orders> times;
        std::uint32_t stage, labels;  // numbers
        bool shown = false;
    };
    using list = std::vector<index>;

    static text_marks marks_of(const stored_contact& c);
    record pack(const stored_contact& c);
    auto place_of(contact_order order, index i) const;
    void show(index i);
    void hide(index i);
    void reveal(time_point now);
    void settle();
    std::optional<index> first_shown(text_marks::kind kind, std::string_view text,
                                     const std::function<bool(const stored_contact&)>& same) const;
    const list& matching(const contact_query& query);

    std::uint64_t seed_;
    std::deque<record> records_;
    std::vector<text_marks> marks_;                          // of each record
    boost::unordered_flat_map<std::string, index> numbers_;  // by id
    std::set<std::string> removed_;
    std::vector<std::string> stages_;
    std::map<std::string, std::uint32_t, std::less<>> stage_numbers_;
    std::vector<std::vector<std::string>> label_sets_;
    std::map<std::vector<std::string>, std::uint32_t> label_set_numbers_;
    std::multimap<time_point, index> hidden_;
    std::array<list, contact_orders> orders_;  // of those shown, oldest first
    list unordered_;                           // shown, and still to be put into the orders
    std::map<std::string, list> answered_;     // filtered lists, until something changes
};

}  // namespace taskbarge::sandbox
