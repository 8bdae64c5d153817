#include "ledger/write_turn.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

namespace taskbarge::ledger {

namespace {

// Longer than a commit of an ordinary size takes on a slow disk.
constexpr auto patience = std::chrono::milliseconds(100);

}  // namespace

struct write_turn::queue {
    std::mutex mutex;
    std::condition_variable free;
    bool taken = false;

    static std::shared_ptr<queue> of(const std::string& path) {
        static std::mutex all_mutex;
        static std::map<std::string, std::weak_ptr<queue>> all;
        const std::lock_guard lock(all_mutex);
        std::erase_if(all, [](const auto& known) { return known.second.expired(); });
        auto& known = all[path];
        auto out = known.lock();
        if (!out) known = out = std::make_shared<queue>();
        return out;
    }
};

write_turn::write_turn(const std::string& path) : queue_(queue::of(path)) {}

write_turn::~write_turn() {
    give_back();
}

void write_turn::take() {
    std::unique_lock lock(queue_->mutex);
    has_ = queue_->free.wait_for(lock, patience, [this] { return !queue_->taken; });
    if (has_) queue_->taken = true;
}

void write_turn::give_back() noexcept {
    if (!has_) return;
    has_ = false;
    {
        const std::lock_guard lock(queue_->mutex);
        queue_->taken = false;
    }
    queue_->free.notify_one();
}

}  // namespace taskbarge::ledger
