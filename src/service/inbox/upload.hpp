// A file on its way in that is given piece by piece, or copied.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "service/inbox/draft.hpp"
#include "service/inbox/item.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/files.hpp"

namespace taskbarge::service::inbox {

// A draft under <root>/.incoming that becomes an item when finish() is called, and vanishes else. One thread at a time.
class upload {
 public:
    // errc::usage: the note's name is none, see check_name().
    static core::result<std::unique_ptr<upload>> begin(const std::string& root, item_note note);

    // errc::ledger_full for a full disk, errc::io. A piece that could not be written ends it: there is no item.
    core::result<void> write(std::string_view piece);
    // All of an open file, which is named for messages. errc::input: it changed meanwhile.
    core::result<void> copy_from(int from, const std::string& from_path);
    // Durably. Once.
    core::result<held_item> finish();
    std::uint64_t bytes() const { return bytes_; }

 private:
    upload(std::string root, draft made, core::owned_fd fd, std::string path)
        : root_(std::move(root)), draft_(std::move(made)), fd_(std::move(fd)), path_(std::move(path)) {}

    std::string root_;
    draft draft_;
    core::owned_fd fd_;
    std::string path_;
    std::uint64_t bytes_ = 0;
    std::optional<core::failure> over_;  // why there is nothing more to be done with it
};

}  // namespace taskbarge::service::inbox
