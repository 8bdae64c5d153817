// What all questions about contacts have in common: asking together, waiting for windows, the budget.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "job/contacts/contact_finder.hpp"
#include "job/online/session.hpp"
#include "taskbarge/client/contacts.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/ledger/contact_store.hpp"

namespace taskbarge::job {

// Lives on the event loop, no longer than the session. `end` counts the requests and hears when to go on.
class contact_asker {
 public:
    contact_asker(session& s, finding_end& end);

    using call = std::function<boost::asio::awaitable<core::result<asked>>()>;
    using exchanges = std::vector<std::optional<client::exchange>>;

    // All at once; nothing where there was no whole answer: to be asked again. Waits where there is cause to. Fails
    // when a wait would be too long, when nothing answers for a while, and when a stop was asked for.
    boost::asio::awaitable<core::result<exchanges>> ask_together(std::vector<call> calls, route r);
    // For an answer that is not usable: waits a little before it is asked for again. Fails where that makes no sense,
    // or not any more.
    boost::asio::awaitable<core::result<void>> unusable(core::failure why, route r);
    void count_request() { ++end_.requests; }
    void was_usable() { unusable_ = 0; }
    // `all`: with what was waited before for the same; nothing: it is the first wait.
    boost::asio::awaitable<core::result<void>> wait_until(core::instant then, const std::string& what,
                                                          std::optional<std::chrono::milliseconds> all = {});

    // Waits until no other run, of any process, asks for contacts. Two readings of one list would each miss what the
    // other has counted, and both ask for the same.
    boost::asio::awaitable<core::result<std::unique_ptr<ledger::job_lock>>> turn();
    // The same for a place in the windows of a route.
    boost::asio::awaitable<core::result<void>> wait_for_window(route r, core::instant then);

    boost::asio::awaitable<core::result<ledger::contact_index>> load_index();

    // Why this route cannot be used, for a person.
    core::failure refused(const core::failure& why, route r) const;
    core::failure over_budget(std::uint64_t needed, const std::string& what) const;
    bool fits(std::uint64_t needed) const;
    std::uint64_t left_to_spend() const;

    void show(std::uint64_t read, std::uint64_t total) const;

    session& run() { return s_; }
    const environment& env() const { return s_.env(); }
    const ledger::contact_team& team() const { return team_; }

 private:
    progress so_far() const;

    session& s_;
    finding_end& end_;
    ledger::contact_team team_;
    std::uint32_t troubles_ = 0, unusable_ = 0;  // one after the other
    mutable std::uint64_t shown_read_ = 0, shown_total_ = 0;
};

core::failure cannot_find_contacts(core::errc code, route r, const std::string& why);
std::vector<ledger::contact_record> records_of(const std::vector<client::seen_contact>& contacts);

}  // namespace taskbarge::job
