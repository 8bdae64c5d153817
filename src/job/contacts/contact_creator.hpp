// Creates contacts that Apollo does not have, where contacts.missing asks for it. Each request has its intent in the
// ledger before it leaves. Where it is not known what became of one, nothing is asked for again before the list of
// contacts, read after a while, has shown what there is.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "job/contacts/contact_asker.hpp"
#include "taskbarge/client/contacts.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::job {

class contact_creator {
 public:
    static constexpr std::size_t most_together = 100;  // docs.apollo.io, "Bulk Create Contacts"

    // `read_changes` brings what has changed in Apollo's list into the store.
    contact_creator(contact_asker& ask, std::function<boost::asio::awaitable<core::result<void>>()> read_changes)
        : ask_(ask), read_changes_(std::move(read_changes)) {}

    boost::asio::awaitable<core::result<void>> create(std::vector<client::new_contact> wanted, std::string label);

 private:
    using batch = std::vector<client::new_contact>;
    enum class outcome : std::uint8_t { settled, again, in_doubt };

    boost::asio::awaitable<core::result<batch>> settle(batch wanted);
    boost::asio::awaitable<core::result<outcome>> send(const batch& contacts, const std::string& label,
                                                       std::vector<batch>& more);
    boost::asio::awaitable<core::result<void>> take(const batch& contacts, const std::vector<client::seen_contact>& got,
                                                    std::vector<batch>& more);
    boost::asio::awaitable<core::result<void>> refuse(const batch& contacts, const std::string& why,
                                                      std::vector<batch>& more);

    core::result<bool> is_there(ledger::contact_store& store, const client::new_contact& contact) const;
    core::result<void> note(ledger::contact_store& store, const client::new_contact& contact, core::instant now,
                            const std::string& refused) const;
    core::result<void> forget(ledger::contact_store& store, const client::new_contact& contact) const;

    contact_asker& ask_;
    std::string refused_alike_with_;   // the words of the last refusals, before anything was created
    std::uint32_t refused_alike_ = 0;  // how many they were
    bool any_created_ = false;
    std::function<boost::asio::awaitable<core::result<void>>()> read_changes_;
};

// Its keys, as they are compared. Its creation is written down under each.
std::vector<std::pair<core::key_kind, std::string>> keys_of(const client::new_contact& contact);

}  // namespace taskbarge::job
