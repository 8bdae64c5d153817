// The configuration in force, replaced as a whole at a reload.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "taskbarge/service/configuration.hpp"

namespace taskbarge::service {

using configuration_ptr = std::shared_ptr<const configuration>;

// Any thread. What get() gives stays as it is: a run goes on with the settings that it began with.
class current_configuration {
 public:
    explicit current_configuration(configuration first)
        : value_(std::make_shared<const configuration>(std::move(first))) {}
    configuration_ptr get() const {
        const std::lock_guard lock(mutex_);
        return value_;
    }
    void set(configuration next) {
        auto made = std::make_shared<const configuration>(std::move(next));
        const std::lock_guard lock(mutex_);
        value_ = std::move(made);
    }

 private:
    mutable std::mutex mutex_;
    configuration_ptr value_;
};

}  // namespace taskbarge::service
