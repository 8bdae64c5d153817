#include "service/inbox/taking.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "service/inbox/arrivals.hpp"
#include "service/inbox/draft.hpp"
#include "service/inbox/files.hpp"
#include "service/inbox/item_files.hpp"
#include "service/inbox/item_names.hpp"
#include "service/inbox/places.hpp"
#include "taskbarge/core/fault_point.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::service::inbox {

using core::errc;
using core::failure;
using core::fault_point;
using core::result;

namespace {

constexpr const char* turn_file = "lock";
constexpr std::size_t longest_settings = 1024UL * 1024;

// Moves a file back to where it came from. What stands there by now is newer, and would have replaced it there as well.
result<void> give_back(const std::string& from, const std::string& to) {
    if (!exists(from)) return {};
    int outcome = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
    // Some file systems have no such rename.
    if (outcome != 0 && errno == EINVAL && !exists(to)) outcome = ::rename(from.c_str(), to.c_str());
    if (outcome != 0 && errno != EEXIST && errno != EINVAL) return file_failure("cannot give back", to, errno);
    return {};
}

failure many_names(const std::string& path, std::uint64_t links) {
    return {errc::input,
            fmt::format("{} has {} names (hard links), so it may be another user's file: remove the others, or put a "
                        "copy there",
                        core::printable(path), links)};
}

// Settings that are there but cannot be used must not be passed over: the input would be read in another way.
result<bool> has_settings(const std::string& path) {
    if (!exists(path)) return false;
    if (const auto found = look_at(path); found && S_ISREG(found->st_mode)) {
        if (found->st_nlink > 1) return many_names(path, found->st_nlink);
        return true;
    }
    return failure{errc::io, fmt::format("{} is no regular file, and links are not followed: put the settings "
                                         "themselves there",
                                         core::printable(path))};
}

// A file that may be taken as it is.
struct fit_file {
    file_state state;
    bool synced = false;  // false: it cannot be opened yet
};

// Writes what the file holds to the disk. That comes before any rename: the journal may keep a rename and lose bytes
// that were written before it, and after the power is back an input that is short, or empty, in a folder of ours is a
// whole one for all that anybody can know. Nothing: it is gone, or no regular file. A failure: it must stay where it
// is.
result<std::optional<fit_file>> make_fit(const std::string& path) {
    const core::owned_fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd) {
        if (errno == ENOENT || errno == ELOOP || errno == ENXIO) return std::nullopt;
        if (errno != EACCES && errno != EPERM) return file_failure("cannot open", path, errno);
    }
    struct stat found {};
    if (fd ? ::fstat(fd.get(), &found) != 0 : ::lstat(path.c_str(), &found) != 0) return std::nullopt;
    if (!S_ISREG(found.st_mode)) return std::nullopt;
    if (found.st_nlink > 1) return many_names(path, found.st_nlink);
    // One that nobody may read fails when it is read, with the reason.
    if (!fd) return fit_file{state_of(found), false};
    if (writers_of(fd.get()) == writers::some)
        return failure{errc::waiting, fmt::format("{} is open for writing; it is taken when its writer has closed it",
                                                  core::printable(path))};
    if (auto ok = sync_file(fd.get(), path); !ok) return ok.error();
    return fit_file{state_of(found), true};
}

// In a folder of ours. Only its owner may change a file's mode; if that is another user the folder keeps others out.
result<void> make_private(const std::string& path) {
    if (::chmod(path.c_str(), 0600) != 0 && errno != EPERM)
        return file_failure("cannot set the rights of", path, errno);
    return {};
}

result<void> copy_folder_settings(const std::string& root, const draft& made) {
    const auto path = root + "/" + inbox_settings_file;
    if (auto there = has_settings(path); !there || !*there) return there ? result<void>() : there.error();
    const auto text = read_small(path, longest_settings);
    if (!text) return text.error();
    const auto copy = made.folder() + "/" + folder_settings_file;
    const auto fd = create_file(copy);
    if (!fd) return fd.error();
    if (auto ok = write_all(fd->get(), *text, copy); !ok) return ok;
    return sync_file(fd->get(), copy);
}

// The settings first: who has the input has its settings. True: moved, false: there is nothing to be taken.
//
// After a power cut it is found in the inbox or in the item, and whole. The bytes are on the disk before the first
// rename (make_fit()), and so is the item's folder with its note (draft::publish()). Then the folder that got the names
// is synced, and the one that lost them last: cut in between, a file may stand in both, and is planned to the same job
// twice over; the other way round it might stand in neither.
result<bool> move_in(const std::string& root, const stored_note& stored, const std::string& folder,
                     const fit_file& input) {
    const auto from = root + "/" + stored.dropped_as;
    const auto settings = from + ".toml";
    if (!is_regular(from)) return false;
    const auto there = has_settings(settings);
    if (!there) return there.error();
    if (*there) {
        if (const auto fit = make_fit(settings); !fit) return fit.error();
        const auto ours = folder + "/" + own_settings_file;
        if (::rename(settings.c_str(), ours.c_str()) != 0) return file_failure("cannot take", settings, errno);
        if (auto ok = make_private(ours); !ok) return ok.error();
    }
    fault_point("inbox.settings_moved");
    const auto to = folder + "/" + stored.note.name;
    if (::rename(from.c_str(), to.c_str()) != 0) {
        if (errno == ENOENT) return false;
        auto why = file_failure("cannot take", from, errno);
        if (why.code == errc::io) why.text += "; the service's user must own the inbox";
        return why;
    }
    fault_point("inbox.input_moved");
    // It may have been replaced by a link after we looked: what counts is what we have now.
    const auto have = look_at(to);
    if (!have || !S_ISREG(have->st_mode) || have->st_nlink > 1 || have->st_ino != input.state.inode) return false;
    if (auto ok = make_private(to); !ok) return ok.error();
    // Its mode may have kept us out until now.
    if (!input.synced)
        if (const core::owned_fd fd(::open(to.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)); fd)
            if (auto ok = sync_file(fd.get(), to); !ok) return ok.error();
    if (auto ok = sync_folder(folder); !ok) return ok.error();
    if (auto ok = sync_folder(root); !ok) return ok.error();
    return true;
}

}  // namespace

