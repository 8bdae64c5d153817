// The rate windows of Apollo's routes, as the ledger keeps them for all processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "taskbarge/client/answer.hpp"
#include "taskbarge/client/rate_windows.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

// The routes that have windows of their own.
enum class route : std::uint8_t {
    bulk_create,
    search,
    users,
    contacts_search,
    contact,
    contacts_create,
    contact_stages,
    labels,
    usage_stats
};
inline constexpr std::size_t route_count = 9;
std::string_view to_string(route r);  // "tasks/bulk_create", as the ledger's books are named

// Whether the limit of any of its windows is known.
bool knows_a_limit(const core::rate_book& book);

// A place taken (or refused) in a route's windows, and the book as it was left.
struct placed {
    client::window_decision decision;
    core::instant taken_at{};
    core::rate_book book;
    std::optional<core::instant> server_time;  // the least that Apollo's clocks may have said then
};

// The windows of one route, shared with other processes through the ledger: every change is made on the ledger's copy,
// inside a transaction, by take(), learn() and change(), which run on the ledger's thread and touch nothing here.
// The event loop keeps what the last of them left, for decisions that need no promise.
class route_windows {
 public:
    route_windows(route r, const core::settings& s, const core::clock& clock);

    // Takes a place, or says until when to wait.
    core::result<placed> take(ledger::ledger& l) const;
    // What the exchange taught for which the place was taken.
    core::result<core::rate_book> learn(ledger::ledger& l, const client::exchange& x, core::instant taken_at) const;
    // Any other change of the book.
    core::result<core::rate_book> change(ledger::ledger& l, const std::function<void(core::rate_book&)>& how) const;
    core::result<core::rate_book> load(ledger::ledger& l) const { return l.load_book(key_); }

    // On the event loop: whether a place would be granted now, by what was seen last.
    client::window_decision peek() const;
    const core::rate_book& seen() const { return seen_; }
    void set_seen(core::rate_book book) { seen_ = book; }

 private:
    ledger::book_key key_;
    const core::limit_settings& limits_;
    const core::clock& clock_;
    core::rate_book seen_;
};

}  // namespace taskbarge::job
