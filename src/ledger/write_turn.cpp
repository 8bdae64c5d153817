#include "ledger/write_turn.hpp"

#include <chrono>
#include <condition_variable>
#include <list>
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
    std::list<const write_turn*> waiting;  // first come, first served
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
    auto& waiting = queue_->waiting;
    waiting.push_back(this);
    has_ = queue_->free.wait_for(lock, patience, [&] { return !queue_->taken && waiting.front() == this; });
    waiting.remove(this);
    if (has_)
        queue_->taken = true;
    else
        queue_->free.notify_all();  // who came next may be the first now
}

std::size_t write_turn::waiting() const {
    const std::lock_guard lock(queue_->mutex);
    return queue_->waiting.size();
}

void write_turn::give_back() noexcept {
    if (!has_) return;
    has_ = false;
    {
        const std::lock_guard lock(queue_->mutex);
        queue_->taken = false;
    }
    queue_->free.notify_all();
}

}  // namespace taskbarge::ledger
