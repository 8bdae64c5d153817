#include "ledger/checksums.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace taskbarge::ledger {

namespace {

constexpr std::string_view of_jobs[] = {
    "id",     "base_url",         "team", "input_sha256", "input_bytes", "settings_text",  "relative_day", "chunk_size",
    "groups", "minimum_requests", "rows", "rejected",     "duplicates",  "keys_forgotten", "origin"};
constexpr std::string_view of_files[] = {"job", "ordinal", "name", "first_row", "format", "header"};
constexpr std::string_view of_groups[] = {"job",    "number", "user_id", "type",        "priority",
                                          "status", "due_at", "note",    "details_hash"};
constexpr std::string_view of_chunks[] = {"id",         "job",        "group_number",     "part",
                                          "parent",     "state",      "first_row",        "last_row",
                                          "spread",     "row_count",  "created_count",    "attempts",
                                          "requests",   "throttled",  "requested_before", "possible_duplicate",
                                          "not_before", "settled_at", "request_id",       "code",
                                          "message",    "suspects",   "refused_with",     "partner"};
constexpr std::string_view of_packed_contacts[] = {"chunk", "contact_ids", "rows", "lines"};
constexpr std::string_view of_packed_tasks[] = {"chunk", "task_ids", "first_task", "last_task", "since", "answered_at"};
constexpr std::string_view of_duplicates[] = {"job", "row", "line", "contact_id", "group_number", "of_job", "of_row"};
constexpr std::string_view of_rejects[] = {"job", "row", "line", "contact_id", "\"column\"", "code", "message", "raw"};
constexpr std::string_view of_kept_keys[] = {"job",      "details_hash",   "user_id",   "type",
                                             "priority", "status",         "due_at",    "note_sha256",
                                             "packed",   "other_contacts", "other_rows"};
constexpr std::string_view of_its_chunk[] = {"job", "group_number", "row_count"};

struct sealed_table {
    std::string_view name;
    std::span<const std::string_view> columns;
};

sealed_table table_of(sealed which) {
    switch (which) {
        case sealed::jobs:
            return {"jobs", of_jobs};
        case sealed::files:
            return {"files", of_files};
        case sealed::groups:
            return {"groups", of_groups};
        case sealed::chunks:
            return {"chunks", of_chunks};
        case sealed::packed_contacts:
            return {"packed_contacts", of_packed_contacts};
        case sealed::packed_tasks:
            return {"packed_tasks", of_packed_tasks};
        case sealed::duplicates:
            return {"duplicates", of_duplicates};
        case sealed::rejects:
            return {"rejects", of_rejects};
        case sealed::kept_keys:
            break;
    }
    return {"kept_keys", of_kept_keys};
}

void append(std::string& list, std::string_view what) {
    if (!list.empty()) list += ", ";
    list += what;
}

// Short values are gathered: a call of crc32 for each of twenty columns would cost more than the sum itself.
class summing {
 public:
    void add(sqlite3_value* value) {
        const int type = sqlite3_value_type(value);
        const char tag = static_cast<char>(type);
        add(&tag, sizeof tag);
        if (type == SQLITE_INTEGER) {
            const auto number = sqlite3_value_int64(value);
            add(reinterpret_cast<const char*>(&number), sizeof number);
        } else if (type != SQLITE_NULL) {
            // sqlite3_value_blob() gives a text's bytes as they are.
            const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
            const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
            add(reinterpret_cast<const char*>(&size), sizeof size);
            if (size > 0) add(bytes, size);
        }
    }
    std::int64_t sum() {
        flush();
        return static_cast<std::int64_t>(crc_);
    }

 private:
    void add(const char* bytes, std::size_t size) {
        if (size > gathered_.size() - used_) flush();
        if (size > gathered_.size()) {
            crc_ = ::crc32_z(crc_, reinterpret_cast<const Bytef*>(bytes), size);
            return;
        }
        std::memcpy(gathered_.data() + used_, bytes, size);
        used_ += size;
    }
    void flush() {
        crc_ = ::crc32_z(crc_, reinterpret_cast<const Bytef*>(gathered_.data()), used_);
        used_ = 0;
    }

    uLong crc_ = 0;
    std::array<char, 512> gathered_;
    std::size_t used_ = 0;
};

void row_check(sqlite3_context* context, int count, sqlite3_value** values) {
    summing all;
    for (int i = 0; i < count; ++i)
        all.add(values[i]);
    sqlite3_result_int64(context, all.sum());
}

}  // namespace

core::result<void> add_row_check(sqlite::database& db) {
    const int done =
        sqlite3_create_function_v2(db.handle(), "row_check", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                   nullptr, row_check, nullptr, nullptr, nullptr);
    if (done == SQLITE_OK) return {};
    return core::failure{core::errc::internal, "SQLite takes no function for checksums"};
}

std::string intact(sealed which, std::string_view alias, std::string_view chunk) {
    std::string list;
    for (const auto column : table_of(which).columns)
        append(list, fmt::format("{}.{}", alias, column));
    if (which == sealed::packed_contacts) {
        for (const auto column : of_its_chunk)
            append(list, fmt::format("{}.{}", chunk, column));
    }
    return fmt::format("(row_check({}) = {}.checksum)", list, alias);
}

std::string sealed_insert(sealed which, std::string_view verb) {
    const auto table = table_of(which);
    std::string columns, values, covered;
    std::size_t at = 0;
    for (const auto column : table.columns) {
        append(columns, column);
        append(values, fmt::format("?{}", ++at));
    }
    covered = values;
    if (which == sealed::packed_contacts) {
        for (std::size_t i = 0; i < std::size(of_its_chunk); ++i)
            append(covered, fmt::format("?{}", ++at));
    }
    return fmt::format("{} INTO {} ({}, checksum) VALUES ({}, row_check({}))", verb, table.name, columns, values,
                       covered);
}

std::string sealed_update(sealed which, std::initializer_list<column_change> changes, std::string_view where) {
    const auto table = table_of(which);
    std::string set, covered;
    for (const auto& [column, expression] : changes)
        append(set, fmt::format("{} = {}", column, expression));
    for (const auto column : table.columns) {
        const auto change =
            std::find_if(changes.begin(), changes.end(), [&](const column_change& one) { return one.first == column; });
        append(covered,
               change != changes.end() ? std::string(change->second) : fmt::format("{}.{}", table.name, column));
    }
    return fmt::format("UPDATE {} SET {}, checksum = row_check({}) {} AND {}", table.name, set, covered, where,
                       intact(which, table.name));
}

std::string row_check_of(std::initializer_list<std::string_view> expressions) {
    std::string list;
    for (const auto one : expressions)
        append(list, one);
    return fmt::format("row_check({})", list);
}

core::failure damaged(const sqlite::database& db, const std::string& where) {
    return {core::errc::ledger,
            fmt::format("ledger {}: damaged ({}); restore a copy, or see with `taskbarge ledger check` what else is",
                        db.path(), where)};
}

}  // namespace taskbarge::ledger
