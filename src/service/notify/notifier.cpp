#include "service/notify/notifier.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "service/notify/courier.hpp"
#include "taskbarge/client/apollo_client.hpp"
#include "taskbarge/client/webhook.hpp"

namespace taskbarge::service::notify {

namespace {

std::map<std::string, std::string> proxy_environment() {
    std::map<std::string, std::string> out;
    for (const char* name : {"https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"})
        if (const char* const value = std::getenv(name)) out.emplace(name, value);
    return out;
}

delivery judge(const client::exchange& x) {
    if (x.reach != client::reach::answered) return {false, true, x.error_text};
    constexpr int timed_out = 408, too_early = 425, too_many = 429;
    const int kind = x.status / 100;
    const std::string what = std::to_string(x.status);
    if (kind == 2) return {true, false, what};
    if (kind == 3) return {false, true, what + ", and redirects are not followed"};
    const bool for_now = x.status == timed_out || x.status == too_early || x.status == too_many;
    return {false, kind != 4 || for_now, what};
}

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

std::string signature(const core::secret& key, core::instant at, std::string_view body) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    const std::string text = fmt::format("{}.{}", seconds, body);
    const std::string& k = key.reveal();
    std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
    std::size_t length = 0;
    if (EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, k.data(), k.size(),
                  reinterpret_cast<const unsigned char*>(text.data()), text.size(), code.data(), code.size(),
                  &length) == nullptr)
        throw std::runtime_error("HMAC-SHA256 is not available");
    std::string out = fmt::format("t={},v1=", seconds);
    for (std::size_t i = 0; i < length; ++i)
        out += fmt::format("{:02x}", code.at(i));
    return out;
}

poster make_poster(const core::notify_settings& settings) {
    client::webhook to;
    to.ca_file = settings.ca_file;
    to.proxy = client::proxy_for(settings.url, proxy_environment());
    return [to](const posting& p) mutable -> delivery {
        to.url = p.url;
        client::header_fields headers{{"X-Taskbarge-Id", p.id}, {"X-Taskbarge-Event", p.event}};
        if (!p.signature.empty()) headers.emplace_back("X-Taskbarge-Signature", p.signature);
        const auto answer = client::post(to, headers, p.body);
        // A file of certificates that is not there now may be there later.
        if (!answer) return {false, true, answer.error().text};
        return judge(*answer);
    };
}

core::result<std::unique_ptr<notifier>> notifier::start(options o) {
    auto made = courier::make(std::move(o));
    if (!made) return made.error();
    return std::make_unique<threaded_notifier>(std::move(*made));
}

}  // namespace taskbarge::service::notify
