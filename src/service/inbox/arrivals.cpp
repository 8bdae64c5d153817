#include "service/inbox/arrivals.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

#include "taskbarge/core/text.hpp"

namespace taskbarge::service::inbox {

namespace {

// With a short settle time a file that cannot be taken would be tried without a pause.
constexpr std::chrono::milliseconds shortest_pause{250};

}  // namespace

file_state state_of(const struct stat& found) {
    constexpr std::int64_t ns_per_second = 1'000'000'000;
    return {static_cast<std::uint64_t>(found.st_size), found.st_mtim.tv_sec * ns_per_second + found.st_mtim.tv_nsec,
            found.st_ino, found.st_ctim.tv_sec * ns_per_second + found.st_ctim.tv_nsec, found.st_nlink};
}

bool is_input_name(const std::string& name) {
    constexpr std::array<std::string_view, 8> never{".toml", ".part", ".tmp",        ".filepart",
                                                    ".swp",  "~",     ".crdownload", ".partial"};
    if (name.empty() || name.front() == '.') return false;
    const auto lower = core::lower_case(name);
    return std::none_of(never.begin(), never.end(), [&](std::string_view end) { return lower.ends_with(end); });
}

void arrivals::seen(const std::map<std::string, file_state>& files, time now) {
    std::erase_if(files_, [&](const auto& known) { return !files.contains(known.first); });
    for (const auto& [name, state] : files) {
        auto& known = files_[name];
        if (known.looked_at && known.state == state) continue;
        // What was moved in is complete as it is found; whatever changes later is being written after all.
        known.moved = known.moved && !known.looked_at;
        known.looked_at = true;
        known.state = state;
        known.unchanged_since = now;
        known.not_before = time::min();
    }
}

void arrivals::moved_in(const std::string& name) {
    entry fresh;
    fresh.moved = true;
    files_.insert_or_assign(name, fresh);
}

void arrivals::put_off(const std::string& name, time now) {
    const auto at = files_.find(name);
    if (at != files_.end()) at->second.not_before = now + std::max(settle_, shortest_pause);
}

arrivals::time arrivals::ready_at(const entry& file) const {
    return std::max(file.not_before,
                    file.moved && file.state.links <= 1 ? time::min() : file.unchanged_since + settle_);
}

std::vector<std::string> arrivals::ready(time now) const {
    std::vector<std::tuple<std::int64_t, std::string>> found;
    for (const auto& [name, file] : files_)
        if (file.looked_at && ready_at(file) <= now) found.emplace_back(file.state.modified_ns, name);
    std::sort(found.begin(), found.end());
    std::vector<std::string> out;
    out.reserve(found.size());
    for (auto& [modified, name] : found)
        out.push_back(std::move(name));
    return out;
}

arrivals::time arrivals::next(time now) const {
    auto first = time::max();
    for (const auto& [name, file] : files_)
        first = std::min(first, std::max(now, ready_at(file)));
    return first;
}

}  // namespace taskbarge::service::inbox
