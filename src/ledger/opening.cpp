// Opening a ledger: its files are those that its name means, and it is the newest there is.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "ledger/checksums.hpp"
#include "ledger/ledger_file.hpp"
#include "ledger/schema.hpp"
#include "ledger/sqlite_ledger.hpp"
#include "ledger/witness.hpp"
#include "taskbarge/core/shortage.hpp"

namespace taskbarge::ledger {

namespace {

constexpr std::string_view in_memory = ":memory:";

core::failure cannot_make(const std::string& what) {
    if (auto why = core::shortage_of(what, errno)) return *why;
    const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    const core::errc code = full ? core::errc::ledger_full : core::errc::ledger;
    return {code, fmt::format("cannot make {}: {}; name a ledger in a folder that you may write", what,
                              std::strerror(errno))};
}

// Makes the folder and those above it for the owner alone: the ledger names people's contacts.
result<void> make_folder(const std::filesystem::path& folder) {
    std::error_code ignored;
    if (folder.empty() || std::filesystem::is_directory(folder, ignored)) return {};
    if (auto above = make_folder(folder.parent_path()); !above) return above;
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return cannot_make(folder.string());
    // Its name must outlast a power cut, as what is kept in it does.
    const auto above = folder.parent_path().empty() ? std::filesystem::path(".") : folder.parent_path();
    const int fd = ::open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return cannot_make(folder.string());
    const bool synced = ::fsync(fd) == 0;
    ::close(fd);
    return synced ? result<void>() : cannot_make(folder.string());
}

// Makes the file when there is none; SQLite gives its -wal and -shm files the same mode. An existing file is not even
// opened: closing any descriptor of it would drop the record locks of other connections in this process.
result<void> make_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        if (errno == EEXIST) return {};
        return cannot_make(path);
    }
    ::close(fd);
    return {};
}

// 16 MiB of pages: holds the index pages that the planning of half a million groups touches at random.
// A WAL left large by a planning is cut back to 64 MiB at the next checkpoint. A checkpoint every 16 MiB: the pages
// that each request changes are then copied to the file a few times less often.
constexpr const char* pragmas =
    "PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; PRAGMA journal_size_limit = 67108864; "
    "PRAGMA wal_autocheckpoint = 4096; "
    "PRAGMA temp_store = FILE; PRAGMA trusted_schema = OFF;";

// Where SQLite cannot have its shared memory (some network and container file systems) it keeps another mode silently.
result<void> turn_to_wal(sqlite::database& db, const std::string& path) {
    auto query = db.prepare("PRAGMA journal_mode = WAL");
    auto answered = query.next();
    if (!answered) return answered.error();
    if (path == in_memory || (*answered && query.text(0) == "wal")) return {};
    return core::failure{
        core::errc::ledger,
        fmt::format("ledger {}: its file system has no shared memory files; keep it on a local one", path)};
}

// What is in the file, as far as it is a ledger.
struct contents {
    bool made = false;  // has tables
    witness_line line;
};

result<contents> look_into(sqlite::database& db, const std::string& path) {
    contents out;
    auto made = has_schema(db, path);
    if (!made) return made.error();
    out.made = *made;
    if (!out.made) return out;
    auto query = db.prepare("SELECT id, events FROM ledger");
    auto found = query.next();
    if (!found) return found.error();
    if (!*found) {
        return core::failure{core::errc::ledger,
                             fmt::format("ledger {}: damaged (it has lost its name); restore a copy", path)};
    }
    out.line = {query.string(0), query.number(1)};
    return out;
}

// The check comes first: a file that is not ours must not be turned to WAL. A new file can shrink by parts, which must
// be said before there is anything in it. What is made goes to the main file at once: a copy of that alone is then no
// fresh ledger, but one that knows its name.
result<void> prepare(sqlite::database& db, const std::string& path, contents& found) {
    if (!found.made) {
        if (auto r = db.execute("PRAGMA auto_vacuum = INCREMENTAL"); !r) return r;
    }
    if (auto r = turn_to_wal(db, path); !r) return r;
    if (auto r = db.execute(pragmas); !r) return r;
    if (!found.made) {
        if (auto r = make_schema(db); !r) return r;
        if (auto r = db.execute("PRAGMA wal_checkpoint(TRUNCATE)"); !r) return r;
    }
    // The first reading of a file in WAL mode opens its log, too.
    auto after = look_into(db, path);
    if (!after) return after.error();
    found.line = after->line;
    return {};
}

