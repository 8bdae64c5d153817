// Settings for a file of which only the file itself is known.
#pragma once

#include <string>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/job/commands.hpp"

namespace taskbarge::job {

// What marks a line of the text that nobody but the reader can know; the program refuses such a value.
inline constexpr const char* to_choose = "CHOOSE";
// What marks a line that holds a proposal.
inline constexpr const char* to_check = "CHECK";

struct settings_suggestion {
    std::string text;                    // a settings file, with a comment where each value comes from
    std::vector<std::size_t> choices;    // lines, from 1, that are to be chosen
    std::vector<std::size_t> checks;     // lines that hold a proposal
    core::settings trial;                // the same with something to plan by in place of each choice
    bool can_plan = false;               // something in the file names its contacts
    std::vector<std::string> stand_ins;  // "defaults.type = call", for each choice
};

// Reads the header and the first rows of the files, and asks Apollo for the team's users where there is a key and the
// file names owners. Fails with errc::input where a file cannot be read.
core::result<settings_suggestion> suggest_settings(const environment& env, const import_options& options);

}  // namespace taskbarge::job
