#include "service/inbox/folder_watch.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "service/inbox/arrivals.hpp"
#include "service/inbox/files.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::service::inbox {

namespace {

using clock = std::chrono::steady_clock;
using core::result;

// While a thousand files come in one after the other, each would be a reason to look at all of them.
constexpr std::chrono::milliseconds between_looks{20};
// However many they are, looking takes no more than one part in so many of a processor's time.
constexpr int rest_per_look = 9;
// Before it is asked again whether there is room for more.
constexpr std::chrono::milliseconds crowded_pause{50};

constexpr std::uint32_t hints = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO;
constexpr std::uint32_t folder_gone = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED;

struct folder_identity {
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const folder_identity&, const folder_identity&) = default;
};

// The kernel's hints about one folder. Whatever goes wrong with them, they end, and are asked for again.
class folder_hints {
 public:
    bool are_on() const { return on_; }
    int fd() const { return fd_.get(); }

    // Follows the folder that stands at the path now.
    void keep_on(const std::string& folder, folder_identity now) {
        if (on_ && now == watched_) return;
        stop();
        core::owned_fd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
        if (!fd || ::inotify_add_watch(fd.get(), folder.c_str(), hints | folder_gone | IN_ONLYDIR) < 0) return;
        fd_ = std::move(fd);
        watched_ = now;
        on_ = true;
    }

    void stop() {
        fd_ = core::owned_fd();
        on_ = false;
    }

    // Reads all that is waiting.
    template <class MovedIn>
    void drain(MovedIn moved_in) {
        alignas(inotify_event) std::array<char, 64 * 1024> buffer;
        while (on_) {
            const auto n = ::read(fd_.get(), buffer.data(), buffer.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && errno == EAGAIN) return;
            if (n <= 0) return stop();
            for (const char* at = buffer.data(); at < buffer.data() + n;) {
                const auto* event = reinterpret_cast<const inotify_event*>(at);
                if ((event->mask & IN_MOVED_TO) != 0 && event->len > 0) moved_in(std::string(event->name));
                // An overflow needs nothing: the look that follows sees what was lost.
                if ((event->mask & folder_gone) != 0) return stop();
                at += sizeof(inotify_event) + event->len;
            }
        }
    }

 private:
    core::owned_fd fd_;
    folder_identity watched_;
    bool on_ = false;
};

using folder_files = std::map<std::string, file_state>;

core::failure unreadable(const std::string& folder, int error) {
    return {core::errc::io, fmt::format("cannot read the inbox {}: {}", core::printable(folder), std::strerror(error))};
}

result<folder_files> look_at_all(const std::string& folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), ::closedir);
    if (!dir) return unreadable(folder, errno);
    folder_files out;
    errno = 0;
    for (; const dirent* entry = ::readdir(dir.get()); errno = 0) {
        if (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN) continue;
        const std::string name = entry->d_name;
        struct stat what {};
        if (!is_input_name(name)) continue;
        // Gone since: no failure, and no file.
        if (::fstatat(::dirfd(dir.get()), name.c_str(), &what, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!S_ISREG(what.st_mode)) continue;
        out[name] = state_of(what);
    }
    if (errno != 0) return unreadable(folder, errno);
    return out;
}

class watch_thread final : public folder_watch {
 public:
    watch_thread(watch_options options, std::function<bool(const std::string&)> ready,
                 std::function<void(const std::string&)> trouble, core::owned_fd wake)
        : options_(std::move(options)),
          ready_(std::move(ready)),
          trouble_(std::move(trouble)),
          wake_(std::move(wake)),
          arrivals_(options_.settle) {
        if (options_.use_inotify) follow_folder();
        thread_ = std::thread([this] { run(); });
    }

    ~watch_thread() override {
        stopping_ = true;
        const std::uint64_t one = 1;
        // Can only fail when the counter is full, and then it wakes as well.
        (void)!::write(wake_.get(), &one, sizeof one);
        thread_.join();
    }

    bool by_inotify() const override { return by_inotify_; }

 private:
    void run() {
        while (!stopping_) {
            const auto began = clock::now();
            look();
            const auto rest = rest_per_look * (clock::now() - began);
            offer();
            const auto pause = std::clamp<clock::duration>(rest, between_looks, std::max(between_looks, options_.poll));
            if (!sleep_until(began + pause, false)) continue;
            auto next = in_trouble_ ? clock::time_point::max() : arrivals_.next(clock::now());
            if (crowded_) next = std::max(next, clock::now() + crowded_pause);
            sleep_until(std::min(began + options_.poll, next), true);
        }
    }

    void follow_folder() {
        struct stat now {};
        if (::stat(options_.folder.c_str(), &now) == 0) {
            hints_.keep_on(options_.folder, {now.st_dev, now.st_ino});
        } else {
            hints_.stop();
        }
        by_inotify_ = hints_.are_on();
    }

    // Hints first, then the folder: what comes in between is met again at the next look.
    void look() {
        hints_.drain([this](const std::string& name) {
            if (is_input_name(name)) arrivals_.moved_in(name);
        });
        if (options_.use_inotify) follow_folder();
        auto files = look_at_all(options_.folder);
        if (files) {
            in_trouble_ = false;
            arrivals_.seen(*files, clock::now());
            return;
        }
        if (!std::exchange(in_trouble_, true)) trouble_(files.error().text);
    }

    void offer() {
        crowded_ = false;
        if (in_trouble_) return;
        for (const auto& name : arrivals_.ready(clock::now())) {
            if (stopping_) return;
            crowded_ = options_.has_room && !options_.has_room();
            if (crowded_) return;
            // Taken or not, it is asked again no sooner than this: if it was taken it is gone by then.
            (void)ready_(name);
            arrivals_.put_off(name, clock::now());
        }
    }

    // False: woken before.
    bool sleep_until(clock::time_point until, bool wake_by_hints) {
        std::array<pollfd, 2> wakers{pollfd{wake_.get(), POLLIN, 0}, pollfd{hints_.fd(), POLLIN, 0}};
        const nfds_t count = wake_by_hints && hints_.are_on() ? 2 : 1;
        while (!stopping_) {
            const auto left = std::max<std::chrono::nanoseconds>(until - clock::now(), std::chrono::nanoseconds(0));
            const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
            timespec span{};
            span.tv_sec = seconds.count();
            span.tv_nsec = (left - seconds).count();
            const int n = ::ppoll(wakers.data(), count, &span, nullptr);
            if (n == 0) return true;
            if (n > 0) return false;
            if (errno != EINTR) return true;
        }
        return false;
    }

    watch_options options_;
    std::function<bool(const std::string&)> ready_;
    std::function<void(const std::string&)> trouble_;
    core::owned_fd wake_;
    arrivals arrivals_;
    folder_hints hints_;
    bool in_trouble_ = false;
    bool crowded_ = false;  // files that are ready were not offered
    std::atomic<bool> by_inotify_{false};
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace

result<std::unique_ptr<folder_watch>> folder_watch::start(watch_options options,
                                                          std::function<bool(const std::string& name)> ready,
                                                          std::function<void(const std::string& why)> trouble) {
    if (auto found = look_at_all(options.folder); !found)
        return core::failure{core::errc::settings, "serve.inbox: " + found.error().text};
    core::owned_fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake) return core::failure{core::errc::io, fmt::format("cannot watch the inbox: {}", std::strerror(errno))};
    return std::unique_ptr<folder_watch>(
        std::make_unique<watch_thread>(std::move(options), std::move(ready), std::move(trouble), std::move(wake)));
}

}  // namespace taskbarge::service::inbox
