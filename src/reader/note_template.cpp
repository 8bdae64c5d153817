#include "reader/note_template.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reader/text.hpp"

namespace taskbarge::reader {

core::result<note_template> note_template::make(const std::string& setting) {
    const auto wrong = [&](std::string_view what) {
        return core::failure{core::errc::settings, fmt::format("columns.note: {} in {}", what, shown(setting))};
    };
    note_template made;
    made.text_ = setting;
    std::string plain;
    const auto end_plain = [&] {
        if (!plain.empty()) made.parts_.push_back({plain, false});
        plain.clear();
    };
    for (std::size_t i = 0; i < setting.size(); ++i) {
        const bool twice = setting.compare(i, 2, "{{") == 0 || setting.compare(i, 2, "}}") == 0;
        if (twice || setting[i] != '{') {
            plain += setting[i];
            i += twice ? 1 : 0;
            continue;
        }
        const auto close = setting.find('}', i);
        if (close == std::string::npos) return wrong("a brace is not closed (write {{ for a brace itself)");
        const auto name = trimmed(std::string_view(setting).substr(i + 1, close - i - 1));
        if (name.empty()) return wrong("no column's name stands between the braces");
        end_plain();
        made.parts_.push_back({std::string(name), true});
        i = close;
    }
    end_plain();
    if (std::none_of(made.parts_.begin(), made.parts_.end(), [](const part& p) { return p.is_column; }))
        return wrong("no column is named in braces; a text that is the same for all rows is defaults.note");
    return made;
}

}  // namespace taskbarge::reader
