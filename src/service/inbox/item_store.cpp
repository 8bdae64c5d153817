#include "service/inbox/item_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <utility>

#include "service/inbox/arrivals.hpp"
#include "service/inbox/claims.hpp"
#include "service/inbox/confined_file.hpp"
#include "service/inbox/draft.hpp"
#include "service/inbox/files.hpp"
#include "service/inbox/item_names.hpp"
#include "service/inbox/note_file.hpp"
#include "taskbarge/core/fault_point.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::service::inbox {

using core::errc;
using core::failure;
using core::fault_point;
using core::result;

namespace {

constexpr std::size_t longest_note = 64UL * 1024;
constexpr std::size_t longest_settings = 1024UL * 1024;
constexpr int most_numbers = 10'000;
constexpr std::array all_places{item_place::processing, item_place::done, item_place::failed};

const char* name_of(item_place place) {
    switch (place) {
        case item_place::processing:
            return "processing";
        case item_place::done:
            return "done";
        case item_place::failed:
            break;
    }
    return "failed";
}

std::string place_path(const std::string& root, item_place place) {
    return root + "/" + name_of(place);
}

// Moves a file back to where it came from. What stands there by now is newer, and would have replaced it there as well.
result<void> give_back(const std::string& from, const std::string& to) {
    if (!exists(from)) return {};
    int outcome = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
    // Some file systems have no such rename.
    if (outcome != 0 && errno == EINVAL && !exists(to)) outcome = ::rename(from.c_str(), to.c_str());
    if (outcome != 0 && errno != EEXIST && errno != EINVAL) return file_failure("cannot give back", to, errno);
    return {};
}

struct noted_job {
    core::job_id id = 0;
    std::optional<core::instant> made;
};

// "7 1795645822654": the number and the milliseconds; earlier versions wrote the number alone.
result<std::optional<noted_job>> read_job(const std::string& folder) {
    const auto path = folder + "/" + job_file;
    if (!exists(path)) return std::nullopt;
    auto text = read_small(path, 64);
    if (!text) return text.error();
    noted_job job;
    const auto* const end = text->data() + text->size();
    auto read = std::from_chars(text->data(), end, job.id);
    if (read.ec == std::errc() && read.ptr != end && *read.ptr == ' ') {
        std::int64_t made = 0;
        read = std::from_chars(read.ptr + 1, end, made);
        job.made = core::instant(std::chrono::milliseconds(made));
    }
    if (read.ec != std::errc() || std::string_view(read.ptr, static_cast<std::size_t>(end - read.ptr)) != "\n")
        return failure{errc::input, fmt::format("{} has no job's number", job_file)};
    return job;
}

result<stored_note> read_note(const std::string& folder) {
    const auto text = read_small(folder + "/" + note_file, longest_note);
    if (!text) return text.error();
    return parse_note(*text);
}

std::vector<std::string> settings_in(const std::string& folder) {
    std::vector<std::string> out;
    for (const char* name : {folder_settings_file, own_settings_file})
        if (is_regular(folder + "/" + name)) out.push_back(folder + "/" + name);
    return out;
}

struct stored_item {
    inbox::item item;
    std::string dropped_as;
};

// All that is known of the item in the folder. A note that makes no sense is no failure: it is told in the item.
result<stored_item> read_item(const std::string& root, item_place place, const item_id& id) {
    stored_item out;
    auto& item = out.item;
    item.id = id.text();
    item.place = place;
    item.folder = place_path(root, place) + "/" + item.id;
    item.settings_files = settings_in(item.folder);
    item.note.name = id.stem;
    item.note.taken_at = id.time;
    auto note = read_note(item.folder);
    if (!note && note.error().code != errc::input) return note.error();
    if (note) {
        item.note = std::move(note->note);
        out.dropped_as = std::move(note->dropped_as);
        item.ticket = std::move(note->ticket);
    } else {
        item.trouble = note.error().text;
    }
    const auto job = read_job(item.folder);
    if (!job && job.error().code != errc::input) return job.error();
    if (job) {
        if (*job) item.job = (*job)->id;
        if (*job) item.job_made = (*job)->made;
    } else {
        item.trouble = job.error().text;
    }
    return out;
}

result<std::vector<item_id>> ids_in(const std::string& folder) {
    auto names = names_in(folder);
    if (!names) return names.error();
    std::vector<item_id> out;
    for (const auto& name : *names)
        if (auto id = parse_id(name)) out.push_back(std::move(*id));
    std::sort(out.begin(), out.end(), is_older);
    return out;
}

bool is_folder(const std::string& path) {
    const auto found = look_at(path);
    return found && S_ISDIR(found->st_mode);
}

// Gives back what a taker had moved into the item's folder before it had the input, and removes the folder. The turn
// must be held, or another taker may look for the settings just then.
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

// Only what the service itself puts there before there is an input.
bool holds_nothing_else(const std::string& folder) {
    const auto names = names_in(folder);
    return names && std::all_of(names->begin(), names->end(), [](const std::string& name) {
               return name == note_file || name == own_settings_file || name == folder_settings_file ||
                      name.starts_with('.');
           });
}

result<held_item> new_item(const std::string& root, const std::string& id, core::owned_fd lock) {
    auto found = read_item(root, item_place::processing, parse_id(id).value_or(item_id{}));
    if (!found) return found.error();
    return held_item(std::move(found->item), std::move(lock));
}

class draft_upload final : public upload {
 public:
    draft_upload(std::string root, draft made, core::owned_fd fd, std::string path)
        : root_(std::move(root)), draft_(std::move(made)), fd_(std::move(fd)), path_(std::move(path)) {}

