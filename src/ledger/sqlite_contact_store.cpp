#include "ledger/sqlite_contact_store.hpp"

#include <algorithm>
#include <chrono>

#include "taskbarge/core/object_id.hpp"

namespace taskbarge::ledger {

using core::instant;
using core::result;
using sqlite::access;

namespace {

constexpr int drop_step = 2000;  // contacts of one transaction: others write in between
constexpr std::uint8_t kind_of_ids = 0xfe;

std::int64_t seconds(instant t) {
    return std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count();
}
std::optional<std::int64_t> seconds(const std::optional<instant>& t) {
    return t ? std::optional(seconds(*t)) : std::nullopt;
}
std::optional<instant> time_of(const sqlite::statement& from, int column) {
    if (from.is_null(column)) return std::nullopt;
    return instant(std::chrono::seconds(from.integer(column)));
}

// 12 bytes instead of 24, as nearly all ids can be written.
sqlite::text_or_blob stored_id(std::string_view id) {
    core::packed_id packed{};
    if (!core::pack_object_id(id, packed)) return {std::string(id), false};
    return {std::string(reinterpret_cast<const char*>(packed.data()), packed.size()), true};
}

std::string id_in(const sqlite::statement& from, int column) {
    const auto bytes = from.bytes(column);
    core::packed_id packed{};
    if (!from.is_blob(column) || bytes.size() != packed.size()) return std::string(bytes);
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(packed.data()));
    std::string id(core::object_id_size, '\0');
    core::unpack_object_id(packed, id.data());
    return id;
}

std::string_view bytes_of(const key_hash::digest& d) {
    return {d.data(), d.size()};
}

struct stored_key {
    key_hash::digest hash{};
    bool secondary = false;
    friend auto operator<=>(const stored_key&, const stored_key&) = default;
};

// Enough to see that a contact's keys are what they were.
std::string print_of(const std::vector<stored_key>& keys) {
    constexpr std::size_t size = 6;
    std::array<unsigned char, size> sum{};
    for (const auto& key : keys)
        for (std::size_t i = 0; i < size; ++i)
            sum[i] = static_cast<unsigned char>(sum[i] * 31 + static_cast<unsigned char>(key.hash[i]) +
                                                (key.secondary ? 1 : 0));
    return {sum.begin(), sum.end()};
}

}  // namespace

result<std::int64_t> sqlite_contact_store::list_of(const contact_team& team, need how) {
    if (!hash_) {
        auto opened = hash_key_.empty() ? key_hash::random() : key_hash::open(hash_key_, !only_looks_);
        // Who only looks, and finds no key, finds no contacts.
        if (!opened && opened.error().code == core::errc::io && how == need::look) return 0;
        if (!opened) return opened.error();
        hash_.emplace(std::move(*opened));
    }
    auto query = db_.prepare("SELECT id, hash_name FROM contact_lists WHERE base_url = ? AND team = ?");
    auto found = query.bind(team.base_url, team.team).next();
    if (!found) return found.error();
    const auto name = hash_->name();
    if (*found) {
        const auto id = query.integer(0);
        if (query.text(1) == name) return id;
        if (how == need::look) return 0;
        query.reset();
        if (auto r = empty_list(id); !r) return r.error();
    }
    if (how == need::look) return 0;
    auto made = db_.prepare("INSERT INTO contact_lists (base_url, team, hash_name) VALUES (?, ?, ?)")
                    .bind(team.base_url, team.team, name)
                    .run();
    if (!made) return made.error();
    return db_.last_id();
}

result<void> sqlite_contact_store::empty_list(std::int64_t list) {
    for (const std::string_view sql :
         {"DELETE FROM contact_keys WHERE contact IN (SELECT id FROM contacts WHERE list = ?)",
          "DELETE FROM contacts WHERE list = ?", "DELETE FROM absent_contacts WHERE list = ?",
          "DELETE FROM contact_creations WHERE list = ?", "DELETE FROM contact_lists WHERE id = ?"})
        if (auto r = db_.prepare(sql).bind(list).run(); !r) return r;
    return {};
}

key_hash::digest sqlite_contact_store::hash_of(std::int64_t list, std::optional<core::key_kind> kind,
                                               std::string_view text) const {
    return hash_->of(list, kind ? static_cast<std::uint8_t>(*kind) : kind_of_ids, text);
}

