// The parts of an import, each alone, on data made in memory or in a temporary folder. `bench/micro` of the bench
// preset;
// --benchmark_filter=NAME runs some of them.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "reader/row_checks.hpp"
#include "taskbarge/client/answer.hpp"
#include "taskbarge/client/apollo_client.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/grouper/grouper.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace {

using namespace taskbarge;

constexpr std::size_t file_rows = 100'000;
constexpr std::size_t chunk_size = 100;

std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

std::string id_of(std::uint64_t n) {
    return fmt::format("5f000007{:016x}", mixed(n));
}

std::string note_of(std::uint64_t group) {
    return fmt::format("Spring renewal wave {}: call about the offer of last year", group);
}

constexpr const char* owner = "66302798d03b9601c7934ebf";
constexpr const char* due = "2027-04-19T17:00:00-05:00";

class temporary_folder {
 public:
    temporary_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "taskbarge-micro.XXXXXX").string();
        if (!::mkdtemp(name.data())) std::abort();
        path_ = name;
    }
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    std::string file(const char* name) const { return (path_ / name).string(); }

 private:
    std::filesystem::path path_;
};

void count_rows(benchmark::State& state, std::size_t rows_an_iteration) {
    const auto rows = static_cast<double>(state.iterations()) * static_cast<double>(rows_an_iteration);
    state.counters["rows/s"] = benchmark::Counter(rows, benchmark::Counter::kIsRate);
}

// ------------------------------------------------------------------------------------------------------------- reader

void read_file(benchmark::State& state, const std::string& path) {
    for (auto _ : state) {
        auto source = reader::row_source::open({path}, {});
        if (!source) return state.SkipWithError(source.error().text.c_str());
        reader::row_batch batch;
        std::size_t rows = 0;
        for (auto more = source->next(batch); more && *more; more = source->next(batch))
            rows += batch.rows.size();
        if (rows != file_rows) return state.SkipWithError("rows are missing");
    }
    const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
    state.SetBytesProcessed(state.iterations() * bytes);
    count_rows(state, file_rows);
}

void reader_csv(benchmark::State& state) {
    const temporary_folder folder;
    const auto path = folder.file("contacts.csv");
    {
        std::ofstream out(path, std::ios::binary);
        out << "contact_id,name,user_id,type,priority,status,due_at,note\n";
        for (std::size_t i = 0; i < file_rows; ++i)
            out << id_of(i) << (i % 10 == 0 ? ",\"Silva, Maria\"," : ",Maria Silva,") << owner
                << ",call,high,scheduled," << due << ',' << note_of(i % 50) << '\n';
    }
    read_file(state, path);
}
BENCHMARK(reader_csv)->Unit(benchmark::kMillisecond);

// `more` are further members of each object.
void read_jsonl(benchmark::State& state, std::string_view more) {
    const temporary_folder folder;
    const auto path = folder.file("contacts.jsonl");
    {
        std::ofstream out(path, std::ios::binary);
        for (std::size_t i = 0; i < file_rows; ++i)
            out << R"({"contact_id":")" << id_of(i) << R"(","name":"Maria Silva","user_id":")" << owner
                << R"(","type":"call","priority":"high","status":"scheduled","due_at":")" << due << R"(","note":")"
                << note_of(i % 50) << '"' << more << "}\n";
    }
    read_file(state, path);
}

// Lines of one kind.
void reader_jsonl(benchmark::State& state) {
    read_jsonl(state, "");
}
BENCHMARK(reader_jsonl)->Unit(benchmark::kMillisecond);

// Lines that are parsed each.
void reader_jsonl_nested(benchmark::State& state) {
    read_jsonl(state, R"(,"x":{"y":[1,2]})");
}
BENCHMARK(reader_jsonl_nested)->Unit(benchmark::kMillisecond);

void row_checks(benchmark::State& state) {
    auto checks = reader::row_checks::make({});
    if (!checks) return state.SkipWithError(checks.error().text.c_str());
    const std::string contact = id_of(1), note = note_of(1);
    reader::field_texts texts;
    texts[reader::field::contact_id] = contact;
    texts[reader::field::user_id] = owner;
    texts[reader::field::type] = "call";
    texts[reader::field::priority] = "high";
    texts[reader::field::status] = "scheduled";
    texts[reader::field::due_at] = due;
    texts[reader::field::note] = note;
    reader::text_arena arena;
    for (auto _ : state) {
        std::string_view id;
        core::task_view details;
        auto wrong = checks->contact_id(contact, arena, id);
        if (!wrong) wrong = checks->details(texts, arena, details);
        if (wrong) return state.SkipWithError(wrong->message.c_str());
        benchmark::DoNotOptimize(details);
    }
    count_rows(state, 1);
}
BENCHMARK(row_checks);

