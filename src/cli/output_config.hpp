// What `config check` and `config show` tell.
#pragma once

#include <string>
#include <vector>

#include "taskbarge/core/settings.hpp"
#include "taskbarge/report/exit_code.hpp"

namespace taskbarge::cli {

// A settings file that says for each setting where its value comes from.
std::string settings_text(const std::vector<core::setting_value>& settings);

// One object on one line, with its line end.
std::string settings_json(const core::loaded_settings& loaded, report::exit_code code);
std::string config_check_json(const core::examined_settings& found, report::exit_code code);

}  // namespace taskbarge::cli