result<void> sqlite_contact_store::at_one_moment(const std::function<result<void>()>& look) {
    return db_.atomically(access::read, look);
}

result<contact_index> sqlite_contact_store::index(const contact_team& team) {
    return db_.atomically(access::read, [&]() -> result<contact_index> {
        contact_index out;
        const auto list = list_of(team, need::look);
        if (!list) return list.error();
        if (*list == 0) return out;
        auto query = db_.prepare("SELECT read_at, as_of, total, unseen, gap, reading FROM contact_lists WHERE id = ?");
        auto found = query.bind(*list).next();
        if (!found) return found.error();
        out.read_at = query.optional_time(0);
        out.as_of = query.optional_time(1);
        out.total = query.number(2);
        out.unseen = query.number(3);
        out.gap = query.string(4);
        out.reading = query.string(5);
        return out;
    });
}

result<void> sqlite_contact_store::save_index(const contact_team& team, const contact_index& index) {
    return db_.atomically(access::write, [&]() -> result<void> {
        const auto list = list_of(team, need::make);
        if (!list) return list.error();
        return db_
            .prepare(
                "UPDATE contact_lists SET read_at = ?, as_of = ?, total = ?, unseen = ?, gap = ?, "
                "reading = ? WHERE id = ?")
            .bind(index.read_at, index.as_of, index.total, index.unseen, index.gap, index.reading, *list)
            .run();
    });
}

result<std::uint64_t> sqlite_contact_store::put(const contact_team& team, std::span<const contact_record> contacts,
                                                instant seen_at, const counting& count) {
    return db_.atomically(access::write, [&]() -> result<std::uint64_t> {
        const auto list = list_of(team, need::make);
        if (!list) return list.error();
        std::uint64_t fresh = 0;
        for (const auto& contact : contacts) {
            const auto counted = put_one(*list, contact, seen_at, count);
            if (!counted) return counted.error();
            fresh += *counted ? 1 : 0;
        }
        return fresh;
    });
}

// A team has few owners: a number takes one byte instead of a dozen.
result<std::optional<std::int64_t>> sqlite_contact_store::owner_number(const std::string& owner) {
    using number = std::optional<std::int64_t>;
    if (owner.empty()) return number();
    auto query = db_.prepare("SELECT id FROM contact_owners WHERE owner = ?");
    auto found = query.bind(owner).next();
    if (!found) return found.error();
    if (*found) return number(query.integer(0));
    auto made = db_.prepare("INSERT INTO contact_owners (owner) VALUES (?)").bind(owner).run();
    if (!made) return made.error();
    return number(db_.last_id());
}

// A key is valid with the version of its contact: those of an earlier one are passed over, and dropped with the next
// cleaning. So nothing has to be looked for by contact, which would take an index of its own.
result<bool> sqlite_contact_store::put_one(std::int64_t list, const contact_record& contact, instant seen_at,
                                           const counting& count) {
    std::vector<stored_key> keys;
    for (const auto& key : contact.keys)
        keys.push_back({hash_of(list, key.kind, key.text), !key.primary});
    // A primary one goes before the same as an additional one.
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end(),
                           [](const stored_key& a, const stored_key& b) { return a.hash == b.hash; }),
               keys.end());
    const auto print = print_of(keys);
    const auto id = stored_id(contact.id);
    const auto known_owner = owner_number(contact.owner_id);
    if (!known_owner) return known_owner.error();
    const auto& owner = *known_owner;
    auto query = db_.prepare("SELECT id, seen_at, keys, version FROM contacts WHERE list = ? AND contact = ?");
    auto found = query.bind(list, id).next();
    if (!found) return found.error();
    const bool existed_then =
        !contact.created_at || !count.created_before || *contact.created_at < *count.created_before;
    const bool fresh = existed_then && (!*found || query.time(1) < count.since);
    std::int64_t row = 0, version = 0;
    bool same_keys = false;
    // What is added to makes no print: the next whole record is then taken for a change.
    const std::string kept_print = contact.whole ? print : std::string();
    if (*found) {
        row = query.integer(0);
        same_keys = query.bytes(2) == print;
        version = query.integer(3) + (same_keys || !contact.whole ? 0 : 1);
        query.reset();
        auto done = db_.prepare(
                           "UPDATE contacts SET owner = coalesce(?, owner), created_at = coalesce(?, created_at), "
                           "active_at = coalesce(?, active_at), seen_at = max(seen_at, ?), "
                           "keys = ?, version = ? WHERE id = ?")
                        .bind(owner, seconds(contact.created_at), seconds(contact.active_at), seen_at,
                              sqlite::blob{same_keys ? print : kept_print}, version, row)
                        .run();
        if (!done) return done.error();
    } else {
        auto done = db_.prepare(
                           "INSERT INTO contacts (list, contact, owner, created_at, active_at, seen_at, keys, version) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?, 0)")
                        .bind(list, id, owner, seconds(contact.created_at), seconds(contact.active_at), seen_at,
                              sqlite::blob{kept_print})
                        .run();
        if (!done) return done.error();
        row = db_.last_id();
    }
    for (const auto& key : keys) {
        if (same_keys) break;
        auto done = db_.prepare("REPLACE INTO contact_keys (key, contact, version, secondary) VALUES (?, ?, ?, ?)")
                        .bind(sqlite::blob{bytes_of(key.hash)}, row, version, key.secondary)
                        .run();
        if (!done) return done.error();
    }
    return fresh;
}

