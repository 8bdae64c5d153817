#include "job/online/route_windows.hpp"

#include <algorithm>
#include <string>

namespace taskbarge::job {

using core::result;

std::string_view to_string(route r) {
    switch (r) {
        case route::bulk_create:
            return "tasks/bulk_create";
        case route::search:
            return "tasks/search";
        case route::users:
            return "users/search";
        case route::contacts_search:
            return "contacts/search";
        case route::contact:
            return "contacts/show";
        case route::contacts_create:
            return "contacts/bulk_create";
        case route::contact_stages:
            return "contact_stages/index";
        case route::labels:
            return "labels/index";
        case route::usage_stats:
            break;
    }
    return "usage_stats/api_usage_stats";
}

bool knows_a_limit(const core::rate_book& book) {
    return std::any_of(book.windows.begin(), book.windows.end(),
                       [](const core::rate_window& w) { return w.limit || w.unlimited; });
}

route_windows::route_windows(route r, const core::settings& s, const core::clock& clock)
    : key_{s.apollo.base_url, s.apollo.team, std::string(to_string(r))}, limits_(s.limits), clock_(clock) {}

result<placed> route_windows::take(ledger::ledger& l) const {
    auto book = l.load_book(key_);
    if (!book) return book.error();
    const auto taken_at = clock_.now();
    const auto decision = client::take_place(*book, limits_, taken_at);
    if (auto saved = l.save_book(key_, *book); !saved) return saved.error();
    return placed{decision, taken_at, *book, std::nullopt};
}

result<core::rate_book> route_windows::learn(ledger::ledger& l, const client::exchange& x,
                                             core::instant taken_at) const {
    auto book = l.load_book(key_);
    if (!book) return book.error();
    const auto now = clock_.now();
    if (x.reach == client::reach::not_sent)
        client::give_back(*book, taken_at);
    else if (x.reach == client::reach::no_answer)
        client::observe_lost(*book, taken_at);
    else if (x.status == 429)
        client::observe_throttled(*book, limits_, x.rates, x.body, client::parse_retry_after(x.retry_after, now),
                                  taken_at, now);
    else
        client::observe(*book, limits_, x.rates, taken_at, now);
    if (auto saved = l.save_book(key_, *book); !saved) return saved.error();
    return *book;
}

result<core::rate_book> route_windows::change(ledger::ledger& l,
                                              const std::function<void(core::rate_book&)>& how) const {
    auto book = l.load_book(key_);
    if (!book) return book.error();
    how(*book);
    if (auto saved = l.save_book(key_, *book); !saved) return saved.error();
    return *book;
}

client::window_decision route_windows::peek() const {
    auto book = seen_;
    return client::take_place(book, limits_, clock_.now());
}

}  // namespace taskbarge::job