result<take_turn> take_turn::wait(const std::string& root) {
    const auto path = incoming_path(root) + "/" + turn_file;
    if (auto ok = make_folder(incoming_path(root)); !ok) return ok.error();
    core::owned_fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return file_failure("cannot open", path, errno);
    // A turn is a few renames and syncs long.
    while (::flock(fd.get(), LOCK_EX) != 0)
        if (errno != EINTR) return locks_refused(path);
    if (::fchmod(fd.get(), 0600) != 0) return file_failure("cannot set the rights of", path, errno);
    std::string left(255, '\0');
    const auto n = ::pread(fd.get(), left.data(), left.size(), 0);
    if (n < 0) return file_failure("cannot read", path, errno);
    left.resize(static_cast<std::size_t>(n));
    take_turn out(path, std::move(fd));
    if (parse_id(left)) out.left_ = left;
    return out;
}

result<void> take_turn::moves_to(const std::string& id) {
    // Not synced: after a power cut there is no other process, and adopt() looks at every item anyway.
    const auto n = ::pwrite(fd_.get(), id.data(), id.size(), 0);
    if (n == static_cast<ssize_t>(id.size())) return {};
    return file_failure("cannot write", path_, n < 0 ? errno : ENOSPC);
}

result<void> take_turn::forget_the_dead() {
    if (::ftruncate(fd_.get(), 0) != 0) return file_failure("cannot write", path_, errno);
    left_.clear();
    return {};
}

take_turn::~take_turn() {
    // Alive to its end: nothing is left to do for others. If it cannot be emptied they look at an item in vain.
    if (fd_ && left_.empty()) (void)!::ftruncate(fd_.get(), 0);
}

result<void> undo_take(const std::string& root, const std::string& folder, const stored_note& stored) {
    const auto dropped = root + "/" + stored.dropped_as;
    if (!stored.dropped_as.empty()) {
        if (auto ok = give_back(folder + "/" + own_settings_file, dropped + ".toml"); !ok) return ok;
        if (auto ok = give_back(folder + "/" + stored.note.name, dropped); !ok) return ok;
        if (exists(folder + "/" + stored.note.name))
            return failure{errc::io, fmt::format("{} was taken but could not be kept, and there is a newer one: the "
                                                 "next start goes on with {}",
                                                 core::printable(dropped), folder)};
    }
    return discard(root, folder);
}

result<take_turn> wait_for_turn(const std::string& root) {
    auto turn = take_turn::wait(root);
    if (!turn || turn->left_by_the_dead().empty()) return turn;
    const auto folder = place_path(root, item_place::processing) + "/" + turn->left_by_the_dead();
    auto lock = lock_note(folder);
    if (!lock) return lock.error();
    if (*lock) {
        const auto note = read_note(folder);
        if (note && !exists(folder + "/" + note->note.name) && holds_nothing_else(folder))
            if (auto ok = undo_take(root, folder, *note); !ok) return ok.error();
    }
    if (auto ok = turn->forget_the_dead(); !ok) return ok.error();
    return turn;
}

result<std::optional<held_item>> take_dropped(const std::string& root, const std::string& name, core::instant now) {
    if (!is_segment(name) || !is_input_name(name))
        return failure{errc::usage, fmt::format("'{}' is no name of an input", core::printable(name))};
    // Before the turn: others need not wait until a large file is on the disk.
    const auto input = make_fit(root + "/" + name);
    if (!input) return input.error();
    if (!*input) return std::nullopt;
    auto turn = wait_for_turn(root);
    if (!turn) return turn.error();
    const auto now_there = look_at(root + "/" + name);
    if (!now_there || state_of(*now_there) != (*input)->state) return std::nullopt;
    stored_note stored;
    stored.note.name = fit_name(name);
    stored.note.origin = "inbox";
    stored.note.taken_at = now;
    stored.dropped_as = name;
    auto made = draft::make(root, stored);
    if (!made) return made.error();
    if (auto ok = copy_folder_settings(root, *made); !ok) return ok.error();
    fault_point("inbox.draft_made");
    auto id = made->publish();
    if (!id) return id.error();
    const auto folder = place_path(root, item_place::processing) + "/" + *id;
    auto moved = turn->moves_to(*id);
    fault_point("inbox.turn_taken");
    auto taken = moved ? move_in(root, stored, folder, **input) : result<bool>(moved.error());
    if (taken && *taken) {
        auto held = published_item(root, *id, made->release_lock());
        if (!held) return held.error();
        return std::move(*held);
    }
    // If it cannot be undone either, it is left to adopt().
    const auto undone = undo_take(root, folder, stored);
    if (!taken) return taken.error();
    if (!undone) return undone.error();
    return std::nullopt;
}

}  // namespace taskbarge::service::inbox