result<std::vector<contact_match>> sqlite_contact_store::find(const contact_team& team, core::key_kind kind,
                                                              std::string_view key) {
    using matches = std::vector<contact_match>;
    return db_.atomically(access::read, [&]() -> result<matches> {
        matches out;
        const auto list = list_of(team, need::look);
        if (!list) return list.error();
        if (*list == 0) return out;
        const auto hash = hash_of(*list, kind, key);
        auto query = db_.prepare(
            "SELECT c.contact, o.owner, c.created_at, c.active_at, c.seen_at, k.secondary FROM contact_keys k "
            "JOIN contacts c ON c.id = k.contact AND c.version = k.version "
            "LEFT JOIN contact_owners o ON o.id = c.owner WHERE k.key = ?");
        query.bind(sqlite::blob{bytes_of(hash)});
        auto read = query.each([&] {
            contact_match match;
            match.id = id_in(query, 0);
            match.owner_id = query.string(1);
            match.created_at = time_of(query, 2);
            match.active_at = time_of(query, 3);
            match.seen_at = query.time(4);
            match.primary = query.integer(5) == 0;
            out.push_back(std::move(match));
        });
        if (!read) return read.error();
        std::sort(out.begin(), out.end(), [](const contact_match& a, const contact_match& b) { return a.id < b.id; });
        return out;
    });
}

result<std::optional<instant>> sqlite_contact_store::seen(const contact_team& team, std::string_view contact_id) {
    using when = std::optional<instant>;
    return db_.atomically(access::read, [&]() -> result<when> {
        const auto list = list_of(team, need::look);
        if (!list) return list.error();
        auto query = db_.prepare("SELECT seen_at FROM contacts WHERE list = ? AND contact = ?");
        auto found = query.bind(*list, stored_id(contact_id)).next();
        if (!found) return found.error();
        return *found ? query.optional_time(0) : when();
    });
}

result<void> sqlite_contact_store::note_absent(const contact_team& team, std::optional<core::key_kind> kind,
                                               std::string_view text, instant asked_at) {
    return db_.atomically(access::write, [&]() -> result<void> {
        const auto list = list_of(team, need::make);
        if (!list) return list.error();
        return db_.prepare("REPLACE INTO absent_contacts (key, list, asked_at) VALUES (?, ?, ?)")
            .bind(sqlite::blob{bytes_of(hash_of(*list, kind, text))}, *list, asked_at)
            .run();
    });
}

result<std::optional<instant>> sqlite_contact_store::absent_since(const contact_team& team,
                                                                  std::optional<core::key_kind> kind,
                                                                  std::string_view text) {
    using when = std::optional<instant>;
    return db_.atomically(access::read, [&]() -> result<when> {
        const auto list = list_of(team, need::look);
        if (!list) return list.error();
        if (*list == 0) return when();
        auto query = db_.prepare("SELECT asked_at FROM absent_contacts WHERE key = ?");
        auto found = query.bind(sqlite::blob{bytes_of(hash_of(*list, kind, text))}).next();
        if (!found) return found.error();
        return *found ? query.optional_time(0) : when();
    });
}

