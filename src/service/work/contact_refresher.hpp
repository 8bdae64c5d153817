// Keeps what the ledger knows of Apollo's contacts fresh, so that a file which names them by their e-mails finds them
// known. One refresh at a time, on a thread of its own: nothing waits for it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "service/current_configuration.hpp"
#include "service/work/board.hpp"
#include "service/work/kept_ledger.hpp"
#include "taskbarge/job/contacts.hpp"

namespace taskbarge::service {

// When the next refresh is due by the settings, and of what. Plain.
struct due_refresh {
    core::instant at{};
    bool all = false;  // the whole list, not only what has changed
};
// Nothing: none is, since contacts.refresh is 0.
std::optional<due_refresh> due_refresh_of(const job::contacts_status& known, const core::contact_settings& settings,
                                          core::instant now);

class contact_refresher {
 public:
    struct parts {
        current_configuration& configuration;
        const core::clock& clock;
        board& runs;
        std::function<job::contacts_report(const job::environment&, bool all)> refresh = job::refresh_contacts;
    };
    explicit contact_refresher(parts p) : parts_(std::move(p)) {}
    ~contact_refresher();  // closes

    void start();
    // A person wants one now. False: one is under way. Any thread.
    bool ask(bool all);
    // The settings are new: what has failed, or waits for a window, is tried again. Any thread.
    void reloaded();
    // The refresh under way is left off, and goes on after the next start. Does not wait; close() does.
    void stop();
    void close();

    struct state {
        enum class kind : std::uint8_t { idle, running, waiting } what = kind::idle;  // waiting: for a rate window
        bool all = false;                       // of the refresh that is under way
        std::optional<core::instant> ended_at;  // of this process's last one
        std::string error;                      // why that one failed; empty: it has not
        std::optional<core::instant> next_at;   // when the next one is due, or goes on; nothing: none is
    };
    // Any thread.
    state now() const;
    // For GET /v1/contacts and the metrics: what the ledger knows. Any thread; blocks.
    core::result<job::contacts_status> known(ledger::ledger& book) const;

    // Does what is due; gives for how long nothing will be, or nothing: until it is asked. For the thread of start().
    std::optional<std::chrono::milliseconds> work();

 private:
    using time = std::chrono::steady_clock::time_point;
    // A refresh that is wanted: it may take several rate windows.
    struct task {
        bool all = false;
        bool asked_for = false;
        std::uint64_t requests = 0;
        bool told_wait = false;
    };

    void loop();
    std::optional<task> choose(const configuration& c, std::optional<std::chrono::milliseconds>& idle);
    job::contacts_report run(const configuration& c, const task& what);
    void ended(const configuration& c, task what, const job::contacts_report& r);
    void failed(const core::failure& why, std::chrono::milliseconds at_least);
    void tell_refreshed(const task& what, const job::contacts_report& r);

    parts parts_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false, called_ = false;
    std::optional<task> wanted_;  // asked for, or left off at a rate window
    bool running_ = false;
    time not_before_{};  // after a failure, and for the window
    std::optional<core::instant> due_at_, ended_at_;
    std::uint32_t failures_ = 0;
    std::string error_;
    // What the log was told, so that it is told once.
    std::optional<core::errc> told_failure_;
    std::string told_gap_;
    job::stop_control stop_;
    kept_ledger book_;  // the thread's own
    std::thread thread_;
};

}  // namespace taskbarge::service
