// What SQLite alone needs to keep an import durably: for each request its contacts when it is planned, its intent
// before it leaves and its outcome with the task ids afterwards. Nothing is computed, nothing is sent.
//
//     bare_ledger FILE ROWS [CHUNK_SIZE] [CONNECTIONS]
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

class database {
 public:
    explicit database(const char* path) {
        if (sqlite3_open(path, &handle_) != SQLITE_OK) stop();
        run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE chunks (id INTEGER PRIMARY KEY, state TEXT, contact_ids TEXT, rows TEXT, lines TEXT);"
            "CREATE TABLE attempts (id INTEGER PRIMARY KEY, chunk INTEGER, started_at INTEGER, finished_at INTEGER,"
            " status INTEGER, request_id TEXT, task_ids TEXT);");
    }
    ~database() { sqlite3_close_v2(handle_); }
    database(const database&) = delete;
    database& operator=(const database&) = delete;

    void run(const char* sql) {
        if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) stop();
    }
    sqlite3_stmt* prepare(const char* sql) {
        sqlite3_stmt* out = nullptr;
        if (sqlite3_prepare_v2(handle_, sql, -1, &out, nullptr) != SQLITE_OK) stop();
        return out;
    }
    void step(sqlite3_stmt* s) {
        if (sqlite3_step(s) != SQLITE_DONE) stop();
        sqlite3_reset(s);
    }

 private:
    [[noreturn]] void stop() {
        std::fprintf(stderr, "%s\n", sqlite3_errmsg(handle_));
        std::exit(65);
    }
    sqlite3* handle_ = nullptr;
};

void bind(sqlite3_stmt* s, int at, const std::string& text) {
    sqlite3_bind_text(s, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

std::string ids(std::int64_t count) {
    std::string out = "[";
    for (std::int64_t i = 0; i < count; ++i)
        out += fmt::format("{}\"5f00000700000000{:08x}\"", i ? "," : "", i);
    return out + "]";
}

std::string numbers(std::int64_t first, std::int64_t count) {
    std::string out = "[";
    for (std::int64_t i = 0; i < count; ++i)
        out += fmt::format("{}{}", i ? "," : "", first + i * 50);
    return out + "]";
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return std::fputs("bare_ledger FILE ROWS [CHUNK_SIZE] [CONNECTIONS]\n", stderr), 64;
    const std::int64_t rows = std::atoll(argv[2]), size = argc > 3 ? std::atoll(argv[3]) : 100,
                       together = argc > 4 ? std::atoll(argv[4]) : 8;
    if (size <= 0 || together <= 0) return 64;
    const std::int64_t chunks = (rows + size - 1) / size;
    for (const char* more : {"", "-wal", "-shm"})
        std::filesystem::remove(std::string(argv[1]) + more);
    database db(argv[1]);
    const std::string contacts = ids(size), places = numbers(1'000'000, size);

    // As an import plans: 50,000 contacts a commit.
    const std::int64_t planned_together = std::max<std::int64_t>(1, 50'000 / size);
    auto* plan = db.prepare("INSERT INTO chunks VALUES (NULL, 'planned', ?, ?, ?)");
    bind(plan, 1, contacts);
    bind(plan, 2, places);
    bind(plan, 3, places);
    for (std::int64_t i = 0; i < chunks; i += planned_together) {
        db.run("BEGIN IMMEDIATE");
        for (std::int64_t k = i; k < std::min(i + planned_together, chunks); ++k)
            db.step(plan);
        db.run("COMMIT");
    }

    // As it sends: each connection's request has its intent durable before it leaves, and one commit serves them all.
    auto* intent = db.prepare("UPDATE chunks SET state = 'sending' WHERE id = ?");
    auto* attempt = db.prepare("INSERT INTO attempts (chunk, started_at) VALUES (?, 1790000000000)");
    auto* outcome = db.prepare("UPDATE chunks SET state = 'created' WHERE id = ?");
    auto* report = db.prepare(
        "UPDATE attempts SET finished_at = 1790000000100, status = 200, request_id = "
        "'eb43e0ea-26d6-4862-85f9-5ff8f4abaf12', task_ids = ? WHERE id = ?");
    bind(report, 1, contacts);
    const auto commit_each = [&](sqlite3_stmt* first, sqlite3_stmt* second, int second_at, std::int64_t from) {
        db.run("BEGIN IMMEDIATE");
        for (std::int64_t k = from; k < std::min(from + together, chunks + 1); ++k) {
            sqlite3_bind_int64(first, 1, k);
            db.step(first);
            sqlite3_bind_int64(second, second_at, k);
            db.step(second);
        }
        db.run("COMMIT");
    };
    for (std::int64_t i = 1; i <= chunks; i += together) {
        commit_each(intent, attempt, 1, i);
        commit_each(outcome, report, 2, i);
    }
    for (auto* s : {plan, intent, attempt, outcome, report})
        sqlite3_finalize(s);
    std::printf("%lld chunks\n", static_cast<long long>(chunks));
}
