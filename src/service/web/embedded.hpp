// The dashboard's files, as the build has put them into the binary.
#pragma once

#include <span>
#include <string_view>

namespace taskbarge::service::web {

struct embedded_file {
    std::string_view name;  // "index.html"
    std::string_view bytes;
};

// Any thread; they live as long as the program.
std::span<const embedded_file> embedded_files();

}  // namespace taskbarge::service::web
