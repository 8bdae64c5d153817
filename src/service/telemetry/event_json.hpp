// The data of events. docs/service.md lists them.
#pragma once

#include <string>
#include <string_view>

#include "taskbarge/core/json_text.hpp"
#include "taskbarge/job/environment.hpp"

namespace taskbarge::service {

std::string_view to_string(job::phase p);

// {"job":12,"phase":"sending","rows":...,"created":...,...,"in_flight":3,"waiting_for":null,...}
std::string progress_json(const job::progress& p);
// {"job":12,"text":"..."}
std::string notice_json(core::job_id job, std::string_view text);
// {"job":12,"state":"completed","error":null}
std::string job_event_json(core::job_id job, std::string_view state, std::string_view error);
// {"import":"contacts.csv.20261125T190102Z.1","state":"failed","job":null,"error":"..."}
std::string import_event_json(std::string_view import, std::string_view state, std::optional<core::job_id> job,
                              std::string_view error);

}  // namespace taskbarge::service
