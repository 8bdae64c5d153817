// The words of a server that did not do what was asked.
#pragma once

#include <string>
#include <string_view>

#include "taskbarge/client/answer.hpp"

namespace taskbarge::client {

// What the body says, as one bounded line: the members error, message or error_message of a JSON object, the title of
// an HTML page, else the text itself; `otherwise` when it says nothing.
std::string message_or(const exchange& x, std::string_view otherwise);

// By what a body begins with: a JSON object or array, whole or not; a page (HTML or XML).
bool speaks_json(std::string_view body);
bool is_page(std::string_view body);

}  // namespace taskbarge::client
