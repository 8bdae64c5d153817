// What the parts of the service that work need around them: folders, a ledger in a file, settings that reach nobody.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "service/current_configuration.hpp"
#include "service/work/board.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::service {

// What the service told, for tests that wait for it. Bounded: a test that waits in vain fails.
class told_events {
 public:
    void add(const std::string& type, const std::string& json) {
        {
            const std::lock_guard lock(mutex_);
            events_.push_back(type + " " + json);
        }
        changed_.notify_all();
    }
    std::size_t count(const std::string& part) const {
        const std::lock_guard lock(mutex_);
        return count_held(part);
    }
    bool wait_for(const std::string& part, std::size_t times = 1) const {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return count_held(part) >= times; });
    }

 private:
    std::size_t count_held(const std::string& part) const {
        std::size_t n = 0;
        for (const auto& e : events_)
            n += e.find(part) != std::string::npos ? 1 : 0;
        return n;
    }
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::vector<std::string> events_;
};

class Workplace : public ::testing::Test {
 protected:
    Workplace()
        : folder_(::testing::TempDir() + "workplace-" + std::to_string(::getpid()) + "-" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name()),
          configuration(first()) {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
    }
    ~Workplace() override { std::filesystem::remove_all(folder_); }

    std::string path(const std::string& inside) const { return folder_ + "/" + inside; }
    std::string ledger_path() const { return path("ledger.db"); }
    std::unique_ptr<ledger::ledger> book() const { return ledger::open_ledger(ledger_path()).value(); }

    // A committed job of one row that nobody holds.
    core::job_id plan(const std::string& sha256 = "cafe", const std::string& team = "default") const {
        const auto book_of = book();
        const auto url = configuration.get()->settings.apollo.base_url;
        auto begun = book_of->begin_plan({"a.csv"}, 100, url, team, core::system_clock().now()).value();
        const auto job = begun.first;
        core::task_details details;
        details.user_id = "66302798d03b9601c7934ebf";
        details.due_at = core::instant(std::chrono::hours(24 * 20600));
        book_of->add_group(job, 1, details.view()).value();
        core::planned_chunk chunk;
        chunk.group = 1;
        chunk.contacts.rows.push_back(1);
        chunk.contacts.lines.push_back(2);
        chunk.contacts.contact_ids.push_back("000000000000000000000001");
        book_of->add_chunk(job, chunk).value();
        book_of->set_files(job, {{1, "csv", "contact_id"}}).value();
        book_of->commit_plan(job, {url, team, sha256, 1, "settings", ""}, {1, 0}, std::nullopt, {}).value();
        return job;
    }

    void delete_ledger() const {
        for (const auto& e : std::filesystem::directory_iterator(folder_))
            if (e.path().filename().string().starts_with("ledger.db")) std::filesystem::remove(e.path());
    }

    // The settings of the service, changed.
    template <class Change>
    void change(Change how) {
        auto next = *configuration.get();
        how(next.settings);
        configuration.set(std::move(next));
    }

 private:
    service::configuration first() const {
        service::configuration c;
        c.key = core::secret("a-key");
        c.settings.ledger.path = folder_ + "/ledger.db";
        c.settings.serve.inbox = folder_ + "/inbox";
        c.settings.serve.poll = std::chrono::milliseconds(20);
        c.settings.apollo.base_url = "https://127.0.0.1:1/api/v1";  // where nobody listens
        c.settings.send.max_wait = std::chrono::milliseconds(10);
        c.settings.send.backoff_base = c.settings.send.backoff_cap = std::chrono::milliseconds(1);
        c.settings.log.level = core::log_level::error;
        return c;
    }
    std::string folder_;

 protected:
    current_configuration configuration;
    told_events told;

 private:
    log log_{configuration.get()->settings.log};
    metrics metrics_{"0"};

 protected:
    board runs{log_, metrics_,
               [this](const std::string& type, core::job_id, const std::string& json) { told.add(type, json); }};
};

}  // namespace taskbarge::service
