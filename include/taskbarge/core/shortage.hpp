// What the machine or a limit of the process did not give: memory, a thread, a descriptor. It is no bug, and the same
// command goes on when there is more of it.
#pragma once

#include <exception>
#include <optional>
#include <string_view>

#include "taskbarge/core/error.hpp"

namespace taskbarge::core {

// What is short and what to do about it, or nothing where it is something else. Nothing is allocated for it.
std::string_view shortage_text(int system_error);
std::string_view shortage_text(const std::exception& e);

// errc::waiting and the text, after the name of the thing that could not be had.
std::optional<failure> shortage_of(std::string_view thing, int system_error);

// What an exception means that nobody on its way knew better: the failure that it carries, a shortage, else a bug.
failure failure_of(const std::exception& e);

}  // namespace taskbarge::core
