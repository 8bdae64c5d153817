// What the ledger knows of a team's contacts in Apollo: by which keys they go, and how far that knowledge reaches.
//
// No key is kept as a text: of each there is a keyed hash (HMAC-SHA-256, its first 80 bits) whose key is a file of its
// own beside the ledger, so that neither the ledger nor a copy of it tells an address. Where that file is lost all of
// this is forgotten: it can be read from Apollo again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/contact_key.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"

namespace taskbarge::ledger {

// Whose contacts: of the settings of the same names.
struct contact_team {
    std::string base_url, team;
};

// One of Apollo's contacts, as far as it is kept. Its own times are kept to the second.
struct contact_record {
    struct key {
        core::key_kind kind = core::key_kind::email;
        std::string text;     // core::comparable_key()
        bool primary = true;  // of e-mails: not one of the additional ones
    };
    std::string id;  // canonical_id()
    std::string owner_id;
    std::optional<core::instant> created_at, active_at;
    std::vector<key> keys;
    bool whole = true;  // it has no other keys; false: what was known besides stays
};

// A contact that has a key.
struct contact_match {
    std::string id, owner_id;
    std::optional<core::instant> created_at, active_at;
    core::instant seen_at{};  // when Apollo showed it last
    bool primary = true;
    friend bool operator==(const contact_match&, const contact_match&) = default;
};

// How far the knowledge of a team's contacts reaches.
struct contact_index {
    std::optional<core::instant> read_at;  // when the last reading of the whole list began; nothing: there was none
    std::optional<core::instant> as_of;    // changes up to then are taken in
    std::uint64_t total = 0;               // contacts that Apollo counted when it was read
    std::uint64_t unseen = 0;              // of them never shown
    std::string gap;                       // why some were not shown, one line; empty: the index is complete
    std::string reading;  // the reading that is under way, as whoever reads wrote it down; empty: none is
    bool complete() const { return read_at && gap.empty(); }
    friend bool operator==(const contact_index&, const contact_index&) = default;
};

// Calls block and fail like those of the ledger that it is a part of, and belong to the same thread.
class contact_store {
 public:
    virtual ~contact_store() = default;

    // All that `look` reads is of one moment, whatever other processes write meanwhile.
    virtual core::result<void> at_one_moment(const std::function<core::result<void>()>& look) = 0;

    virtual core::result<contact_index> index(const contact_team& team) = 0;
    virtual core::result<void> save_index(const contact_team& team, const contact_index& index) = 0;

    // Takes in what Apollo showed at `seen_at`; keys that a contact had before and has no more are forgotten. Gives how
    // many of the contacts count as new.
    struct counting {
        core::instant since{};                        // that were not seen at or after this
        std::optional<core::instant> created_before;  // and were created before this, or at a time unknown
    };
    virtual core::result<std::uint64_t> put(const contact_team& team, std::span<const contact_record> contacts,
                                            core::instant seen_at, const counting& count) = 0;
    // All contacts that have the key, by id.
    virtual core::result<std::vector<contact_match>> find(const contact_team& team, core::key_kind kind,
                                                          std::string_view key) = 0;
    // When a contact was seen last; nothing: it is not known.
    virtual core::result<std::optional<core::instant>> seen(const contact_team& team, std::string_view contact_id) = 0;

    // What Apollo was asked for and did not have: a key, or without `kind` a contact's id.
    virtual core::result<void> note_absent(const contact_team& team, std::optional<core::key_kind> kind,
                                           std::string_view text, core::instant asked_at) = 0;
    virtual core::result<std::optional<core::instant>> absent_since(const contact_team& team,
                                                                    std::optional<core::key_kind> kind,
                                                                    std::string_view text) = 0;

    // A contact whose creation was asked for, by one of its keys.
    struct creation {
        core::instant begun_at{};
        std::string refused;  // why Apollo did not create it; empty: it may have been created
    };
    virtual core::result<void> note_creation(const contact_team& team, core::key_kind kind, std::string_view key,
                                             const creation& what) = 0;
    virtual core::result<std::optional<creation>> creation_of(const contact_team& team, core::key_kind kind,
                                                              std::string_view key) = 0;
    virtual core::result<void> forget_creation(const contact_team& team, core::key_kind kind, std::string_view key) = 0;

    // Forgets a contact that Apollo does not have any more.
    virtual core::result<void> drop(const contact_team& team, std::string_view contact_id) = 0;
    // Forgets some of the contacts that were not seen since, and keys that nobody has; false: none is left. To be
    // called until then.
    virtual core::result<bool> drop_some_unseen(const contact_team& team, core::instant since) = 0;

    // How many contacts are known.
    virtual core::result<std::uint64_t> count(const contact_team& team) = 0;
    // Forgets the contacts of all teams.
    virtual core::result<void> forget_all() = 0;
};

}  // namespace taskbarge::ledger