    result<void> copy_from(int from, const std::string& from_path) {
        struct stat before {
        }, after{};
        if (::fstat(from, &before) != 0) return file_failure("cannot read", from_path, errno);
        if (auto ok = copy_all(from, fd_.get(), from_path, path_); !ok) return ok;
        if (::fstat(from, &after) != 0) return file_failure("cannot read", from_path, errno);
        if (before.st_size != after.st_size || before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
            before.st_mtim.tv_nsec != after.st_mtim.tv_nsec)
            return failure{errc::input, fmt::format("{} changed while it was copied; submit it when it is complete",
                                                    core::printable(from_path))};
        bytes_ = static_cast<std::uint64_t>(after.st_size);
        return {};
    }

    result<void> write(std::string_view piece) override {
        if (over_) return *over_;
        auto ok = write_all(fd_.get(), piece, path_);
        if (ok) {
            bytes_ += piece.size();
        } else {
            over_ = ok.error();  // a part is missing: never an item
        }
        return ok;
    }

    result<held_item> finish() override {
        if (over_) return *over_;
        over_ = failure{errc::internal, "the upload is finished already"};
        if (auto ok = sync_file(fd_.get(), path_); !ok) return ok.error();
        fault_point("inbox.upload_written");
        auto id = draft_.publish();
        if (!id) return id.error();
        return new_item(root_, *id, draft_.release_lock());
    }

    std::uint64_t bytes() const override { return bytes_; }

 private:
    std::string root_;
    draft draft_;
    core::owned_fd fd_;
    std::string path_;
    std::uint64_t bytes_ = 0;
    std::optional<failure> over_;
};

class folders final : public item_store {
 public:
    explicit folders(std::string root) : root_(std::move(root)), claims_(root_ + "/.incoming/claims") {}

    result<std::optional<held_item>> take(const std::string& name, core::instant now) override;
    result<std::unique_ptr<upload>> begin_upload(item_note note) override;
    result<held_item> take_path(const std::string& path, const std::vector<std::string>& allowed,
                                item_note note) override;
    result<std::vector<held_item>> adopt(std::size_t most,
                                         const std::function<bool(const std::string& id)>& known) override;
    result<std::vector<item>> list(item_place place, std::size_t most) override;
    result<std::uint64_t> count(item_place place) override;
    result<std::vector<std::string>> done_with(const std::set<core::job_id>& jobs) override;
    result<std::optional<item>> find(const std::string& id) override;
    result<std::optional<held_item>> hold(const std::string& id) override;
    result<void> claim(held_item& held) override;
    void let_go(const std::string& id) override { claims_.let_go(id); }
    result<void> set_job(held_item& held, core::job_id job, core::instant made) override;
    result<void> add_file(const held_item& held, const std::string& name,
                          const std::function<result<void>(int fd)>& write) override;
    result<void> put_away(held_item& held, item_place where) override;
    const std::string& root() const override { return root_; }

