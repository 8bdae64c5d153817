// What is told of a command line that makes no sense, in the program's own words instead of the library's.
#pragma once

#include <CLI/App.hpp>
#include <string>

namespace taskbarge::cli {

// The command that was being read.
struct named_command {
    std::string name;  // with those that it is part of: "taskbarge ledger check"
    const CLI::App* app = nullptr;
};
named_command innermost(const CLI::App& program);

// Why the words that `program` was given could not be used, without line end: with the nearest name where one was
// misspelt. Empty when nothing is wrong but that no command was named.
std::string usage_problem(const CLI::App& program, const CLI::ParseError& e);

// The first word that stands for a command and is none; empty: there is none.
std::string no_command(const CLI::App& app);

}  // namespace taskbarge::cli
