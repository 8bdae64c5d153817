// A ledger of very many jobs, made as the program makes one, and what it costs to ask it what a service asks all the
// time.
//
//     many_jobs FILE [FINISHED] [UNFINISHED]
//
// Makes the ledger where there is none: jobs of 250 rows in three chunks. The unfinished ones are parked for a day, as
// behind a day's window, so that a service on this ledger sends nothing.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "taskbarge/core/settings.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace {

namespace core = taskbarge::core;
namespace ledger = taskbarge::ledger;

constexpr std::uint32_t chunk_size = 100;
constexpr core::row_number rows_of_job = 250;

core::planned_chunk chunk_at(core::row_number first, core::row_number last, std::uint32_t part) {
    core::planned_chunk out;
    out.group = 1;
    out.part = part;
    for (auto row = first; row <= last; ++row) {
        out.contacts.contact_ids.push_back(fmt::format("{:024x}", row));
        out.contacts.rows.push_back(row);
        out.contacts.lines.push_back(row + 1);
    }
    return out;
}

// Everything of the job in one transaction, as nothing of it may be lost here.
void make_job(ledger::ledger& book, const core::settings& s, int number, bool finished, core::instant now) {
    const auto file = fmt::format("contacts-{:05}.csv", number);
    book.begin().value();
    auto [id, lock] = book.begin_plan({file}, chunk_size, s.apollo.base_url, s.apollo.team, now).value();
    core::task_details details;
    details.user_id = "66302798d03b9601c7934ebf";
    details.due_at = now;
    details.note = file;
    book.add_group(id, 1, details.view()).value();
    std::uint32_t part = 0;
    for (core::row_number first = 1; first <= rows_of_job; first += chunk_size)
        book.add_chunk(id, chunk_at(first, std::min(first + chunk_size - 1, rows_of_job), part++)).value();
    book.set_files(id, {{1, "csv", "contact_id,user_id,type,status,due_at,note"}}).value();
    const ledger::job_identity identity{
        s.apollo.base_url, s.apollo.team, fmt::format("{:064x}", number), 12'345, core::identity_text(s), {}};
    book.commit_plan(id, identity, {rows_of_job, 0}, std::nullopt, {}).value();
    if (!finished) {
        book.set_job_state(id, core::job_state::parked, now + std::chrono::hours(24), "waiting", "the day window", now)
            .value();
        book.commit().value();
        return;
    }
    for (const auto& chunk : book.chunks(id, core::chunk_state::planned, 0, 10).value()) {
        const auto attempt = book.record_intent({chunk.id, now, now}).value();
        ledger::attempt_report report;
        report.attempt = attempt;
        report.what = ledger::attempt_result::succeeded;
        report.finished_at = now;
        report.status = 200;
        book.record_report(report, true).value();
        ledger::chunk_update update;
        update.chunk = chunk.id;
        update.state = core::chunk_state::created;
        update.settled_at = now;
        for (std::uint32_t i = 0; i < chunk.contacts.size(); ++i)
            update.created.emplace_back(i, fmt::format("{:016x}{:08x}", chunk.id, i));
        book.update_chunk(update).value();
    }
    book.set_job_state(id, core::job_state::completed, {}, {}, {}, now).value();
    book.commit().value();
}

// The least processor time of several turns, each with a ledger opened anew, as an answer of the service has it.
template <class Ask>
void measure(const char* what, const std::string& path, Ask ask) {
    auto least = std::numeric_limits<std::clock_t>::max();
    std::size_t got = 0;
    for (int turn = 0; turn < 9; ++turn) {
        const auto from = std::clock();
        const auto book = ledger::open_ledger(path).value();
        got = ask(*book);
        least = std::min(least, std::clock() - from);
    }
    constexpr double in_a_millisecond = CLOCKS_PER_SEC / 1000.0;
    fmt::print("{:<40} {:9.2f} ms   {}\n", what, static_cast<double>(least) / in_a_millisecond, got);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return std::fputs("many_jobs FILE [FINISHED] [UNFINISHED]\n", stderr), 64;
    const std::string path = argv[1];
    const int finished = argc > 2 ? std::atoi(argv[2]) : 10'000, unfinished = argc > 3 ? std::atoi(argv[3]) : 1'000;
    const auto now = core::system_clock().now();
    core::settings s;
    s.apollo.base_url = "http://127.0.0.1:9/api/v1";  // nobody
    if (!std::filesystem::exists(path)) {
        const auto book = ledger::open_ledger(path).value();
        for (int i = 0; i < finished + unfinished; ++i)
            make_job(*book, s, i, i < finished, now);
    }
    measure("opened", path, [](ledger::ledger&) { return std::size_t{0}; });
    measure("unfinished jobs", path, [](ledger::ledger& book) { return book.unfinished_jobs().value().size(); });
    measure("sums by state", path, [](ledger::ledger& book) { return book.sums_by_state().value().size(); });
    const std::vector<core::job_state> any{core::job_state::completed, core::job_state::parked,
                                           core::job_state::failed};
    measure("the newest 100 jobs, with their sums", path, [&](ledger::ledger& book) {
        std::size_t rows = 0;
        for (const auto& job : book.newest_jobs({any, 0, 100}).value())
            rows += book.totals(job.id).value().rows.rows;
        return rows;
    });
    measure("all jobs, with their sums", path, [](ledger::ledger& book) {
        std::size_t rows = 0;
        for (const auto& job : book.jobs().value())
            rows += book.totals(job.id).value().rows.rows;
        return rows;
    });
    return 0;
}