 private:
    result<take_turn> wait_for_turn();
    result<void> copy_folder_settings(const draft& made) const;
    result<bool> move_in(const stored_note& stored, const std::string& folder, const fit_file& input) const;
    result<std::optional<held_item>> adopt_one(const item_id& id);
    result<std::optional<core::owned_fd>> lock_unclaimed(const std::string& id, const std::string& folder);
    result<std::unique_ptr<draft_upload>> start_upload(item_note note) const;

    const std::string root_;
    claims claims_;
};

// A claim is made by who holds the item. So it is looked for before its lock is taken, not to be in that one's way, and
// again under the lock.
result<std::optional<core::owned_fd>> folders::lock_unclaimed(const std::string& id, const std::string& folder) {
    auto anothers = claims_.is_anothers(id);
    if (!anothers) return anothers.error();
    if (*anothers) return std::nullopt;
    auto lock = lock_note(folder);
    if (!lock || !*lock) return lock;
    anothers = claims_.is_anothers(id);
    if (!anothers) return anothers.error();
    if (*anothers) return std::nullopt;
    return lock;
}

// The turn to take dropped files, when nothing of a dead taker's is left half moved.
result<take_turn> folders::wait_for_turn() {
    auto turn = take_turn::wait(root_);
    if (!turn || turn->left_by_the_dead().empty()) return turn;
    const auto folder = place_path(root_, item_place::processing) + "/" + turn->left_by_the_dead();
    auto lock = lock_note(folder);
    if (!lock) return lock.error();
    if (*lock) {
        const auto note = read_note(folder);
        if (note && !exists(folder + "/" + note->note.name) && holds_nothing_else(folder))
            if (auto ok = undo_take(root_, folder, *note); !ok) return ok.error();
    }
    if (auto ok = turn->forget_the_dead(); !ok) return ok.error();
    return turn;
}

result<void> folders::copy_folder_settings(const draft& made) const {
    const auto path = root_ + "/" + inbox_settings_file;
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
result<bool> folders::move_in(const stored_note& stored, const std::string& folder, const fit_file& input) const {
    const auto from = root_ + "/" + stored.dropped_as;
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
    if (auto ok = sync_folder(root_); !ok) return ok.error();
    return true;
}

result<std::optional<held_item>> folders::take(const std::string& name, core::instant now) {
    if (!is_segment(name) || !is_input_name(name))
        return failure{errc::usage, fmt::format("'{}' is no name of an input", core::printable(name))};
    // Before the turn: others need not wait until a large file is on the disk.
    const auto input = make_fit(root_ + "/" + name);
    if (!input) return input.error();
    if (!*input) return std::nullopt;
    auto turn = wait_for_turn();
    if (!turn) return turn.error();
    const auto now_there = look_at(root_ + "/" + name);
    if (!now_there || state_of(*now_there) != (*input)->state) return std::nullopt;
    stored_note stored;
    stored.note.name = fit_name(name);
    stored.note.origin = "inbox";
    stored.note.taken_at = now;
    stored.dropped_as = name;
    auto made = draft::make(root_, stored);
    if (!made) return made.error();
    if (auto ok = copy_folder_settings(*made); !ok) return ok.error();
    fault_point("inbox.draft_made");
    auto id = made->publish();
    if (!id) return id.error();
    const auto folder = place_path(root_, item_place::processing) + "/" + *id;
    auto moved = turn->moves_to(*id);
    fault_point("inbox.turn_taken");
    auto taken = moved ? move_in(stored, folder, **input) : result<bool>(moved.error());
    if (taken && *taken) {
        auto held = new_item(root_, *id, made->release_lock());
        if (!held) return held.error();
        return std::move(*held);
    }
    // If it cannot be undone either, it is left to adopt().
    const auto undone = undo_take(root_, folder, stored);
    if (!taken) return taken.error();
    if (!undone) return undone.error();
    return std::nullopt;
}

result<std::unique_ptr<draft_upload>> folders::start_upload(item_note note) const {
    if (auto ok = check_name(note.name); !ok) return ok.error();
    stored_note stored;
    stored.note = std::move(note);
    auto made = draft::make(root_, stored);
    if (!made) return made.error();
    auto path = made->folder() + "/" + stored.note.name;
    auto fd = create_file(path);
    if (!fd) return fd.error();
    return std::make_unique<draft_upload>(root_, std::move(*made), std::move(*fd), std::move(path));
}

result<std::unique_ptr<upload>> folders::begin_upload(item_note note) {
    note.origin = "upload";
    auto begun = start_upload(std::move(note));
    if (!begun) return begun.error();
    return std::unique_ptr<upload>(std::move(*begun));
}

result<held_item> folders::take_path(const std::string& path, const std::vector<std::string>& allowed, item_note note) {
    auto from = open_confined(path, allowed);
    if (!from) return from.error();
    note.origin = "path";
    if (note.name.empty()) note.name = fit_name(path.substr(path.rfind('/') + 1));
    auto begun = start_upload(std::move(note));
    if (!begun) return begun.error();
    if (auto ok = (*begun)->copy_from(from->get(), path); !ok) return ok.error();
    return (*begun)->finish();
}

result<std::optional<held_item>> folders::adopt_one(const item_id& id) {
    const auto folder = place_path(root_, item_place::processing) + "/" + id.text();
    if (!is_folder(folder)) return std::nullopt;
    // Without a note it is nothing that a taker left; it gets an empty one, which is what is locked, and is told.
    if (!exists(folder + "/" + note_file))
        if (auto fd = create_file(folder + "/" + note_file); !fd && exists(folder)) return fd.error();
    auto lock = lock_unclaimed(id.text(), folder);
    if (!lock && lock.error().code != errc::input) return lock.error();
    if (lock && !*lock) return std::nullopt;
    auto found = read_item(root_, item_place::processing, id);
    if (!found) return found.error();
    auto& item = found->item;
    if (!lock) {
        // Not held, for it cannot be; nor can anybody else.
        item.trouble = lock.error().text;
        return held_item(std::move(item), core::owned_fd());
    }
    if (item.trouble.empty() && !item.job && !is_regular(item.input())) {
        if (holds_nothing_else(folder)) {
            if (auto ok = undo_take(root_, folder, {item.note, found->dropped_as}); !ok) return ok.error();
            return std::nullopt;
        }
        item.trouble = fmt::format("its input {} is not there", core::printable(item.note.name));
    }
    return held_item(std::move(item), std::move(**lock));
}

result<std::vector<held_item>> folders::adopt(std::size_t most,
                                              const std::function<bool(const std::string& id)>& known) {
    const auto turn = wait_for_turn();
    if (!turn) return turn.error();
    const auto ids = ids_in(place_path(root_, item_place::processing));
    if (!ids) return ids.error();
    std::vector<held_item> out;
    std::size_t locked = 0;
    for (auto id = ids->begin(); id != ids->end() && locked < most; ++id) {
        if (known && known(id->text())) continue;
        auto one = adopt_one(*id);
        if (!one) return one.error();
        if (!*one) continue;
        if ((*one)->is_locked()) ++locked;
        out.push_back(std::move(**one));
    }
    std::stable_sort(out.begin(), out.end(), [](const held_item& a, const held_item& b) {
        return a.item().note.taken_at < b.item().note.taken_at;
    });
    return out;
}

result<std::vector<item>> folders::list(item_place place, std::size_t most) {
    const auto folder = place_path(root_, place);
    auto ids = ids_in(folder);
    if (!ids) return ids.error();
    std::vector<item> out;
    // From the newest on, for what is no folder or has just gone must not count.
    for (auto id = ids->rbegin(); id != ids->rend() && out.size() < most; ++id) {
        if (!is_folder(folder + "/" + id->text())) continue;
        auto one = read_item(root_, place, *id);
        if (!one) return one.error();
        if (one->item.trouble.empty() || is_folder(one->item.folder)) out.push_back(std::move(one->item));
    }
    std::reverse(out.begin(), out.end());
    return out;
}

result<std::uint64_t> folders::count(item_place place) {
    const auto ids = ids_in(place_path(root_, place));
    if (!ids) return ids.error();
    return ids->size();
}

result<std::vector<std::string>> folders::done_with(const std::set<core::job_id>& jobs) {
    const auto folder = place_path(root_, item_place::done);
    const auto ids = ids_in(folder);
    if (!ids) return ids.error();
    std::vector<std::string> out;
    for (const auto& id : *ids) {
        auto text = id.text();
        const auto job = read_job(folder + "/" + text);
        // One whose number cannot be read has none of them.
        if (!job && job.error().code != errc::input) return job.error();
        if (job && *job && jobs.contains((*job)->id)) out.push_back(std::move(text));
    }
    return out;
}

result<std::optional<item>> folders::find(const std::string& id) {
    const auto parsed = parse_id(id);
    if (!parsed) return failure{errc::usage, fmt::format("'{}' is no item's id", core::printable(id, 80))};
    // Twice, for it may move on from a place that we have yet to look at to one that we have.
    for (int turn = 0; turn < 2; ++turn) {
        for (const auto place : all_places) {
            if (!is_folder(place_path(root_, place) + "/" + id)) continue;
            auto one = read_item(root_, place, *parsed);
            if (!one) return one.error();
            if (one->item.trouble.empty() || is_folder(one->item.folder)) return std::move(one->item);
        }
    }
    return std::nullopt;
}

result<std::optional<held_item>> folders::hold(const std::string& id) {
    const auto found = find(id);
    if (!found) return found.error();
    if (!*found) return std::nullopt;
    auto lock = lock_unclaimed(id, (*found)->folder);
    if (!lock) return lock.error();
    if (!*lock) return std::nullopt;
    // As it is now that nobody else changes it.
    auto now = read_item(root_, (*found)->place, parse_id(id).value_or(item_id{}));
    if (!now) return now.error();
    return held_item(std::move(now->item), std::move(**lock));
}

result<void> folders::claim(held_item& held) {
    auto claimed = claims_.claim(held.item().id);
    if (!claimed) return claimed.error();
    if (*claimed) held.unlock();
    return {};
}

result<void> folders::set_job(held_item& held, core::job_id job, core::instant made) {
    const auto text = fmt::format("{} {}\n", job, made.time_since_epoch().count());
    const auto path = held.item().folder + "/" + job_file;
    auto ok = write_whole(held.item().folder, job_file, [&](int fd) { return write_all(fd, text, path); });
    if (ok) held.item().job = job;
    if (ok) held.item().job_made = made;
    return ok;
}

result<void> folders::add_file(const held_item& held, const std::string& name,
                               const std::function<result<void>(int fd)>& write) {
    if (!is_segment(name) || name.front() == '.' || name == held.item().note.name || name == note_file)
        return failure{errc::internal, fmt::format("no file may be called {} beside an input", core::printable(name))};
    return write_whole(held.item().folder, name, write);
}

result<void> folders::put_away(held_item& held, item_place where) {
    auto& item = held.item();
    if (item.place == where) return {};
    auto id = parse_id(item.id);
    if (!id) return failure{errc::internal, fmt::format("'{}' is no item's id", core::printable(item.id))};
    const auto from = place_path(root_, item.place), to = place_path(root_, where);
    // Somebody who tidies up may have removed the whole place.
    if (auto ok = make_folder(to); !ok) return ok;
    for (; id->number < most_numbers; ++id->number) {
        const auto target = to + "/" + id->text();
        if (exists(target)) continue;
        if (::rename(item.folder.c_str(), target.c_str()) != 0) {
            if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) continue;
            return file_failure("cannot put away", item.folder, errno);
        }
        fault_point("inbox.put_away");
        claims_.let_go(item.id);
        item.id = id->text();
        item.place = where;
        item.folder = target;
        item.settings_files = settings_in(target);
        if (auto ok = sync_folder(to); !ok) return ok;
        return sync_folder(from);
    }
    return failure{errc::io, fmt::format("{} has too many items called {}", to, core::printable(item.id))};
}

failure unusable(const std::string& root, std::string_view why) {
    return {errc::settings, fmt::format("serve.inbox: {} cannot be used: {}", core::printable(root), why)};
}

constexpr std::array places{"processing", "done", "failed", ".incoming"};

result<void> make_places(const std::string& root) {
    std::string path;
    for (const auto& part : std::filesystem::path(root)) {
        path = path.empty() ? part.string() : (std::filesystem::path(path) / part).string();
        if (auto ok = make_folder(path); !ok) return ok;
    }
    for (const char* name : places) {
        const auto place = root + "/" + name;
        if (auto ok = make_folder(place); !ok) return ok;
        if (!is_folder(place)) return failure{errc::io, fmt::format("{} is no folder", place)};
    }
    return sync_folder(root);
}

// Whether a folder can be moved through all places, as items are: with parts mounted from elsewhere it cannot, even
// from one file system.
result<void> try_moves(const std::string& root) {
    static std::atomic<std::uint64_t> counter{0};
    const auto name = fmt::format("/.trial-{}-{}", ::getpid(), ++counter);
    auto at = root + name;
    if (::mkdir(at.c_str(), 0700) != 0 && errno != EEXIST) return file_failure("cannot write to", root, errno);
    auto outcome = result<void>();
    for (const char* place : {"/.incoming", "/processing", "/done", "/failed"}) {
        const auto to = root + place + name;
        if (::rename(at.c_str(), to.c_str()) != 0) {
            outcome =
                errno == EXDEV
                    ? failure{errc::io, fmt::format("{} is on another file system or mounted by itself; mount the "
                                                    "inbox as a whole",
                                                    root + place)}
                    : file_failure("cannot write to", root + place, errno);
            break;
        }
        at = to;
    }
    if (::rmdir(at.c_str()) != 0 && outcome) outcome = file_failure("cannot remove", at, errno);
    return outcome;
}

// The root as open() uses it.
result<std::string> usual_form(const std::string& root) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(root, error);
    if (root.empty() || error) return unusable(root, "it is no path");
    auto path = absolute.lexically_normal().string();
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    if (path == "/") return unusable(path, "choose a folder of its own");
    return path;
}

}  // namespace

