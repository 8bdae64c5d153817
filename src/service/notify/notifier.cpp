#include "service/notify/notifier.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "service/notify/courier.hpp"

namespace taskbarge::service::notify {

namespace {

class threaded_notifier final : public notifier {
 public:
    explicit threaded_notifier(std::unique_ptr<courier> c) : courier_(std::move(c)), thread_([this] { run(); }) {}
    threaded_notifier(const threaded_notifier&) = delete;
    threaded_notifier& operator=(const threaded_notifier&) = delete;
    ~threaded_notifier() override {
        wake(stopping_);
        thread_.join();
    }

    core::result<void> tell(const std::string& id, std::string_view event, const std::string& body) override {
        auto told = courier_->tell(id, event, body);
        if (told) wake(rung_);
        return told;
    }
    std::size_t waiting() const override { return courier_->waiting(); }

 private:
    void wake(bool& why) {
        {
            const std::lock_guard lock(mutex_);
            why = true;
        }
        wake_.notify_one();
    }

    void run() {
        for (;;) {
            {
                const std::lock_guard lock(mutex_);
                if (stopping_) return;
                rung_ = false;  // before the look: what is told after it rings again
            }
            const auto idle = courier_->work();
            std::unique_lock lock(mutex_);
            const auto called = [this] { return stopping_ || rung_; };
            if (idle) {
                wake_.wait_for(lock, *idle, called);
            } else {
                wake_.wait(lock, called);
            }
        }
    }

    std::unique_ptr<courier> courier_;
    std::mutex mutex_;  // for what follows
    std::condition_variable wake_;
    bool stopping_ = false, rung_ = false;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace

core::result<std::unique_ptr<notifier>> notifier::start(options o) {
    auto made = courier::make(std::move(o));
    if (!made) return made.error();
    return std::make_unique<threaded_notifier>(std::move(*made));
}

}  // namespace taskbarge::service::notify