core::failure older(const std::string& path, const std::string& what) {
    return {core::errc::ledger,
            fmt::format("ledger {} {}. Put the newest copy back, or go on with `taskbarge ledger accept`: what was not "
                        "sent is then looked up in Apollo first",
                        path, what)};
}

// Holds what is in the file against what the lock file knows of it.
result<void> compare(const std::string& path, const contents& found, const std::optional<witness_line>& known) {
    if (!known || known->events == 0) return {};
    if (!found.made) {
        return older(path, fmt::format("is missing or empty, but its lock file knows {} events of it: it was removed, "
                                       "emptied, or its -wal file was lost",
                                       known->events));
    }
    if (found.line.ledger != known->ledger) {
        return older(path, fmt::format("is not the one that things were last sent with here: its lock file knows {} "
                                       "events of another; it was replaced",
                                       known->events));
    }
    if (found.line.events >= known->events) return {};
    return older(path, fmt::format("is older than what was last sent with it: it knows {} events, its lock file {}; it "
                                   "was restored or replaced, or its -wal file was lost or damaged",
                                   found.line.events, known->events));
}

bool is_empty(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) != 0 || info.st_size == 0;
}

// While it is not known that the log is whole, closing must not carry what is left of it over and delete it.
void keep_log(sqlite::database& db, bool keep) {
    sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, nullptr);
}

std::string contacts_key_of(const std::string& path) {
    return path + "-contacts-key";
}

result<std::unique_ptr<ledger>> open_in_memory() {
    auto locks = job_locks::open_in_memory();
    if (!locks) return locks.error();
    auto db = sqlite::database::open(std::string(in_memory), SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY);
    if (!db) return db.error();
    if (auto added = add_row_check(**db); !added) return added.error();
    contents empty;
    if (auto ready = prepare(**db, std::string(in_memory), empty); !ready) return ready.error();
    return std::unique_ptr<ledger>(std::make_unique<sqlite_ledger>(std::move(*db), std::move(*locks), std::string()));
}

// A file without tables, whose disk was full when they were to be made, shows what an empty ledger does.
result<std::unique_ptr<ledger>> nothing_to_look_at(const std::string& path) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return open_in_memory();
    return core::failure{core::errc::ledger, fmt::format("there is no ledger {}", path)};
}

bool may_write_file(const std::string& path) {
    return ::access(path.c_str(), W_OK) == 0 || errno == ENOENT;
}

core::failure cannot_read(const std::string& path, const std::string& what) {
    return {core::errc::ledger,
            fmt::format("ledger {}: this user may only read it, and {}; run this as the user who runs the imports, or "
                        "give this one the right to read {}, {}-wal and {}-shm",
                        path, what, path, path, path)};
}

result<std::unique_ptr<sqlite::database>> open_to_read(const std::string& path, bool at_rest) {
    // At rest there is no log, and SQLite would have to make one. As a file that does not change it is read without.
    std::string name = "file:";
    constexpr std::string_view plain = "/-_.~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (const char c : path)
        name += plain.find(c) != std::string_view::npos ? std::string(1, c)
                                                        : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    name += at_rest ? "?mode=ro&immutable=1" : "?mode=ro";
    auto db = sqlite::database::open(name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    if (!db) return db.error();
    if (auto added = add_row_check(**db); !added) return added.error();
    if (auto looked = look_into(**db, path); !looked) return looked.error();
    if (auto ready = (*db)->execute(pragmas); !ready) return ready.error();
    return db;
}

// For who may not write: another user's ledger, a read-only file system, a snapshot.
result<std::unique_ptr<ledger>> open_read_only(const std::string& path) {
    if (is_empty(path)) return nothing_to_look_at(path);
    if (::access(path.c_str(), R_OK) != 0)
        return cannot_read(path, fmt::format("not even that ({})", std::strerror(errno)));
    auto locks = job_locks::open_for_looking(path + ".lock");
    if (!locks) return locks.error();
    // Between the look at the log and the opening a run may begin, or the last one end: then the other way is right.
    constexpr int tries = 3;
    for (int i = 0; i < tries; ++i) {
        const bool at_rest = ::access((path + "-wal").c_str(), F_OK) != 0;
        if (!at_rest && ::access((path + "-wal").c_str(), R_OK) != 0)
            return cannot_read(path, "a run works with it whose log it may not read");
        std::optional<unchanged_file> still;
        if (at_rest) {
            auto now = unchanged_file::look(path);
            if (!now) return now.error();
            still = std::move(*now);
        }
        auto db = open_to_read(path, at_rest);
        const bool same = at_rest == (::access((path + "-wal").c_str(), F_OK) != 0);
        if (!same) continue;
        if (!db && db.error().code == core::errc::ledger && !at_rest) return cannot_read(path, db.error().text);
        if (!db) return db.error();
        if (still) (*db)->believe_while([still = std::move(*still)] { return still.check(); });
        return std::unique_ptr<ledger>(
            std::make_unique<sqlite_ledger>(std::move(*db), std::move(*locks), contacts_key_of(path)));
    }
    return core::failure{core::errc::io, fmt::format("ledger {}: runs begin and end all the time; run again", path)};
}

}  // namespace

