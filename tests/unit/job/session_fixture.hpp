// A session with a ledger in memory, an Apollo in memory and a time that passes when nothing else is to do, for the
// parts of the job module that talk to both.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "job/online/ledger_writer.hpp"
#include "job/online/session.hpp"
#include "support/fake_apollo.hpp"
#include "support/manual_clock.hpp"
#include "support/manual_waits.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/job/report.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "unit/job/job_samples.hpp"

namespace taskbarge::job {

// Keeps what it is told.
class notes : public observer {
 public:
    void on_progress(const progress& p) override { last = p; }
    void on_notice(const std::string& line) override { lines.push_back(line); }
    progress last;
    std::vector<std::string> lines;
};

class SessionFixture : public ::testing::Test {
 protected:
    SessionFixture() {
        settings.apollo.base_url = "https://apollo.example/api/v1";
        settings.send.settle_time = std::chrono::milliseconds(30);
        settings.send.backoff_base = settings.send.backoff_cap = std::chrono::milliseconds(5);
    }

    ledger::ledger& book() { return *ledger_; }

    // Runs a coroutine that is made with the session, to its end.
    template <class T, class Make>
    T run(Make make) {
        return run_with<T>(env, make);
    }
    template <class T, class Make>
    T run_with(const environment& environs, Make make) {
        std::optional<T> out;
        std::exception_ptr error;
        {
            boost::asio::io_context loop(1);
            ledger_writer writer(book(), loop.get_executor());
            session s(environs, loop.get_executor(), writer, apollo);
            auto work = [&]() -> boost::asio::awaitable<void> { out.emplace(co_await make(s)); };
            bool ended = false;
            boost::asio::co_spawn(loop, work(), [&](std::exception_ptr e) {
                error = e;
                ended = true;
            });
            step_to_end(loop, writer, ended);
        }
        waits.forget();
        if (error) std::rethrow_exception(error);
        return std::move(*out);
    }

    // Does what there is to do, and lets time pass only when there is nothing.
    void step_to_end(boost::asio::io_context& loop, const ledger_writer& writer, const bool& ended) {
        constexpr std::size_t most_waits = 100'000;
        while (!ended && waits.ended() < most_waits) {
            if (loop.poll() > 0) continue;
            // In this order: what the ledger's thread has done is a handler of the loop when it is idle.
            const bool idle = writer.idle();
            if (loop.poll() > 0) continue;
            if (idle && on_idle) on_idle();
            // The ledger's thread, or what else is real, takes a moment.
            if (!idle || !waits.end_next()) loop.run_one_for(std::chrono::milliseconds(1));
        }
        if (!ended) throw std::runtime_error("the run waits for ever");
        loop.poll();
    }

    // A committed job whose groups are the details given, each with its contacts, cut into chunks of `chunk_size`.
    // Held by this test.
    core::job_id plan(const std::vector<std::pair<core::task_details, std::vector<std::string>>>& groups,
                      std::uint32_t chunk_size = 100) {
        const auto& a = settings.apollo;
        auto begun = book().begin_plan({"a.csv"}, chunk_size, a.base_url, a.team, clock.now()).value();
        const auto job = begun.first;
        lock_ = std::move(begun.second);
        core::row_number row = 0;
        core::group_number number = 0;
        for (const auto& [details, contacts] : groups) {
            book().add_group(job, ++number, details.view()).value();
            core::planned_chunk chunk;
            chunk.group = number;
            for (std::size_t i = 0; i < contacts.size(); ++i) {
                chunk.contacts.rows.push_back(++row);
                chunk.contacts.lines.push_back(row + 1);
                chunk.contacts.contact_ids.push_back(contacts[i]);
                if (chunk.contacts.size() < chunk_size && i + 1 < contacts.size()) continue;
                book().add_chunk(job, chunk).value();
                ++chunk.part;
                chunk.contacts = {};
            }
        }
        book().set_files(job, {{1, "csv", "contact_id"}}).value();
        const ledger::job_identity identity{a.base_url, a.team, "hash " + std::to_string(job), 1, "settings", ""};
        book().commit_plan(job, identity, {row, 0}, std::nullopt, {}).value();
        return job;
    }

    // As if an earlier run had created the chunk's tasks, and Apollo lists them.
    void have_created(const ledger::chunk_record& chunk) {
        const auto attempt = book().record_intent({chunk.id, clock.now(), std::nullopt}).value();
        ledger::chunk_update update;
        update.chunk = chunk.id;
        update.state = core::chunk_state::created;
        update.attempts = 1;
        for (std::uint32_t i = 0; i < chunk.contacts.size(); ++i)
            update.created.emplace_back(i, apollo.add(task_for(chunk, i, "", clock.now() + apollo.skew)));
        update.settled_at = clock.now();
        ledger::attempt_report report;
        report.attempt = attempt;
        report.what = ledger::attempt_result::succeeded;
        report.finished_at = clock.now();
        book().record_report(report, true).value();
        book().update_chunk(update).value();
    }

    std::vector<ledger::chunk_record> planned(core::job_id job) {
        return book().chunks(job, core::chunk_state::planned, 0, 1000).value();
    }

    testing::manual_clock clock;
    testing::manual_waits waits{clock};
    std::function<void()> on_idle;  // before time passes
    core::settings settings;
    core::secret key{"test-key"};
    stop_control stop;
    notes watch;
    environment env{settings, key, clock, stop, watch, 7, nullptr, true, true, waits};
    testing::fake_apollo apollo{clock};

 private:
    std::unique_ptr<ledger::ledger> ledger_ = ledger::open_ledger(":memory:").value();
    std::unique_ptr<ledger::job_lock> lock_;
};

}  // namespace taskbarge::job