result<void> sqlite_contact_store::note_creation(const contact_team& team, core::key_kind kind, std::string_view key,
                                                 const creation& what) {
    return db_.atomically(access::write, [&]() -> result<void> {
        const auto list = list_of(team, need::make);
        if (!list) return list.error();
        return db_.prepare("REPLACE INTO contact_creations (key, list, begun_at, refused) VALUES (?, ?, ?, ?)")
            .bind(sqlite::blob{bytes_of(hash_of(*list, kind, key))}, *list, what.begun_at, what.refused)
            .run();
    });
}

result<std::optional<contact_store::creation>> sqlite_contact_store::creation_of(const contact_team& team,
                                                                                 core::key_kind kind,
                                                                                 std::string_view key) {
    using known = std::optional<creation>;
    return db_.atomically(access::read, [&]() -> result<known> {
        const auto list = list_of(team, need::look);
        if (!list) return list.error();
        if (*list == 0) return known();
        auto query = db_.prepare("SELECT begun_at, refused FROM contact_creations WHERE key = ?");
        auto found = query.bind(sqlite::blob{bytes_of(hash_of(*list, kind, key))}).next();
        if (!found) return found.error();
        if (!*found) return known();
        return known(creation{query.time(0), query.string(1)});
    });
}

result<void> sqlite_contact_store::forget_creation(const contact_team& team, core::key_kind kind,
                                                   std::string_view key) {
    return db_.atomically(access::write, [&]() -> result<void> {
        const auto list = list_of(team, need::look);
        if (!list) return list.error();
        if (*list == 0) return {};
        return db_.prepare("DELETE FROM contact_creations WHERE key = ?")
            .bind(sqlite::blob{bytes_of(hash_of(*list, kind, key))})
            .run();
    });
}

result<void> sqlite_contact_store::drop(const contact_team& team, std::string_view contact_id) {
    return db_.atomically(access::write, [&]() -> result<void> {
        const auto list = list_of(team, need::look);
        if (!list) return list.error();
        // Its keys have no contact any more: they are passed over, and go with the next cleaning.
        return db_.prepare("DELETE FROM contacts WHERE list = ? AND contact = ?")
            .bind(*list, stored_id(contact_id))
            .run();
    });
}

result<bool> sqlite_contact_store::drop_some_unseen(const contact_team& team, instant since) {
    return db_.atomically(access::write, [&]() -> result<bool> {
        const auto list = list_of(team, need::look);
        if (!list) return list.error();
        if (*list == 0) return false;
        auto contacts = db_.prepare(
                               "DELETE FROM contacts WHERE id IN (SELECT id FROM contacts WHERE list = ? AND "
                               "seen_at < ? LIMIT ?)")
                            .bind(*list, since, drop_step)
                            .run();
        if (!contacts) return contacts.error();
        if (db_.changes() > 0) return true;
        // Contacts' numbers are never given twice, so a key without its contact cannot become another's.
        auto keys = db_.prepare(
                           "DELETE FROM contact_keys WHERE (key, contact) IN (SELECT k.key, k.contact "
                           "FROM contact_keys k LEFT JOIN contacts c ON c.id = k.contact AND c.version = k.version "
                           "WHERE c.id IS NULL LIMIT ?)")
                        .bind(drop_step)
                        .run();
        if (!keys) return keys.error();
        if (db_.changes() > 0) return true;
        auto absent =
            db_.prepare("DELETE FROM absent_contacts WHERE list = ? AND asked_at < ?").bind(*list, since).run();
        if (!absent) return absent.error();
        return false;
    });
}

result<std::uint64_t> sqlite_contact_store::count(const contact_team& team) {
    return db_.atomically(access::read, [&]() -> result<std::uint64_t> {
        const auto list = list_of(team, need::look);
        if (!list) return list.error();
        auto query = db_.prepare("SELECT count(*) FROM contacts WHERE list = ?");
        auto found = query.bind(*list).next();
        if (!found) return found.error();
        return query.number(0);
    });
}

result<void> sqlite_contact_store::forget_all() {
    return db_.atomically(access::write, [&]() -> result<void> {
        for (const std::string_view sql :
             {"DELETE FROM contact_keys", "DELETE FROM contacts", "DELETE FROM absent_contacts",
              "DELETE FROM contact_creations", "DELETE FROM contact_owners", "DELETE FROM contact_lists"})
            if (auto r = db_.prepare(sql).run(); !r) return r;
        return {};
    });
}

}  // namespace taskbarge::ledger