bool may_write(const std::string& name) {
    const auto path = resolved(name);
    const auto folder = std::filesystem::path(path).parent_path();
    return may_write_file(path) && may_write_file(path + ".lock") && may_write_file(path + "-wal") &&
           may_write_file(path + "-shm") && may_write_file(folder.string());
}

result<bool> has_ledger(const std::string& name) {
    const auto path = resolved(name);
    std::error_code ignored;
    const bool there = std::filesystem::exists(path, ignored);
    if (!is_empty(path) || !std::filesystem::exists(path + ".lock", ignored)) return there;
    auto locks = job_locks::open(path + ".lock");
    if (!locks) return locks.error();
    auto fd = locks->reopen();
    if (!fd) return fd.error();
    auto known = witness(std::move(*fd), path + ".lock").read();
    if (!known) return known.error();
    if (auto same = compare(path, {}, *known); !same) return same.error();
    return there;
}

result<std::unique_ptr<ledger>> open_ledger(const std::string& name, witness_check how) {
    if (name == in_memory) return open_in_memory();
    const auto path = resolved(name);
    if (how == witness_check::ignored && !may_write(path)) return open_read_only(path);
    if (auto made = make_folder(std::filesystem::path(path).parent_path()); !made) return made.error();
    auto locks = job_locks::open(path + ".lock");
    if (!locks) return locks.error();
    auto turn = locks->lock_opening();
    if (!turn) return turn.error();
    for (const auto* suffix : {"", ".lock"})
        if (auto only = check_only_name(path + suffix); !only) return only.error();
    auto fd = locks->reopen();
    if (!fd) return fd.error();
    witness beside(std::move(*fd), path + ".lock");
    // Before the database: what is committed meanwhile only takes it further ahead.
    const auto known = beside.read();
    if (!known && how == witness_check::required) return known.error();
    const auto expected = known ? *known : std::nullopt;
    contents found;
    if (is_empty(path) && how != witness_check::accepting) {
        if (auto same = compare(path, found, expected); !same) return same.error();
        if (how == witness_check::ignored) return nothing_to_look_at(path);
    }
    if (auto made = make_file(path); !made) return made.error();
    auto db = sqlite::database::open(path, SQLITE_OPEN_READWRITE);
    if (!db) return db.error();
    keep_log(**db, true);
    if (auto added = add_row_check(**db); !added) return added.error();
    auto looked = look_into(**db, path);
    if (!looked) return looked.error();
    found = std::move(*looked);
    if (how == witness_check::required || (how == witness_check::ignored && !found.made)) {
        if (auto same = compare(path, found, expected); !same) return same.error();
    }
    if (how == witness_check::ignored && !found.made) return nothing_to_look_at(path);
    if (auto ready = prepare(**db, path, found); !ready) return ready.error();
    if (how == witness_check::required) {
        if (auto kept = beside.raise(found.line); !kept) return kept.error();
    }
    auto files = ledger_file::watch(path, *locks);
    if (!files) return files.error();
    if (how != witness_check::ignored) keep_log(**db, false);
    return std::unique_ptr<ledger>(std::make_unique<sqlite_ledger>(
        std::move(*db), std::move(*locks), contacts_key_of(path),
        sqlite_ledger::guard{path, found.line.ledger, std::move(*files), std::move(beside), how}));
}

}  // namespace taskbarge::ledger
