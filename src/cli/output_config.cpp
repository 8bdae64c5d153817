#include "cli/output_config.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "taskbarge/core/json_text.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::cli {

using core::json_object;

std::string settings_text(const std::vector<core::setting_value>& settings) {
    std::string out, section;
    for (const auto& s : settings) {
        if (s.section != section) {
            out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", s.section);
            section = s.section;
        }
        const auto line = s.value.empty() ? fmt::format("# {} =", s.key) : fmt::format("{} = {}", s.key, s.value);
        out += fmt::format("{:<48}  # {}\n", line, core::printable(s.value.empty() ? "not set" : s.origin, 1000));
    }
    return out;
}

std::string settings_json(const core::loaded_settings& loaded, report::exit_code code) {
    std::string out;
    json_object o(out);
    o.text_or_null("file", loaded.file);
    o.raw("settings", core::json_list(core::show_settings(loaded), [](std::string& list, const auto& s) {
              json_object one(list);
              one.text("name", s.section + "." + s.key);
              one.text_or_null("value", s.value);
              one.text("origin", s.origin);
              one.close();
          }));
    o.number("exit_code", static_cast<std::uint64_t>(code));
    o.close();
    return out + '\n';
}

std::string config_check_json(const core::examined_settings& found, report::exit_code code) {
    std::string out;
    json_object o(out);
    o.text_or_null("file", found.loaded.file);
    o.raw("problems", core::json_list(found.problems, [](std::string& list, const auto& problem) {
              json_object one(list);
              one.text("text", problem.text);
              one.close();
          }));
    o.raw("warnings", core::json_list(found.loaded.warnings, [](std::string& list, const auto& warning) {
              json_object one(list);
              one.text("text", warning);
              one.close();
          }));
    o.number("exit_code", static_cast<std::uint64_t>(code));
    o.close();
    return out + '\n';
}

}  // namespace taskbarge::cli
