#include "cli/output_ledger.hpp"

#include <fmt/format.h>

#include "cli/text.hpp"
#include "taskbarge/core/json_text.hpp"

namespace taskbarge::cli {

std::string accepted_text(const ledger::accepted_ledger& done) {
    const auto doubt =
        done.rows == 0
            ? std::string("Accepted. It knows of no unfinished job with rows that were not sent.\n")
            : fmt::format(
                  "Accepted. {} of {} may have been sent: the next import or resume looks for them "
                  "in Apollo before it sends anything.\n",
                  counted(done.rows, "row", "rows"), counted(done.jobs, "unfinished job", "unfinished jobs"));
    return doubt +
           "Inputs that are imported from now on are looked up first, too, since the ledger may have lost their jobs.\n"
           "Import again what was imported lately; when that is done: taskbarge ledger trust\n";
}

std::string ledger_json(command what, const core::result<ledger::accepted_ledger>& done, const std::string& ledger_path,
                        report::exit_code code) {
    const auto numbers = done ? *done : ledger::accepted_ledger{};
    std::string out;
    core::json_object o(out);
    o.text("action", what == command::ledger_accept ? "accept" : "trust");
    o.number("jobs", numbers.jobs);
    o.number("chunks", numbers.chunks);
    o.number("rows", numbers.rows);
    o.text_or_null("ledger", ledger_path);
    o.number("exit_code", static_cast<std::uint64_t>(code));
    o.text_or_null("error_code", done ? std::string_view() : core::to_string(done.error().code));
    o.text_or_null("error", done ? std::string_view() : done.error().text);
    o.close();
    return out + '\n';
}

}  // namespace taskbarge::cli