// ------------------------------------------------------------------------------------------------------------ grouper

class counting_sink final : public grouper::chunk_sink {
 public:
    core::result<void> on_group(core::group_number, const core::task_view&) override { return {}; }
    core::result<void> on_chunk(core::planned_chunk&& chunk) override {
        rows += chunk.contacts.size();
        return {};
    }
    core::result<void> on_duplicate(const core::duplicate_row&) override { return {}; }
    std::size_t rows = 0;
};

// A million rows in so many groups.
void group_rows(benchmark::State& state) {
    constexpr std::size_t all = 1'000'000, batch_size = 4096;
    const auto groups = static_cast<std::size_t>(state.range(0));
    std::vector<std::string> ids, notes;
    for (std::size_t i = 0; i < all; ++i)
        ids.push_back(id_of(i));
    for (std::size_t g = 0; g < groups; ++g)
        notes.push_back(note_of(g));
    for (auto _ : state) {
        counting_sink sink;
        grouper::grouper grouper({}, sink);
        grouper.expect(all);
        std::vector<core::row> batch;
        for (std::size_t i = 0; i < all; ++i) {
            core::row row;
            row.number = row.at.line = i + 1;
            row.contact_id = ids[i];
            row.details.user_id = owner;
            row.details.note = notes[mixed(i) % groups];
            batch.push_back(row);
            if (batch.size() < batch_size && i + 1 < all) continue;
            if (auto r = grouper.add(batch); !r) return state.SkipWithError(r.error().text.c_str());
            batch.clear();
        }
        if (auto r = grouper.finish(); !r) return state.SkipWithError(r.error().text.c_str());
        if (sink.rows != all) return state.SkipWithError("rows are missing");
    }
    count_rows(state, all);
}
BENCHMARK(group_rows)->Arg(50)->Arg(100'000)->Unit(benchmark::kMillisecond);

// ------------------------------------------------------------------------------------------------------------- client

core::id_list contacts_of_a_request() {
    core::id_list out;
    for (std::size_t i = 0; i < chunk_size; ++i)
        out.push_back(id_of(i));
    return out;
}

void request_body(benchmark::State& state) {
    const auto contacts = contacts_of_a_request();
    const std::string note = note_of(1);
    core::task_view details;
    details.user_id = owner;
    details.note = note;
    for (auto _ : state)
        benchmark::DoNotOptimize(client::bulk_create_body(details, contacts));
    count_rows(state, chunk_size);
}
BENCHMARK(request_body);

// An answer that names a task for each contact, with so many bytes of other fields each: Apollo's have some 3,000.
void answer_parsing(benchmark::State& state) {
    client::exchange x;
    x.reach = client::reach::answered;
    x.status = 200;
    x.body = R"({"success":true,"tasks":[)";
    const std::string rest(static_cast<std::size_t>(state.range(0)), 'x');
    for (std::size_t i = 0; i < chunk_size; ++i)
        x.body += fmt::format(R"({}{{"id":"{}","contact_id":"{}","contact":{{"name":"{}"}}}})", i ? "," : "",
                              id_of(i + 1'000), id_of(i), rest);
    x.body += "]}";
    core::task_view asked;
    asked.user_id = owner;
    for (auto _ : state) {
        const auto answer = client::classify_bulk_create(x, asked);
        if (answer.tasks.size() != chunk_size) return state.SkipWithError("tasks are missing");
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(x.body.size()));
    count_rows(state, chunk_size);
}
BENCHMARK(answer_parsing)->Arg(0)->Arg(3'000);

// ------------------------------------------------------------------------------------------------------------- ledger

constexpr core::instant some_time{std::chrono::milliseconds(1'790'000'000'000)};

// A job in planning, in a ledger on disk.
struct planned_job {
    temporary_folder folder;
    std::unique_ptr<ledger::ledger> book;
    core::job_id job = 0;
    std::unique_ptr<ledger::job_lock> lock;

    // False with the state told why.
    bool begin(benchmark::State& state) {
        auto opened = ledger::open_ledger(folder.file("ledger.db"));
        if (!opened) return state.SkipWithError(opened.error().text.c_str()), false;
        book = std::move(*opened);
        auto begun =
            book->begin_plan({"contacts.csv"}, chunk_size, "https://apollo.example/api/v1", "default", some_time);
        if (!begun) return state.SkipWithError(begun.error().text.c_str()), false;
        job = begun->first;
        lock = std::move(begun->second);
        core::task_view details;
        details.user_id = owner;
        if (auto r = book->add_group(job, 1, details); !r) return state.SkipWithError(r.error().text.c_str()), false;
        return true;
    }
    // Chunks from `part` on, in one transaction.
    core::result<void> add_chunks(std::uint32_t part, std::size_t count) {
        core::planned_chunk chunk;
        chunk.group = 1;
        chunk.contacts.contact_ids = contacts_of_a_request();
        chunk.contacts.rows.resize(chunk_size);
        chunk.contacts.lines.resize(chunk_size);
        if (auto r = book->begin(); !r) return r;
        for (std::size_t i = 0; i < count; ++i) {
            chunk.part = part++;
            for (std::size_t k = 0; k < chunk_size; ++k)
                chunk.contacts.rows[k] = chunk.contacts.lines[k] = chunk.part * chunk_size + k + 1;
            if (auto r = book->add_chunk(job, chunk); !r) return r;
        }
        return book->commit();
    }
};

// One durable transaction of 500 chunks, as planning makes them.
void ledger_planning(benchmark::State& state) {
    constexpr std::size_t together = 500;
    planned_job p;
    if (!p.begin(state)) return;
    std::uint32_t part = 0;
    for (auto _ : state) {
        if (auto r = p.add_chunks(part, together); !r) return state.SkipWithError(r.error().text.c_str());
        part += together;
    }
    count_rows(state, together * chunk_size);
}
BENCHMARK(ledger_planning)->Unit(benchmark::kMillisecond)->Iterations(40)->UseRealTime();

// Intent and outcome of so many requests, two durable transactions.
void ledger_sending(benchmark::State& state) {
    constexpr std::size_t iterations = 100;
    const auto together = static_cast<std::size_t>(state.range(0));
    planned_job p;
    if (!p.begin(state)) return;
    if (auto r = p.add_chunks(0, iterations * together); !r) return state.SkipWithError(r.error().text.c_str());
    ledger::job_identity identity{"https://apollo.example/api/v1", "default", "0", 1, "", ""};
    const auto rows = iterations * together * chunk_size;
    if (auto r = p.book->commit_plan(p.job, identity, {rows, 0}, std::nullopt, {}); !r)
        return state.SkipWithError(r.error().text.c_str());
    core::chunk_id last = 0;
    const auto one_round = [&]() -> core::result<void> {
        auto chunks = p.book->chunks(p.job, core::chunk_state::planned, last, together);
        if (!chunks) return chunks.error();
        std::vector<core::attempt_id> attempts;
        if (auto r = p.book->begin(); !r) return r;
        for (const auto& chunk : *chunks) {
            last = chunk.id;
            auto attempt = p.book->record_intent({chunk.id, some_time, std::nullopt});
            if (!attempt) return attempt.error();
            attempts.push_back(*attempt);
        }
        if (auto r = p.book->commit(); !r) return r;
        if (auto r = p.book->begin(); !r) return r;
        for (std::size_t i = 0; i < chunks->size(); ++i) {
            ledger::attempt_report report;
            report.attempt = attempts[i];
            report.what = ledger::attempt_result::succeeded;
            report.status = 200;
            ledger::chunk_update update;
            update.chunk = (*chunks)[i].id;
            update.state = core::chunk_state::created;
            for (std::uint32_t k = 0; k < chunk_size; ++k)
                update.created.emplace_back(k, (*chunks)[i].contacts.contact_ids[k]);
            if (auto r = p.book->record_report(report, true); !r) return r;
            if (auto r = p.book->update_chunk(update); !r) return r;
        }
        return p.book->commit();
    };
    for (auto _ : state)
        if (auto r = one_round(); !r) return state.SkipWithError(r.error().text.c_str());
    count_rows(state, together * chunk_size);
}
BENCHMARK(ledger_sending)->Arg(1)->Arg(8)->Unit(benchmark::kMillisecond)->Iterations(100)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
