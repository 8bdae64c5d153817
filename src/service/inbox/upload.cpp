#include "service/inbox/upload.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "service/inbox/files.hpp"
#include "service/inbox/item_names.hpp"
#include "taskbarge/core/fault_point.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::service::inbox {

using core::errc;
using core::failure;
using core::result;

result<std::unique_ptr<upload>> upload::begin(const std::string& root, item_note note) {
    if (auto ok = check_name(note.name); !ok) return ok.error();
    stored_note stored;
    stored.note = std::move(note);
    auto made = draft::make(root, stored);
    if (!made) return made.error();
    auto path = made->folder() + "/" + stored.note.name;
    auto fd = create_file(path);
    if (!fd) return fd.error();
    return std::unique_ptr<upload>(new upload(root, std::move(*made), std::move(*fd), std::move(path)));
}

result<void> upload::copy_from(int from, const std::string& from_path) {
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

result<void> upload::write(std::string_view piece) {
    if (over_) return *over_;
    auto ok = write_all(fd_.get(), piece, path_);
    if (ok) {
        bytes_ += piece.size();
    } else {
        over_ = ok.error();  // a part is missing: never an item
    }
    return ok;
}

result<held_item> upload::finish() {
    if (over_) return *over_;
    over_ = failure{errc::internal, "the upload is finished already"};
    if (auto ok = sync_file(fd_.get(), path_); !ok) return ok.error();
    core::fault_point("inbox.upload_written");
    auto id = draft_.publish();
    if (!id) return id.error();
    return published_item(root_, *id, draft_.release_lock());
}

}  // namespace taskbarge::service::inbox
