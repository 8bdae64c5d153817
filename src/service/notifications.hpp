// What the service tells of jobs and inputs to those outside, by the settings in force.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "service/current_configuration.hpp"
#include "service/inbox/item.hpp"
#include "service/notify/notifier.hpp"
#include "service/telemetry/log.hpp"
#include "service/telemetry/metrics.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/job/report.hpp"

namespace taskbarge::service {

// Any thread.
class notifications {
 public:
    struct parts {
        current_configuration& configuration;
        const core::clock& clock;
        log& lines;
        metrics& counts;
    };
    explicit notifications(parts p) : parts_(p) {}

    // Begins, or begins again with other settings, for which it waits for the one under way; what is told meanwhile
    // waits. The outbox lies in the inbox's root. errc::settings: it cannot be used.
    core::result<void> open(const std::string& root);
    // Ends with the one under way: what is told from then on is not kept.
    void close();

    // `event`: completed, parked, failed. A job's end has the same id whenever it is told: a receiver drops what it has
    // seen. Any other end of a run has one of its own.
    void job_ended(std::string_view event, const job::report& r);
    void job_begun(core::job_id job);
    void import_failed(const inbox::item& item, const core::failure& why);
    // How many are still to be told.
    std::size_t waiting();

 private:
    void tell(std::string_view event, const std::string& id, const job::report& r, const std::string& import,
              core::instant now);
    void hand_over(const std::string& id, std::string_view event, const std::string& body);

    parts parts_;
    std::mutex mutex_;
    std::unique_ptr<notify::notifier> notifier_;  // none: the settings want none
};

}  // namespace taskbarge::service
