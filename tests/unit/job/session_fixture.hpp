// A session with a ledger in memory and an Apollo in memory, for the parts of the job module that talk to both.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "job/ledger_writer.hpp"
#include "job/session.hpp"
#include "support/fake_apollo.hpp"
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
        std::optional<T> out;
        std::exception_ptr error;
        {
            boost::asio::io_context loop(1);
            ledger_writer writer(book(), loop.get_executor());
            session s(env, loop.get_executor(), writer, apollo);
            auto work = [&]() -> boost::asio::awaitable<void> { out.emplace(co_await make(s)); };
            boost::asio::co_spawn(loop, work(), [&](std::exception_ptr e) { error = e; });
            loop.run();
        }
        if (error) std::rethrow_exception(error);
        return std::move(*out);
    }

    // A committed job whose groups are the details given, each with its contacts, cut into chunks of `chunk_size`.
    // Held by this test.
    core::job_id plan(const std::vector<std::pair<core::task_details, std::vector<std::string>>>& groups,
                      std::uint32_t chunk_size = 100) {
        const auto& a = settings.apollo;
        auto begun = book().begin_plan({"a.csv"}, chunk_size, a.base_url, a.team, core::system_clock().now()).value();
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
        const auto attempt = book().record_intent({chunk.id, core::system_clock().now(), std::nullopt}).value();
        ledger::chunk_update update;
        update.chunk = chunk.id;
        update.state = core::chunk_state::created;
        update.attempts = 1;
        for (std::uint32_t i = 0; i < chunk.contacts.size(); ++i)
            update.created.emplace_back(i,
                                        apollo.add(task_for(chunk, i, "", core::system_clock().now() + apollo.skew)));
        update.settled_at = core::system_clock().now();
        ledger::attempt_report report;
        report.attempt = attempt;
        report.what = ledger::attempt_result::succeeded;
        report.finished_at = core::system_clock().now();
        book().record_report(report, true).value();
        book().update_chunk(update).value();
    }

    std::vector<ledger::chunk_record> planned(core::job_id job) {
        return book().chunks(job, core::chunk_state::planned, 0, 1000).value();
    }

    core::settings settings;
    core::secret key{"test-key"};
    stop_control stop;
    notes watch;
    environment env{settings, key, core::system_clock(), stop, watch, 7};
    testing::fake_apollo apollo{core::system_clock()};

 private:
    std::unique_ptr<ledger::ledger> ledger_ = ledger::open_ledger(":memory:").value();
    std::unique_ptr<ledger::job_lock> lock_;
};

}  // namespace taskbarge::job
