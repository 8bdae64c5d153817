#include "ledger/sqlite.hpp"

#include <fmt/format.h>

#include <cerrno>

#include "taskbarge/core/shortage.hpp"

namespace taskbarge::ledger::sqlite {

namespace {

// A write that found no room. SQLite calls only ENOSPC "full"; a quota or a file size limit arrive as I/O errors.
bool no_room(int code, int system_error) {
    if (code == SQLITE_FULL) return true;
    return code == SQLITE_IOERR && (system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG);
}

// Memory or a descriptor that was missing. The system's error counts only where SQLite asked the system for something.
std::optional<core::failure> shortage(const std::string& path, int code, int system_error) {
    if (code == SQLITE_NOMEM) return core::shortage_of("ledger " + path, ENOMEM);
    if (code != SQLITE_CANTOPEN && code != SQLITE_IOERR) return std::nullopt;
    if (system_error == EAGAIN) return std::nullopt;  // of a lock
    return core::shortage_of("ledger " + path, system_error);
}

// How long to wait for another process's transaction. The longest is the end of a planning of millions of rows.
constexpr int busy_timeout_ms = 5 * 60 * 1000;

core::failure describe(const std::string& path, int code, const char* message, int system_error) {
    if (auto why = shortage(path, code & 0xff, system_error)) return *why;
    switch (const int primary = code & 0xff; primary) {
        case SQLITE_NOTADB:
            return {core::errc::ledger, fmt::format("{} is not a taskbarge ledger; name another file", path)};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {core::errc::waiting,
                    fmt::format("ledger {}: another process has been writing for too long; run again later", path)};
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
            return {core::errc::ledger,
                    fmt::format("ledger {}: not writable ({}); check the rights of the file and of its folder", path,
                                message)};
        case SQLITE_CORRUPT:
            return {core::errc::ledger, fmt::format("ledger {}: damaged ({}); restore a copy, or try the sqlite3 "
                                                    "command .recover",
                                                    path, message)};
        default:
            if (no_room(primary, system_error)) {
                return {core::errc::ledger_full,
                        fmt::format("ledger {}: no room on its disk; make room and run again", path)};
            }
            return {core::errc::ledger, fmt::format("ledger {}: {} (SQLite {})", path, message, code)};
    }
}

}  // namespace

statement::~statement() {
    if (handle_) owner_->give_back(sql_, handle_);
}

void statement::reset() {
    if (!handle_) return;
    sqlite3_reset(handle_);
    code_ = SQLITE_OK;
    at_ = 0;
}

std::string_view statement::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
    if (!data) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

std::string_view statement::bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_, column));
    if (!data) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

int statement::step() {
    if (owner_->doomed_) return SQLITE_ABORT;
    errno = 0;  // so that fail() can tell whether the system said anything
    return code_ == SQLITE_OK ? sqlite3_step(handle_) : code_;
}

result<void> statement::run() {
    int code = step();
    while (code == SQLITE_ROW)
        code = sqlite3_step(handle_);
    if (code != SQLITE_DONE) return owner_->fail(code);
    reset();
    return {};
}

result<bool> statement::next() {
    const int code = step();
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) return owner_->fail(code);
    reset();
    return false;
}

result<std::unique_ptr<database>> database::open(const std::string& path, int flags) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    std::unique_ptr<database> out(new database(handle, path));
    if (code != SQLITE_OK) return out->fail(code);
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, busy_timeout_ms);
    return out;
}

database::database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {
    if (path_ != ":memory:") turn_.emplace(path_);
}

database::~database() {
    rollback();
    for (auto& [sql, handles] : idle_) {
        for (sqlite3_stmt* handle : handles)
            sqlite3_finalize(handle);
    }
    sqlite3_close(handle_);
}

core::failure database::fail(int code) {
    if (doomed_) return *doomed_;
    // For a COMMIT that fails SQLite does not keep the system's error; errno still has it.
    const int last_error = errno;
    const int kept_error = handle_ ? sqlite3_system_errno(handle_) : 0;
    // A step may report less than the connection knows; the extended code tells one I/O error from another.
    const int known = sqlite3_extended_errcode(handle_);
    if ((known & 0xff) == (code & 0xff)) code = known;
    auto why = describe(path_, code, handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code),
                        kept_error != 0 ? kept_error : last_error);
    if (open_) doomed_ = why;
    return why;
}

statement database::prepare(std::string_view sql) {
    if (auto found = idle_.find(sql); found != idle_.end() && !found->second.empty()) {
        sqlite3_stmt* handle = found->second.back();
        found->second.pop_back();
        return {*this, handle, sql, SQLITE_OK};
    }
    sqlite3_stmt* handle = nullptr;
    const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                        &handle, nullptr);
    return {*this, handle, sql, code};
}

void database::give_back(std::string_view sql, sqlite3_stmt* handle) {
    sqlite3_reset(handle);
    sqlite3_clear_bindings(handle);
    idle_[sql].push_back(handle);
}

result<void> database::execute(const std::string& sql) {
    if (doomed_) return *doomed_;
    errno = 0;
    if (const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK) {
        return fail(code);
    }
    return {};
}

result<std::int64_t> database::integer(std::string_view sql) {
    auto query = prepare(sql);
    auto row = query.next();
    if (!row) return row.error();
    return *row ? query.integer(0) : 0;
}

result<void> database::begin(access how) {
    if (open_) return core::failure{core::errc::internal, "a ledger transaction is already open"};
    // IMMEDIATE takes the write lock at once: a transaction that reads first and writes later could find that another
    // process wrote in between, and would have to start anew.
    if (how == access::write && turn_) turn_->take();
    if (auto r = prepare(how == access::write ? "BEGIN IMMEDIATE" : "BEGIN").run(); !r) {
        if (turn_) turn_->give_back();
        return r.error();
    }
    open_ = true;
    return {};
}

result<void> database::commit() {
    if (!open_) return core::failure{core::errc::internal, "no ledger transaction is open"};
    auto done = prepare("COMMIT").run();
    if (!done) {
        const auto why = done.error();
        rollback();
        return why;
    }
    open_ = false;
    if (turn_) turn_->give_back();
    return {};
}

void database::rollback() noexcept {
    doomed_.reset();
    // After some errors SQLite has already rolled back, and a ROLLBACK would be an error of its own.
    if (open_ && !sqlite3_get_autocommit(handle_)) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
    open_ = false;
    if (turn_) turn_->give_back();
}

}  // namespace taskbarge::ledger::sqlite
