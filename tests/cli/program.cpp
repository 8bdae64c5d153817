#include "cli/program.hpp"

#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace taskbarge::test {

namespace fs = std::filesystem;

namespace {

void redirect(int fd, const std::string& path, int flags) {
    const int file = ::open(path.c_str(), flags, 0600);
    if (file < 0 || ::dup2(file, fd) < 0) ::_exit(126);
    ::close(file);
}

int exit_code_of(pid_t child) {
    int status = 0;
    if (::waitpid(child, &status, 0) != child) throw std::runtime_error("waitpid failed");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string read_until_closed(int fd) {
    std::string all;
    char block[4096];
    // A terminal whose other side is closed gives EIO.
    for (ssize_t n; (n = ::read(fd, block, sizeof block)) > 0;)
        all.append(block, static_cast<std::size_t>(n));
    return all;
}

}  // namespace

program::program() {
    std::string pattern = (fs::temp_directory_path() / "taskbarge-program-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    environment = {{"HOME", folder_.string()}, {"PATH", "/usr/bin:/bin"}, {"TERM", "xterm"}};
}

program::~program() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

std::string program::file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return path(name);
}

std::string program::read(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void program::execute(const std::vector<std::string>& arguments) const {
    std::vector<std::string> texts;
    for (const auto& [name, value] : environment)
        texts.push_back(name + "=" + value);
    std::vector<char*> variables, words;
    for (auto& text : texts)
        variables.push_back(text.data());
    variables.push_back(nullptr);
    words.push_back(const_cast<char*>("taskbarge"));
    for (const auto& argument : arguments)
        words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    const int opened = ::open(TASKBARGE_PROGRAM, O_RDONLY | O_CLOEXEC);
    if (opened >= 0 && ::chdir(folder_.c_str()) == 0) {
        if (before_start) before_start();
        ::fexecve(opened, words.data(), variables.data());
    }
    ::_exit(127);
}

pid_t program::start(const std::vector<std::string>& arguments, const std::string& input) const {
    const auto in = file("stdin", input);
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork failed");
    if (child != 0) return child;
    redirect(STDIN_FILENO, in, O_RDONLY);
    redirect(STDOUT_FILENO, path("stdout"), O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDERR_FILENO, path("stderr"), O_WRONLY | O_CREAT | O_TRUNC);
    execute(arguments);
}

outcome program::finish(pid_t child) const {
    outcome result;
    result.code = exit_code_of(child);
    result.out = read("stdout");
    result.err = read("stderr");
    return result;
}

outcome program::run(const std::vector<std::string>& arguments, const std::string& input) const {
    return finish(start(arguments, input));
}

outcome program::run_on_terminal(const std::vector<std::string>& arguments, unsigned short columns) const {
    winsize size{};
    size.ws_col = columns;
    size.ws_row = 24;
    int terminal = -1;
    const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
    if (child < 0) throw std::runtime_error("forkpty failed");
    if (child == 0) execute(arguments);
    outcome result;
    result.out = read_until_closed(terminal);
    ::close(terminal);
    result.code = exit_code_of(child);
    return result;
}

}  // namespace taskbarge::test
