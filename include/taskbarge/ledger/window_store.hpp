// What is known of Apollo's limits, kept for all processes and runs: rate windows by route, and how many contacts a
// request may have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/ledger/transactions.hpp"

namespace taskbarge::ledger {

// A window book's name: routes are "tasks/bulk_create", "tasks/search", ...
struct book_key {
    std::string base_url, team, route;
};

// How many contacts a request may have, as it was shown for a team: requests with `passes` contacts were created, one
// with `refused` was not, though all its parts were.
struct contact_limit {
    std::uint32_t passes = 0;
    std::uint32_t refused = 0;
    instant shown_at{};
    friend bool operator==(const contact_limit&, const contact_limit&) = default;
};

// A book is loaded, changed and saved within one transaction, or a place that another process took meanwhile is lost.
class window_store : public virtual transactions {
 public:
    virtual result<core::rate_book> load_book(const book_key& key) = 0;  // an empty one where none was saved
    virtual result<void> save_book(const book_key& key, const core::rate_book& book) = 0;

    // Nothing: no limit is known.
    virtual result<std::optional<contact_limit>> load_contact_limit(const std::string& base_url,
                                                                    const std::string& team) = 0;
    virtual result<void> save_contact_limit(const std::string& base_url, const std::string& team,
                                            const std::optional<contact_limit>& limit) = 0;
};

}  // namespace taskbarge::ledger
