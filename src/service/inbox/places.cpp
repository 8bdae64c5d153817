#include "service/inbox/places.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>

#include "service/inbox/files.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::service::inbox {

using core::errc;
using core::failure;
using core::result;

namespace {

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

constexpr std::array places{"processing", "done", "failed", ".incoming"};

result<void> make_all(const std::string& root) {
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

}  // namespace

std::string place_path(const std::string& root, item_place place) {
    return root + "/" + name_of(place);
}

std::string incoming_path(const std::string& root) {
    return root + "/.incoming";
}

failure unusable(const std::string& root, std::string_view why) {
    return {errc::settings, fmt::format("serve.inbox: {} cannot be used: {}", core::printable(root), why)};
}

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

result<std::string> examine_places(const std::string& root) {
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

result<void> make_places(const std::string& root) {
    if (auto ok = make_all(root); !ok) return unusable(root, ok.error().text);
    if (auto ok = try_moves(root); !ok) return unusable(root, ok.error().text);
    return {};
}

}  // namespace taskbarge::service::inbox
