// What --help shows: made here, as the library's own pages show its types and checks, and go past the last column.
#pragma once

#include <CLI/App.hpp>
#include <cstddef>
#include <string>
#include <string_view>

namespace taskbarge::cli {

// All about the command `app`, which is called by `name`: what it does, its options, examples.
std::string help_page(const CLI::App& app, std::string_view name, std::size_t columns);

// Its commands alone, for whoever named none.
std::string overview(const CLI::App& app, std::string_view name, std::size_t columns);

}  // namespace taskbarge::cli
