// Settings, read and checked by everybody who has to work with them. Every command and the service begin here, so that
// a value that would fail each file is refused at once, wherever it stands.
#pragma once

#include <string>
#include <vector>

#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/settings.hpp"

namespace taskbarge::job {

// All that is wrong with the settings, each with its source. Touches neither network nor the files that they name.
// `now` is what relative dates count from.
core::examined_settings examine_settings(const core::settings_sources& sources, core::instant now);

// The same for whom one problem is enough: the first.
core::result<core::loaded_settings> load_settings(const core::settings_sources& sources, core::instant now);

// The settings of `base` with those of the files that come with an input, as core::with_input_settings() reads them,
// and with the same checks.
core::result<core::settings> with_input_settings(const core::settings& base, const std::vector<std::string>& files,
                                                 core::instant now);

}  // namespace taskbarge::job
