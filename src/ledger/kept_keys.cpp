#include "ledger/kept_keys.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "ledger/checksums.hpp"
#include "ledger/chunk_rows.hpp"
#include "ledger/earlier_jobs.hpp"
#include "ledger/json_array.hpp"

namespace taskbarge::ledger {

using core::result;

namespace {

// Contacts of one entry: one that is read while a job is planned takes some 100 KB.
constexpr std::size_t most_in_entry = 4096;
// Contacts of one transaction, about.
constexpr std::size_t most_in_step = 50'000;

// Seven bits a byte, the lowest first; a set top bit says that more follow.
void append_number(std::string& out, std::uint64_t n) {
    for (; n >= 0x80; n >>= 7)
        out += static_cast<char>(n | 0x80);
    out += static_cast<char>(n);
}

std::optional<std::uint64_t> take_number(std::string_view& from) {
    std::uint64_t n = 0;
    for (unsigned shift = 0; shift < 64 && !from.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(from.front());
        from.remove_prefix(1);
        n |= std::uint64_t{byte & 0x7fu} << shift;
        if (byte < 0x80) return n;
    }
    return std::nullopt;
}

}  // namespace

namespace {

std::string_view bytes_of(const details_digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

details_digest digest_of(const core::task_view& details) {
    std::string text(details.user_id);
    text += '\0';
    for (const auto word : {to_string(details.type), to_string(details.priority), to_string(details.status)}) {
        text += word;
        text += '\0';
    }
    text += std::to_string(details.due_at.time_since_epoch().count());
    text += '\0';
    text += details.note;
    return core::sha256_of(text);
}

result<bool> key_keeper::step() {
    in_this_step_ = 0;
    while (in_this_step_ < most_in_step) {
        static const std::string sql = fmt::format(
            "SELECT number, user_id, type, priority, status, due_at, note, {} FROM groups g "
            "WHERE job = ? AND number > ? ORDER BY number LIMIT 1",
            intact(sealed::groups, "g"));
        auto query = db_.prepare(sql);
        auto found = query.bind(job_, last_).next();
        if (!found || !*found) return found;
        if (query.integer(7) == 0) return damaged(db_, fmt::format("a group of job {}", job_));
        last_ = static_cast<core::group_number>(query.integer(0));
        const auto details = read_details(query, 1);
        query.reset();
        ++in_this_step_;  // a group without a row to keep is work too
        if (auto r = keep_group(last_, details.view()); !r) return r.error();
    }
    return true;
}

result<void> key_keeper::keep_group(core::group_number number, const core::task_view& details) {
    std::vector<entry> full;
    entry open;
    auto read = each_tasked_row(db_, job_, number, [&](std::string_view contact, core::row_number row) {
        if (core::packed_id id; core::pack_object_id(contact, id)) {
            open.packed.append(reinterpret_cast<const char*>(id.data()), id.size());
            append_number(open.packed, row);
        } else {
            open.contacts.push_back(contact);
            open.rows.push_back(static_cast<std::int64_t>(row));
        }
        ++in_this_step_;
        if (++open.count == most_in_entry) full.push_back(std::exchange(open, {}));
    });
    if (!read) return read;
    if (open.count > 0) full.push_back(std::move(open));
    for (const auto& keys : full) {
        if (auto r = write(details, keys); !r) return r;
    }
    return {};
}

result<void> key_keeper::write(const core::task_view& details, const entry& keys) {
    const auto note = core::sha256_of(details.note);
    static const std::string sql = sealed_insert(sealed::kept_keys);
    return db_.prepare(sql)
        .bind(job_, details_hash(details), details.user_id, to_string(details.type), to_string(details.priority),
              to_string(details.status), details.due_at, sqlite::blob{bytes_of(note)}, sqlite::blob{keys.packed},
              keys.contacts.empty() ? std::string() : to_json(keys.contacts),
              keys.rows.empty() ? std::string() : to_json(keys.rows))
        .run();
}

result<void> load_kept(sqlite::database& db, std::int64_t id, core::job_id job, const core::task_view& details,
                       core::task_fields fields, earlier_contacts& to) {
    // The note's place is taken by its digest.
    static const std::string sql = fmt::format(
        "SELECT note_sha256, packed, other_contacts, other_rows, {}, user_id, type, priority, status, due_at, "
        "'' FROM kept_keys k WHERE id = ?",
        intact(sealed::kept_keys, "k"));
    auto query = db.prepare(sql);
    auto found = query.bind(id).next();
    if (!found) return found.error();
    const auto keys_damaged = [&] { return damaged(db, fmt::format("kept keys of job {}", job)); };
    if (*found && query.integer(4) == 0) return keys_damaged();
    if (!*found) return {};
    const auto kept = read_details(query, 5);
    const auto without_note = fields.without(core::task_field::note);
    if (core::only(kept.view(), without_note) != core::only(details, without_note)) return {};
    const auto note = core::sha256_of(details.note);
    if (fields.has(core::task_field::note) && query.bytes(0) != bytes_of(note)) return {};
    for (auto packed = query.bytes(1); !packed.empty();) {
        core::packed_id contact;
        if (packed.size() <= contact.size()) return keys_damaged();
        std::copy_n(reinterpret_cast<const unsigned char*>(packed.data()), contact.size(), contact.begin());
        packed.remove_prefix(contact.size());
        const auto row = take_number(packed);
        if (!row) return keys_damaged();
        to.add(contact, {job, *row});
    }
    const auto contacts = texts_of(query.text(2));
    const auto rows = numbers_of(query.text(3));
    if (contacts.size() != rows.size()) return keys_damaged();
    for (std::size_t i = 0; i < rows.size(); ++i)
        to.add(contacts[i], {job, static_cast<core::row_number>(rows[i])});
    return {};
}

}  // namespace taskbarge::ledger
