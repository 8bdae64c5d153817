#include "service/inbox/draft.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "service/inbox/files.hpp"
#include "service/inbox/item_files.hpp"
#include "service/inbox/item_names.hpp"
#include "service/inbox/places.hpp"
#include "taskbarge/core/fault_point.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::service::inbox {

namespace {

// Process numbers alone do not tell services in different containers apart: whoever meets a name that is there takes
// the next.
std::string next_folder(const std::string& root) {
    static std::atomic<std::uint64_t> counter{0};
    return fmt::format("{}/{}-{}", incoming_path(root), ::getpid(), ++counter);
}
constexpr int most_names = 10'000;

enum class lock_answer { taken, held, broken };

lock_answer try_lock(const core::owned_fd& fd) {
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return lock_answer::taken;
    return errno == EWOULDBLOCK ? lock_answer::held : lock_answer::broken;
}

// Whether the file that we opened is the one that stands at the path now.
bool still_there(const core::owned_fd& fd, const std::string& path) {
    struct stat ours {};
    const auto theirs = look_at(path);
    return ::fstat(fd.get(), &ours) == 0 && theirs && ours.st_ino == theirs->st_ino && ours.st_dev == theirs->st_dev;
}

struct started {
    std::string folder;
    core::owned_fd lock;
};

// Nothing: the name is in use, or a sweep took the folder for a dead one's before it was locked.
core::result<std::optional<started>> start_folder(const std::string& root) {
    started out;
    out.folder = next_folder(root);
    if (::mkdir(out.folder.c_str(), 0700) != 0) {
        if (errno == EEXIST) return std::nullopt;
        if (errno != ENOENT) return file_failure("cannot make the folder", out.folder, errno);
        if (auto ok = make_folder(incoming_path(root)); !ok) return ok.error();
        return std::nullopt;
    }
    if (::chmod(out.folder.c_str(), 0700) != 0 && errno != ENOENT)
        return file_failure("cannot set the rights of", out.folder, errno);
    const auto path = out.folder + "/" + note_file;
    auto lock = create_file(path);
    if (!lock) {
        if (!exists(out.folder)) return std::nullopt;
        ::rmdir(out.folder.c_str());  // why there can be no file is the news
        return lock.error();
    }
    out.lock = std::move(*lock);
    switch (try_lock(out.lock)) {
        case lock_answer::held:
            return std::nullopt;
        case lock_answer::broken:
            return locks_refused(path);
        case lock_answer::taken:
            break;
    }
    if (!still_there(out.lock, path)) return std::nullopt;
    return out;
}

// 128 random bits: unlike those of any other item, also of another inbox on the same ledger.
core::result<std::string> new_ticket() {
    std::array<unsigned char, ticket_length / 2> bits{};
    if (::getrandom(bits.data(), bits.size(), 0) != static_cast<ssize_t>(bits.size()))
        return core::failure{core::errc::io, fmt::format("no random bytes are available: {}", std::strerror(errno))};
    return core::hex(bits);
}

bool is_taken(const std::string& root, const std::string& id) {
    return exists(root + "/processing/" + id) || exists(root + "/done/" + id) || exists(root + "/failed/" + id);
}

}  // namespace

core::result<std::optional<core::owned_fd>> lock_note(const std::string& folder) {
    const auto path = folder + "/" + note_file;
    core::owned_fd fd(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd) {
        if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
        return open_failure("cannot open", path, errno);
    }
    switch (try_lock(fd)) {
        case lock_answer::held:
            return std::nullopt;
        case lock_answer::broken:
            return locks_refused(path);
        case lock_answer::taken:
            break;
    }
    // Its holder may have put it away, and let go, since we opened it.
    if (!still_there(fd, path)) return std::nullopt;
    return fd;
}

draft::draft(std::string root, std::string folder, core::owned_fd lock, core::instant taken_at, std::string name)
    : root_(std::move(root)),
      folder_(std::move(folder)),
      lock_(std::move(lock)),
      taken_at_(taken_at),
      name_(std::move(name)) {}

