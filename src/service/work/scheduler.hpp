// Brings the ledger's jobs as far as they go: one after the other, oldest first, since they share their team's windows.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "service/current_configuration.hpp"
#include "service/work/board.hpp"
#include "service/work/kept_ledger.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/job/report.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::service {

enum class job_command : std::uint8_t { pause, resume, retry, retry_unknown, verify, cancel };
std::string_view to_string(job_command c);

// Whether a job may go on, and if not, from when it may. Plain; what the scheduler remembers of runs that ended.
class run_memory {
 public:
    using time = std::chrono::steady_clock::time_point;
    // A run ended: `why` as its report says, nothing when the job is finished.
    void ended(core::job_id job, const std::optional<core::failure>& why, bool resumes_by_itself, time now);
    // A person says that the job may go on: why it could not is mended.
    void released(core::job_id job);
    // What waited for a person is tried again.
    void forget_refusals();
    bool may_go(core::job_id job, time now) const;
    // The earliest moment at which one of those that wait may go; nothing: none waits for a time.
    std::optional<time> next(time now) const;
    // Why nothing at all can be sent until a person has mended it.
    std::optional<core::failure> blocked() const { return blocked_; }

 private:
    struct wait {
        time until{};
        std::uint32_t failures = 0;
    };
    std::map<core::job_id, wait> jobs_;
    wait all_;
    std::set<core::job_id> need_a_person_;
    std::optional<core::failure> blocked_;
};

class scheduler {
 public:
    struct parts {
        current_configuration& configuration;
        const core::clock& clock;
        board& runs;
        std::uint64_t seed = 0;
        // Told when a job has come to its end, on the thread that worked on it.
        std::function<void(core::job_id)> finished;
        // Told of each end of a run that somebody may want to hear of: completed, parked, failed.
        std::function<void(std::string_view event, const job::report& r)> notify;
        // Told before a job is worked on.
        std::function<void(core::job_id)> begun;
    };
    explicit scheduler(parts p);
    ~scheduler();  // closes

    void start();
    // Something may be ready to go. Any thread.
    void wake();
    // The settings are new: what waited for a person is tried again. Any thread.
    void reloaded();
    // Does what a person asked for, and gives the job as it is then. Blocks, for as long as the command takes: a pause
    // and a cancel wait for the requests in flight. Any thread.
    job::report command(core::job_id job, job_command what);
    // First: no new request, those in flight are awaited. Second: at once. Does not wait; close() does.
    void stop();
    // stop(), and waits for the run under way. Commands are awaited by those who gave them.
    void close();

    std::optional<core::failure> blocked() const;
    // The job as it stands. Any thread.
    job::report report_of(core::job_id job) const;

 private:
    // A run or a command under way, which stop() and other commands can ask to end. Several may be of one job: all but
    // one find it held.
    struct active {
        core::job_id job = 0;
        job::stop_control control;
    };
    using active_ptr = std::shared_ptr<active>;
    struct choice {
        active_ptr run;
        configuration_ptr configuration;  // whose base URL and team the job's are
    };

    void loop();
    ledger::ledger* open_book(const std::string& path);
    std::optional<choice> choose(std::optional<run_memory::time>& until);
    std::optional<choice> choose_from_list(ledger::ledger& book, const configuration_ptr& c,
                                           std::optional<run_memory::time>& until);
    bool list_jobs(ledger::ledger& book);
    void tell_ledger_trouble(const core::failure& why);
    void run(const choice& chosen);
    active_ptr begin(core::job_id job);  // with the mutex held
    job::report with_run(const active_ptr& one, const configuration& c, ledger::ledger* book,
                         const std::function<job::report(const job::environment&)>& work);
    void after(core::job_id job, const job::report& r);
    void interrupt_runs_of(core::job_id job);
    std::optional<core::failure> refusal_of(core::job_id job, job_command what, const configuration& c) const;

    parts parts_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false, awake_ = true;
    bool list_is_old_ = true;  // an older job than those that are left in the list may go by now
    std::uint64_t runs_made_ = 0;
    run_memory memory_;
    std::multiset<core::job_id> reserved_;  // a command works on it
    std::list<active_ptr> active_;
    // The loop's own. The list of unfinished jobs is gone through before it is read again: with thousands of them each
    // run would begin with a look at all.
    kept_ledger book_;
    std::vector<ledger::unfinished_job> list_;
    std::size_t next_in_list_ = 0;
    run_memory::time listed_at_{};
    bool ledger_trouble_ = false;
    std::thread thread_;
};

}  // namespace taskbarge::service
