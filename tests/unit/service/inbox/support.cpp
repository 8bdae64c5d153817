#include "support.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "taskbarge/core/fault_point.hpp"

namespace fs = std::filesystem;

namespace taskbarge {
namespace {

std::atomic<int> points_left{-1};
// Set and used by the one thread of a test that asks for it.
std::string awaited_point;
std::function<void()> work_at_point;

}  // namespace

namespace core {

void fault_point(const char* name) {
    if (!awaited_point.empty() && awaited_point == name) {
        awaited_point.clear();
        work_at_point();
    }
    if (points_left >= 0 && points_left-- == 0) ::kill(::getpid(), SIGKILL);
}

}  // namespace core

namespace service::inbox::testing {

temporary_root::temporary_root(place where) {
    const fs::path memory = "/dev/shm";
    const bool use_memory = where == place::memory && ::access(memory.c_str(), W_OK) == 0;
    std::string name = ((use_memory ? memory : fs::temp_directory_path()) / "taskbarge-inbox-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
    inbox_ = path("inbox");
}

temporary_root::~temporary_root() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::string temporary_root::path(std::string_view inside) const {
    return inside.empty() ? path_ : path_ + "/" + std::string(inside);
}

std::string temporary_root::inbox(std::string_view inside) const {
    return inside.empty() ? inbox_ : inbox_ + "/" + std::string(inside);
}

std::string temporary_root::write(std::string_view inside, std::string_view bytes) const {
    std::ofstream(path(inside), std::ios::binary) << bytes;
    return path(inside);
}

std::string temporary_root::drop(std::string_view name, std::string_view bytes) const {
    std::ofstream(inbox(name), std::ios::binary) << bytes;
    return inbox(name);
}

std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return "(none)";
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> names(const std::string& path) {
    std::vector<std::string> out;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(path, error))
        out.push_back(entry.path().filename().string());
    std::sort(out.begin(), out.end());
    return out;
}

int in_child(const std::function<int()>& work) {
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("no child process");
    if (child == 0) ::_exit(work());
    int status = 0;
    if (::waitpid(child, &status, 0) != child) throw std::runtime_error("the child is gone");
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int on_small_disk(const std::string& path, const std::function<int()>& work) {
    // Without the right to mount for all, a name space of users of its own may give it for this process.
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return no_mounts;
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return no_mounts;
    if (::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=256k,mode=0700") != 0) return no_mounts;
    return work();
}

void at_point(std::string name, std::function<void()> work) {
    work_at_point = std::move(work);
    awaited_point = std::move(name);
}

void die_at_point(int n) {
    points_left = n;
}

}  // namespace service::inbox::testing
}  // namespace taskbarge
