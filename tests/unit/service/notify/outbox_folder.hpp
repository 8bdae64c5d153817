// A folder for outboxes, gone at the end, and options whose poster follows a script.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "service/notify/notifier.hpp"
#include "support/manual_clock.hpp"

namespace taskbarge::service::notify {

using notification::signature;

class outbox_fixture : public ::testing::Test {
 protected:
    outbox_fixture() {
        std::string name = (std::filesystem::temp_directory_path() / "outbox-test-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
        root_ = name;
        box_ = root_ / "outbox";
    }
    ~outbox_fixture() override {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }

    std::vector<std::filesystem::path> files() const {
        std::vector<std::filesystem::path> out;
        for (const auto& entry : std::filesystem::directory_iterator(box_))
            out.push_back(entry.path());
        return out;
    }

    // What was posted, in order.
    std::vector<std::string> posted() const {
        const std::lock_guard lock(mutex_);
        return posted_;
    }
    // "outcome id: text", in order.
    std::vector<std::string> notes() const {
        const std::lock_guard lock(mutex_);
        return notes_;
    }
    // How tries end from now on.
    void answer(delivery d) {
        const std::lock_guard lock(mutex_);
        answer_ = std::move(d);
    }

    notifier::options options() {
        notifier::options o;
        o.settings.url = "https://example.com/hook";
        o.folder = box_.string();
        o.clock = &clock_;
        o.post = [this](const posting& p) {
            const std::lock_guard lock(mutex_);
            posted_.push_back(p.id);
            last_ = p;
            return answer_;
        };
        o.note = [this](std::string_view outcome, const std::string& id, const std::string& text) {
            const std::lock_guard lock(mutex_);
            notes_.push_back(std::string(outcome) + " " + id + ": " + text);
        };
        return o;
    }

    testing::manual_clock clock_;
    std::filesystem::path root_, box_;
    mutable std::mutex mutex_;
    posting last_;

 private:
    std::vector<std::string> posted_, notes_;
    delivery answer_{true, false, "204"};
};

}  // namespace taskbarge::service::notify
