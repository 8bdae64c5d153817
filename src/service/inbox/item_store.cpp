#include "service/inbox/item_store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "service/inbox/claims.hpp"
#include "service/inbox/confined_file.hpp"
#include "service/inbox/draft.hpp"
#include "service/inbox/files.hpp"
#include "service/inbox/item_files.hpp"
#include "service/inbox/item_names.hpp"
#include "service/inbox/places.hpp"
#include "service/inbox/taking.hpp"
#include "taskbarge/core/fault_point.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::service::inbox {

using core::errc;
using core::failure;
using core::fault_point;
using core::result;

namespace {

constexpr int most_numbers = 10'000;
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
    result<void> discard(held_item& held) override;
    result<void> put_away(held_item& held, item_place where) override;
    const std::string& root() const override { return root_; }

 private:
    result<std::optional<held_item>> adopt_one(const item_id& id);
    result<std::optional<core::owned_fd>> lock_unclaimed(const std::string& id, const std::string& folder);

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

result<std::optional<held_item>> folders::take(const std::string& name, core::instant now) {
    return take_dropped(root_, name, now);
}

result<std::unique_ptr<upload>> folders::begin_upload(item_note note) {
    note.origin = "upload";
    return upload::begin(root_, std::move(note));
}

result<held_item> folders::take_path(const std::string& path, const std::vector<std::string>& allowed, item_note note) {
    auto from = open_confined(path, allowed);
    if (!from) return from.error();
    note.origin = "path";
    if (note.name.empty()) note.name = fit_name(path.substr(path.rfind('/') + 1));
    auto begun = upload::begin(root_, std::move(note));
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
    const auto turn = wait_for_turn(root_);
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
    const auto text = job_text({job, made});
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

result<void> folders::discard(held_item& held) {
    claims_.let_go(held.item().id);
    return inbox::discard(root_, held.item().folder);
}

result<void> folders::put_away(held_item& held, item_place where) {
    auto& item = held.item();
    if (item.place == where) return {};
    auto id = parse_id(item.id);
    if (!id) return failure{errc::internal, fmt::format("'{}' is no item's id", core::printable(item.id))};
    const auto from = place_path(root_, item.place), to = place_path(root_, where);
    // Somebody who tidies up may have removed the whole place.
    if (auto ok = make_folder(to); !ok) return ok;
    // What it was let go with did not fit: one that waits for a person's word waits for another.
    if (where == item_place::processing && item.started) {
        if (::unlink((item.folder + "/" + started_file).c_str()) != 0 && errno != ENOENT)
            return file_failure("cannot remove", item.folder + "/" + started_file, errno);
        if (auto ok = sync_folder(item.folder); !ok) return ok;
        item.started = false;
    }
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

}  // namespace

result<std::unique_ptr<item_store>> item_store::open(const std::string& root) {
    const auto usual = usual_form(root);
    if (!usual) return usual.error();
    const auto& path = *usual;
    if (auto ok = make_places(path); !ok) return ok.error();
    if (auto turn = take_turn::wait(path); !turn) return unusable(path, turn.error().text);
    if (auto ok = sweep(path); !ok) return unusable(path, ok.error().text);
    return std::unique_ptr<item_store>(std::make_unique<folders>(path));
}

}  // namespace taskbarge::service::inbox