result<std::string> item_store::examine(const std::string& root) {
    const auto path = usual_form(root);
    if (!path) return path.error();
    // The nearest folder above it that is there is where the rest is made.
    auto there = std::filesystem::path(*path);
    std::error_code error;
    while (there.has_relative_path() && !std::filesystem::exists(std::filesystem::symlink_status(there, error)))
        there = there.parent_path();
    if (!std::filesystem::is_directory(there, error))
        return unusable(*path, fmt::format("{} is no folder", there.string()));
    if (::access(there.c_str(), W_OK | X_OK) != 0)
        return unusable(*path, file_failure("cannot write to", there.string(), errno).text);
    if (there != *path) return *path + " is not there yet; the service makes it";
    for (const char* name : places)
        if (!std::filesystem::exists(*path + "/" + name, error)) return *path;
    if (auto ok = try_moves(*path); !ok) return unusable(*path, ok.error().text);
    return *path;
}

result<std::unique_ptr<item_store>> item_store::open(const std::string& root) {
    const auto usual = usual_form(root);
    if (!usual) return usual.error();
    const auto& path = *usual;
    if (auto ok = make_places(path); !ok) return unusable(path, ok.error().text);
    if (auto ok = try_moves(path); !ok) return unusable(path, ok.error().text);
    if (auto turn = take_turn::wait(path); !turn) return unusable(path, turn.error().text);
    if (auto ok = sweep(path); !ok) return unusable(path, ok.error().text);
    return std::unique_ptr<item_store>(std::make_unique<folders>(path));
}

}  // namespace taskbarge::service::inbox
