// A thin layer over SQLite's C interface: failures as values, cached statements, transactions that hold or vanish.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ledger/write_turn.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"

namespace taskbarge::ledger::sqlite {

using core::result;

class database;

// Bytes to be bound as a BLOB: text of any encoding.
struct blob {
    std::string_view bytes;
};

// A value whose kind is known when it is made.
struct text_or_blob {
    std::string bytes;
    bool is_blob = false;
};

// A prepared statement on loan from its connection's cache; goes back when destroyed, and must not outlive the
// connection. Bound texts are copied. A failure of prepare or bind comes back from run() or next().
class statement {
 public:
    statement(statement&& o) noexcept
        : owner_(o.owner_), handle_(std::exchange(o.handle_, nullptr)), sql_(o.sql_), code_(o.code_), at_(o.at_) {}
    statement& operator=(statement&&) = delete;
    ~statement();

    // Binds the next parameters, in the order in which they stand in the SQL.
    template <class... Values>
    statement& bind(const Values&... values) {
        (bind_one(values), ...);
        return *this;
    }

    // Runs to completion; rows are dropped.
    result<void> run();
    // Steps to the next row; false after the last.
    result<bool> next();
    // Calls `visit` for every row that is left.
    template <class Visit>
    result<void> each(Visit&& visit) {
        auto more = next();
        for (; more && *more; more = next())
            visit();
        if (!more) return more.error();
        return {};
    }
    // Makes it ready to be bound and run again.
    void reset();

    // Columns of the row that next() stepped to, from 0. Texts live until the next call of next(), run() or reset().
    std::int64_t integer(int column) const { return sqlite3_column_int64(handle_, column); }
    std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
    std::string_view text(int column) const;
    // Of a BLOB or a text, as they are stored.
    std::string_view bytes(int column) const;
    std::string string(int column) const { return std::string(text(column)); }
    bool is_blob(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_BLOB; }
    bool is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }
    core::instant time(int column) const { return core::instant(std::chrono::milliseconds(integer(column))); }
    std::optional<core::instant> optional_time(int column) const {
        return is_null(column) ? std::nullopt : std::optional(time(column));
    }

 private:
    friend class database;
    statement(database& owner, sqlite3_stmt* handle, std::string_view sql, int code)
        : owner_(&owner), handle_(handle), sql_(sql), code_(code) {}

    void note(int code) {
        if (code_ == SQLITE_OK) code_ = code;
    }
    template <std::integral Number>
    void bind_one(Number value) {
        note(sqlite3_bind_int64(handle_, ++at_, static_cast<sqlite3_int64>(value)));
    }
    void bind_one(std::string_view value) {
        note(sqlite3_bind_text64(handle_, ++at_, value.data() ? value.data() : "", value.size(), SQLITE_TRANSIENT,
                                 SQLITE_UTF8));
    }
    void bind_one(blob value) {
        note(sqlite3_bind_blob64(handle_, ++at_, value.bytes.data() ? value.bytes.data() : "", value.bytes.size(),
                                 SQLITE_TRANSIENT));
    }
    void bind_one(const text_or_blob& value) {
        if (value.is_blob)
            bind_one(blob{value.bytes});
        else
            bind_one(value.bytes);
    }
    void bind_one(const std::string& value) { bind_one(std::string_view(value)); }
    void bind_one(const char* value) { bind_one(std::string_view(value)); }
    void bind_one(core::instant value) { bind_one(value.time_since_epoch().count()); }
    void bind_one(std::nullopt_t) { note(sqlite3_bind_null(handle_, ++at_)); }
    template <class Value>
    void bind_one(const std::optional<Value>& value) {
        if (value)
            bind_one(*value);
        else
            bind_one(std::nullopt);
    }
    int step();

    database* owner_;
    sqlite3_stmt* handle_;
    std::string_view sql_;  // the literal it was prepared from: the key of the cache
    int code_;
    int at_ = 0;
};

enum class access { read, write };

// One database connection. Not thread-safe.
//
// Inside a transaction the first failure dooms it: whatever follows fails the same way until commit() or rollback(),
// because SQLite may already have rolled back by itself, and what came later would then be kept without what came
// before.
class database {
 public:
    static result<std::unique_ptr<database>> open(const std::string& path, int flags);
    ~database();
    database(const database&) = delete;
    database& operator=(const database&) = delete;

    // `sql` must be a literal, or a text that lives as long as the program: one statement, cached by where it stands.
    // (By what it says would cost more than many a statement: those with checksums are long.)
    statement prepare(std::string_view sql);
    // Any number of statements without parameters or rows.
    result<void> execute(const std::string& sql);
    // The one integer that `sql` gives; 0 for no row.
    result<std::int64_t> integer(std::string_view sql);

    result<void> begin(access how);
    result<void> commit();
    void rollback() noexcept;
    bool in_transaction() const { return open_; }

    // Runs `body` in the open transaction, else in one of its own that is rolled back when `body` fails.
    template <class Body>
    auto atomically(access how, Body&& body) -> decltype(body()) {
        if (open_) return body();
        if (auto begun = begin(how); !begun) return begun.error();
        auto out = body();
        if (still_)
            if (auto same = still_(); !same) out = same.error();
        if (!out) {
            rollback();
            return out;
        }
        if (auto done = commit(); !done) return done.error();
        return out;
    }

    bool others_wait() const { return turn_ && turn_->waiting() > 0; }
    // For a file that is read without locks: asked after each transaction whether nobody wrote it meanwhile. What it
    // fails with takes the place of what was read.
    void believe_while(std::function<core::result<void>()> still) { still_ = std::move(still); }

    std::int64_t last_id() const { return sqlite3_last_insert_rowid(handle_); }
    std::int64_t changes() const { return sqlite3_changes64(handle_); }
    sqlite3* handle() const { return handle_; }
    const std::string& path() const { return path_; }

 private:
    friend class statement;
    database(sqlite3* handle, std::string path);
    core::failure fail(int code);
    void give_back(std::string_view sql, sqlite3_stmt* handle);

    sqlite3* handle_;
    std::string path_;
    bool open_ = false;
    std::function<core::result<void>()> still_;  // empty: locks see to it
    std::optional<write_turn> turn_;             // nothing: nobody else has this database
    std::optional<core::failure> doomed_;
    struct same_place {
        bool operator()(std::string_view a, std::string_view b) const {
            return a.data() == b.data() && a.size() == b.size();
        }
    };
    struct hash_of_place {
        std::size_t operator()(std::string_view sql) const { return std::hash<const char*>()(sql.data()); }
    };
    std::unordered_map<std::string_view, std::vector<sqlite3_stmt*>, hash_of_place, same_place> idle_;
};

}  // namespace taskbarge::ledger::sqlite
