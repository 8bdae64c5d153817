#include "service/work/kept_ledger.hpp"

#include <sys/stat.h>

namespace taskbarge::service {

// A ledger may be deleted or replaced while we have it open.
kept_ledger::file kept_ledger::file_at(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return {};
    return {found.st_dev, found.st_ino};
}

core::result<ledger::ledger*> kept_ledger::at(const std::string& path) {
    const auto now = file_at(path);
    replaced_ = book_ != nullptr && (path != path_ || now != file_);
    if (book_ != nullptr && !replaced_) return book_.get();
    book_.reset();
    auto opened = ledger::open_ledger(path);
    if (!opened) return opened.error();
    book_ = std::move(*opened);
    path_ = path;
    file_ = file_at(path);
    return book_.get();
}

}  // namespace taskbarge::service
