#include "reader/digest.hpp"

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

void input_digest_builder::add_beside(const char* data, std::size_t size) {
    constexpr std::size_t worth_it = 64 << 10;  // hashed in some 40 us, a few times what waking a thread takes
    if (size < worth_it) return add(data, size);
    settle();
    if (!worker_.joinable()) worker_ = std::thread([this] { work(); });
    {
        const std::lock_guard lock(mutex_);
        data_ = data;
        size_ = size;
    }
    changed_.notify_all();
}

void input_digest_builder::settle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return data_ == nullptr; });
}

std::string input_digest_builder::hex() {
    settle();
    return core::hex(digest_.digest());
}

void input_digest_builder::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return data_ != nullptr || stop_; });
        if (data_ == nullptr) return;
        // Others only wait while there is work, so the lock need not be held.
        lock.unlock();
        digest_.add({data_, size_});
        lock.lock();
        data_ = nullptr;
        changed_.notify_all();
    }
}

}  // namespace taskbarge::reader