draft::draft(draft&& o) noexcept
    : root_(std::move(o.root_)),
      folder_(std::exchange(o.folder_, {})),
      lock_(std::move(o.lock_)),
      taken_at_(o.taken_at_),
      name_(std::move(o.name_)) {}

draft::~draft() {
    // What cannot be removed now is swept at the next start.
    if (!folder_.empty()) (void)remove_folder(folder_, note_file);
}

core::result<draft> draft::make(const std::string& root, stored_note stored) {
    auto ticket = new_ticket();
    if (!ticket) return ticket.error();
    stored.ticket = std::move(*ticket);
    for (int turn = 0; turn < most_names; ++turn) {
        auto begun = start_folder(root);
        if (!begun) return begun.error();
        if (!*begun) continue;
        draft out(root, (*begun)->folder, std::move((*begun)->lock), stored.note.taken_at, stored.note.name);
        const auto path = out.folder_ + "/" + note_file;
        core::fault_point("inbox.draft_locked");
        if (auto ok = write_all(out.lock_.get(), note_text(stored), path); !ok) return ok.error();
        if (auto ok = sync_file(out.lock_.get(), path); !ok) return ok.error();
        core::fault_point("inbox.note_written");
        return out;
    }
    return core::failure{core::errc::io,
                         fmt::format("{} is full of leftovers; remove what is in it", incoming_path(root))};
}

core::result<std::string> draft::publish() {
    const auto places = root_ + "/processing";
    if (auto ok = sync_folder(folder_); !ok) return ok.error();
    auto id = make_id(name_, taken_at_);
    for (; id.number < most_names; ++id.number) {
        const auto text = id.text();
        if (is_taken(root_, text)) continue;
        const auto target = places + "/" + text;
        if (::rename(folder_.c_str(), target.c_str()) != 0) {
            // A folder with anything in it is never replaced: another process was quicker with this number.
            if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) continue;
            return file_failure("cannot move a new item to", target, errno);
        }
        folder_.clear();
        core::fault_point("inbox.published");
        if (auto ok = sync_folder(places); !ok) {
            folder_ = target;  // not an item that can be relied on: removed
            return ok.error();
        }
        return text;
    }
    return core::failure{core::errc::io, fmt::format("too many inputs called {} at once", name_)};
}

core::result<void> discard(const std::string& root, const std::string& folder) {
    for (int turn = 0; turn < most_names; ++turn) {
        const auto target = next_folder(root);
        if (::rename(folder.c_str(), target.c_str()) == 0) {
            core::fault_point("inbox.discarded");
            return remove_folder(target, note_file);
        }
        if (errno != ENOTEMPTY && errno != EEXIST) return file_failure("cannot remove the folder", folder, errno);
    }
    return core::failure{core::errc::io,
                         fmt::format("{} is full of leftovers; remove what is in it", incoming_path(root))};
}

core::result<void> sweep(const std::string& root) {
    auto names = names_in(incoming_path(root));
    if (!names) return names.error();
    for (const auto& name : *names) {
        const auto folder = incoming_path(root) + "/" + name;
        const auto found = look_at(folder);
        if (!found || !S_ISDIR(found->st_mode)) continue;
        auto lock = lock_note(folder);
        if (!lock) return lock.error();
        if (*lock) {
            if (auto ok = remove_folder(folder, note_file); !ok) return ok;
        } else if (!exists(folder + "/" + note_file) && ::rmdir(folder.c_str()) != 0 && errno != ENOENT &&
                   errno != ENOTEMPTY && errno != EEXIST) {
            return file_failure("cannot remove the folder", folder, errno);
        }
    }
    return {};
}

core::result<held_item> published_item(const std::string& root, const std::string& id, core::owned_fd lock) {
    auto found = read_item(root, item_place::processing, parse_id(id).value_or(item_id{}));
    if (!found) return found.error();
    return held_item(std::move(found->item), std::move(lock));
}

}  // namespace taskbarge::service::inbox
