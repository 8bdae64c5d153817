// The contacts in the tables contact_lists, contacts, contact_keys and absent_contacts (docs/ledger.md).
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "ledger/key_hash.hpp"
#include "ledger/sqlite.hpp"
#include "taskbarge/ledger/contact_store.hpp"

namespace taskbarge::ledger {

class sqlite_contact_store final : public contact_store {
 public:
    // `hash_key`: the file with the key of the hashes; empty: one that is kept nowhere.
    sqlite_contact_store(sqlite::database& db, std::string hash_key, bool only_looks)
        : db_(db), hash_key_(std::move(hash_key)), only_looks_(only_looks && !hash_key_.empty()) {}

    core::result<void> at_one_moment(const std::function<core::result<void>()>& look) override;
    core::result<contact_index> index(const contact_team& team) override;
    core::result<void> save_index(const contact_team& team, const contact_index& index) override;
    core::result<std::uint64_t> put(const contact_team& team, std::span<const contact_record> contacts,
                                    core::instant seen_at, const counting& count) override;
    core::result<std::vector<contact_match>> find(const contact_team& team, core::key_kind kind,
                                                  std::string_view key) override;
    core::result<std::optional<core::instant>> seen(const contact_team& team, std::string_view contact_id) override;
    core::result<void> note_absent(const contact_team& team, std::optional<core::key_kind> kind, std::string_view text,
                                   core::instant asked_at) override;
    core::result<std::optional<core::instant>> absent_since(const contact_team& team,
                                                            std::optional<core::key_kind> kind,
                                                            std::string_view text) override;
    core::result<void> note_creation(const contact_team& team, core::key_kind kind, std::string_view key,
                                     const creation& what) override;
    core::result<std::optional<creation>> creation_of(const contact_team& team, core::key_kind kind,
                                                      std::string_view key) override;
    core::result<void> forget_creation(const contact_team& team, core::key_kind kind, std::string_view key) override;
    core::result<void> drop(const contact_team& team, std::string_view contact_id) override;
    core::result<bool> drop_some_unseen(const contact_team& team, core::instant since) override;
    core::result<std::uint64_t> count(const contact_team& team) override;
    core::result<void> forget_all() override;

 private:
    enum class need { look, make };
    // The number of the team's list; 0: there is none. With a lost key a list's contacts cannot be found any more: it
    // is emptied by the first that may write, and is none for who only looks.
    core::result<std::int64_t> list_of(const contact_team& team, need how);
    core::result<void> empty_list(std::int64_t list);
    core::result<bool> put_one(std::int64_t list, const contact_record& contact, core::instant seen_at,
                               const counting& count);
    core::result<std::optional<std::int64_t>> owner_number(const std::string& owner);
    key_hash::digest hash_of(std::int64_t list, std::optional<core::key_kind> kind, std::string_view text) const;

    sqlite::database& db_;
    std::string hash_key_;
    bool only_looks_;
    std::optional<key_hash> hash_;
};

}  // namespace taskbarge::ledger
