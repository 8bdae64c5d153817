#include <fmt/format.h>

#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::reader {
namespace {

// "a row" or "7 rows", and the line of the first.
std::string told(const record_tally& tally, std::string_view one, std::string_view several, std::string_view what) {
    if (tally.records == 1) return fmt::format("{} {}, on line {}", one, what, tally.first_line);
    return fmt::format("{} {} {}, the first on line {}", tally.records, several, what, tally.first_line);
}

}  // namespace

std::vector<std::string> remarks_on(const file_report& file) {
    std::vector<std::string> out;
    if (file.empty) out.emplace_back("is empty and was passed over");
    if (file.empty_rows.records > 0)
        out.push_back(told(file.empty_rows, "a row", "rows", "without any content skipped"));
    if (file.repeated_headers.records > 0)
        out.push_back(told(file.repeated_headers, "a header", "headers", "like the first skipped"));
    if (file.unusable_keys.records > 0)
        out.push_back(told(file.unusable_keys, "a row", "rows",
                           "with an e-mail address or id of a contact that is none; it was not used, as something else "
                           "names the contact"));
    if (file.overdue.records > 0)
        out.push_back(told(file.overdue, "a scheduled row", "scheduled rows", "due more than a day ago") +
                      fmt::format("; the oldest was due {}", core::to_rfc3339_seconds(file.oldest_due).substr(0, 10)));
    return out;
}

}  // namespace taskbarge::reader
