// How a job stands when it is reported, in one word.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "taskbarge/core/state.hpp"

namespace taskbarge::job {

enum class report_state : std::uint8_t {
    planning,   // its input is being read
    planned,    // looked at only: no job was made
    running,    // a process works on it right now
    parked,     // unfinished; goes on by itself, or when somebody resumes it
    completed,  // nothing left to do
    failed      // a person is needed before it can go on
};

constexpr std::string_view to_string(report_state v) {
    switch (v) {
        case report_state::planning:
            return "planning";
        case report_state::planned:
            return "planned";
        case report_state::running:
            return "running";
        case report_state::parked:
            return "parked";
        case report_state::completed:
            return "completed";
        case report_state::failed:
            break;
    }
    return "failed";
}

constexpr std::string_view to_string(const std::optional<report_state>& v) {
    return v ? to_string(*v) : std::string_view();
}

// That of a job on which no process works.
constexpr report_state at_rest(core::job_state v) {
    switch (v) {
        case core::job_state::planning:
            return report_state::planning;
        case core::job_state::parked:
            return report_state::parked;
        case core::job_state::completed:
            return report_state::completed;
        case core::job_state::failed:
            break;
    }
    return report_state::failed;
}

}  // namespace taskbarge::job
