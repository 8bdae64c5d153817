// Runs the real program in a folder of its own, as a user or cron would.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace taskbarge::test {

struct outcome {
    int code = -1;  // exit code; -1: it died of a signal
    std::string out, err;
};

// A folder that is home and working directory of every run, and gone at the end. Nothing of the caller's environment is
// passed on.
class program {
 public:
    program();
    program(const program&) = delete;
    program& operator=(const program&) = delete;
    ~program();

    // Writes a file into the folder and gives its path.
    std::string file(const std::string& name, const std::string& text) const;
    std::string read(const std::string& name) const;
    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    // Runs to the end.
    outcome run(const std::vector<std::string>& arguments, const std::string& input = "") const;

    // Starts only; finish() waits for the end.
    pid_t start(const std::vector<std::string>& arguments, const std::string& input = "") const;
    outcome finish(pid_t child) const;

    // Runs with a terminal of that many columns for input, output and errors; `out` holds all that was shown.
    outcome run_on_terminal(const std::vector<std::string>& arguments, unsigned short columns) const;

    std::map<std::string, std::string> environment;
    // Done in the child just before it becomes the program, for limits and another user's id. Folder, files and the
    // program itself are open by then.
    std::function<void()> before_start;

 private:
    [[noreturn]] void execute(const std::vector<std::string>& arguments) const;
    std::filesystem::path folder_;
};

}  // namespace taskbarge::test
