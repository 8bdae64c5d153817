// The body of a bulk_create request, checked as Apollo checks it.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/wire.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::sandbox {

// Views into the reader's memory: good until its next read().
struct create_request {
    core::task_view details;
    std::vector<std::string_view> contacts;  // in order, as sent
};

class create_reader {
 public:
    // The request, or the 400 or 422 that it deserves.
    or_answer<create_request> read(std::string_view body);

 private:
    simdjson::dom::parser parser_;
};

}  // namespace taskbarge::sandbox
