#include "reader/digest.hpp"

#include <utility>

#include "taskbarge/core/text.hpp"

namespace taskbarge::reader {

input_digest_builder::~input_digest_builder() {
    if (!worker_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    worker_.join();
}

void input_digest_builder::add(const char* data, std::size_t size) {
    settle();
    digest_.add({data, size});
}

void input_digest_builder::add_beside(const char* data, std::size_t size, std::shared_ptr<const char[]> keep) {
    constexpr std::size_t worth_it = 64 << 10;  // hashed in some 40 us, a few times what waking a thread takes
    if (size < worth_it) return add(data, size);
    if (!worker_.joinable()) worker_ = std::thread([this] { work(); });
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return waiting_.size() < most_waiting; });
        waiting_.push_back({data, size, std::move(keep)});
    }
    changed_.notify_all();
}

void input_digest_builder::settle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_.empty(); });
}

std::string input_digest_builder::hex() {
    settle();
    return core::hex(digest_.digest());
}

void input_digest_builder::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return !waiting_.empty() || stop_; });
        if (stop_) return;
        const piece& next = waiting_.front();  // stays where it is while others are added
        // Nobody else touches the digest while there is work, so the lock need not be held.
        lock.unlock();
        digest_.add({next.data, next.size});
        lock.lock();
        waiting_.pop_front();
        changed_.notify_all();
    }
}

}  // namespace taskbarge::reader
