#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <exception>
#include <memory>
#include <utility>

#include "service/api/answers.hpp"
#include "service/api/block_pipe.hpp"
#include "service/api/routes.hpp"
#include "service/api/spool.hpp"
#include "service/inbox/files.hpp"
#include "taskbarge/async/task_group.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/report/rejects_writer.hpp"
#include "taskbarge/report/results_writer.hpp"

namespace taskbarge::service {

namespace asio = boost::asio;
using core::errc;
using core::result;
using http::problem;
using http::request;
using http::response;

namespace {

constexpr std::size_t most_streams = 8;
constexpr std::size_t block_size = 1u << 16;

}  // namespace

// The ledger is read at its own speed into a file, and given out at the reader's: a reader that takes a day must not
// keep a transaction of the ledger open for a day.
result<void> result_routes::give_out(block_pipe& pipe, const producer& produce, const std::string& folder) {
    auto kept = spool::make(folder);
    if (!kept) return kept.error();
    result<void> written;
    auto keep = [&](const std::string& block) {
        written = kept->write(block);
        return written && pipe.wanted();
    };
    auto produced = produce(keep);
    if (!written) return written;
    if (!produced) return produced;
    pipe.push({});  // the answer begins, also when there is nothing to tell
    return kept->read(block_size, [&](std::string block) { return pipe.push(std::move(block)); });
}

awaitable<void> result_routes::stream(request& x, std::string content_type, std::string file_name, producer produce) {
    if (streams_ >= most_streams) {
        response full =
            in_a_minute(problem(503, "too-many-streams", "Too many results are being read", "Try again in a minute."));
        co_await x.reply(std::move(full));
        co_return;
    }
    ++streams_;
    auto pipe = std::make_shared<block_pipe>(parts_.executor);
    async::task_group group(parts_.executor);
    auto work = [pipe, produce = std::move(produce), folder = parts_.store.root()] {
        try {
            pipe->finish(give_out(*pipe, produce, folder));
        } catch (const std::exception& bug) {
            pipe->finish(core::failure{errc::internal, bug.what()});
        }
    };
    auto child = producers_.run(work);
    group.spawn(std::move(child));
    bool begun = false, wanted = true;
    std::exception_ptr cut;
    try {
        while (wanted) {
            auto block = co_await pipe->pop();
            if (!block) break;
            if (!std::exchange(begun, true)) {
                http::header_list headers{
                    {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", file_name)}};
                co_await x.begin(200, content_type, std::move(headers));
            }
            wanted = co_await x.write(*block);
        }
    } catch (...) {
        cut = std::current_exception();
    }
    pipe->close();
    // Cut or not, the producer works with what is here until it has ended.
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await group.wait();
    co_await asio::this_coro::throw_if_cancelled(throwing);
    --streams_;
    if (cut) std::rethrow_exception(cut);
    if (!begun) {
        const auto why = pipe->outcome() ? core::failure{errc::internal, "nothing was read"} : pipe->outcome().error();
        response a = problem_of(why);
        co_await x.reply(std::move(a));
    } else if (wanted && pipe->outcome()) {
        co_await x.end();
    } else if (!pipe->outcome()) {
        parts_.board.lines().warn("stream_cut", {{"path", x.head().path}}, pipe->outcome().error().text);
    }
}

awaitable<void> result_routes::results(request& x, const path_values& v) {
    const auto id = parse_job(v.at(0));
    const auto format = x.head().parameter("format").value_or("csv");
    std::array<bool, 6> wanted{};
    std::optional<response> bad;
    if (!id) bad = no_such_job(v.at(0));
    if (format != "csv" && format != "jsonl") bad = bad_parameter("format", "must be csv or jsonl");
    const auto only = x.head().parameter("only").value_or("");
    wanted.fill(only.empty());
    const auto states = parse_row_states(only);
    if (!states) bad = bad_parameter("only", row_states_rule);
    if (states)
        for (const auto state : *states)
            wanted.at(static_cast<std::size_t>(state)) = true;
    if (bad) {
        co_await x.reply(std::move(*bad));
        co_return;
    }
    const auto configuration = parts_.configuration.get();
    const auto form = format == "csv" ? report::results_format::csv : report::results_format::jsonl;
    producer produce = [id, form, wanted, path = configuration->settings.ledger.path](
                           const std::function<bool(std::string)>& push) -> result<void> {
        auto book = ledger::open_ledger(path);
        if (!book) return book.error();
        const auto job = (*book)->job(*id);
        if (!job) return job.error();
        report::results_writer writer(form, job->files, *id);
        std::string block;
        writer.header(block);
        bool read_on = true;
        auto read = (*book)->each_result(*id, [&](const ledger::row_result& row) {
            if (wanted[static_cast<std::size_t>(row.state)]) writer.line(block, row);
            if (block.size() >= block_size) read_on = push(std::exchange(block, {}));
            return read_on;
        });
        if (!read) return read.error();
        if (read_on) push(std::move(block));
        return {};
    };
    co_await stream(x, form == report::results_format::csv ? "text/csv; charset=utf-8" : "application/x-ndjson",
                    fmt::format("results-{}.{}", *id, format), std::move(produce));
}

// Files with other columns, or of another format, are a sheet each: under one header they could not be imported again.
awaitable<void> result_routes::rejects(request& x, const path_values& v) {
    const auto id = parse_job(v.at(0));
    const auto sheet = parse_number<std::size_t>(x.head().parameter("sheet").value_or("1"));
    const auto configuration = parts_.configuration.get();
    const auto path = configuration->settings.ledger.path;
    std::string extension;
    auto look = [&]() -> std::optional<response> {
        if (!id) return no_such_job(v.at(0));
        auto book = ledger::open_ledger(path);
        if (!book) return problem_of(book.error());
        const auto job = (*book)->job(*id);
        if (!job) return problem_of(job.error());
        const report::rejects_writer writer(job->file_notes);
        const auto sheets = std::max<std::size_t>(writer.sheets(), 1);
        if (!sheet || *sheet == 0 || *sheet > sheets)
            return bad_parameter("sheet", fmt::format("must be a number from 1 to {}: the input's files have so many "
                                                      "different sets of columns",
                                                      sheets));
        if (writer.sheets() != 0) extension = writer.extension(*sheet - 1);
        return std::nullopt;
    };
    auto refused = co_await parts_.readers.run(look);
    if (refused) {
        co_await x.reply(std::move(*refused));
        co_return;
    }
    producer produce = [id, path, wanted = *sheet - 1](const std::function<bool(std::string)>& push) -> result<void> {
        auto book = ledger::open_ledger(path);
        if (!book) return book.error();
        const auto job = (*book)->job(*id);
        if (!job) return job.error();
        report::rejects_writer writer(job->file_notes);
        std::string block;
        bool read_on = true;
        auto read = (*book)->each_reject(*id, [&](const core::rejected_row& row) {
            if (writer.sheet_of(row) == wanted) writer.record(block, row);
            if (block.size() >= block_size) read_on = push(std::exchange(block, {}));
            return read_on;
        });
        if (!read) return read.error();
        if (read_on) push(std::move(block));
        return {};
    };
    co_await stream(x, "application/octet-stream", fmt::format("rejects-{}{}", *id, extension), std::move(produce));
}

// They lie in the import's folder. What is open stays readable when the folder is moved or the file is written anew.
awaitable<void> result_routes::rejects_of_import(request& x, const path_values& v) {
    const std::string& id = v.at(0);
    std::string name;
    auto file = std::make_shared<core::owned_fd>();
    auto look = [&]() -> std::optional<response> {
        const auto item = parts_.store.find(id);
        if (!item) return problem_of(item.error());
        if (!*item) return no_such_import();
        if ((*item)->place == inbox::item_place::processing)
            return problem(
                409, "import-not-finished", "The import is not finished",
                "Its rejects are there when it lies in done/ or failed/; those of its job, where it has one, "
                "from /v1/jobs/{job}/rejects.");
        for (const char* candidate : {"rejects.csv", "rejects.jsonl"}) {
            const auto path = (*item)->folder + "/" + candidate;
            if (!inbox::is_regular(path)) continue;
            *file = core::owned_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
            if (!*file) return problem_of(inbox::open_failure("cannot read", path, errno));
            name = candidate;
            return std::nullopt;
        }
        return problem(404, "no-rejects", "The import has no rejected records",
                       "GET /v1/imports/{import} says why it failed, where it did.");
    };
    auto refused = co_await parts_.readers.run(look);
    if (refused) {
        co_await x.reply(std::move(*refused));
        co_return;
    }
    producer produce = [file, id](const std::function<bool(std::string)>& push) -> result<void> {
        while (true) {
            std::string block(block_size, '\0');
            const auto got = ::read(file->get(), block.data(), block.size());
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return inbox::file_failure("cannot read the rejects of", id, errno);
            block.resize(static_cast<std::size_t>(got));
            if (block.empty() || !push(std::move(block))) return {};
        }
    };
    co_await stream(x, "application/octet-stream", name, std::move(produce));
}

}  // namespace taskbarge::service
