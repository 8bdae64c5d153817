#include "cli/output_doctor.hpp"

#include <fmt/format.h>

#include "cli/output_plan.hpp"
#include "cli/text.hpp"
#include "taskbarge/core/json_text.hpp"

namespace taskbarge::cli {

using core::json_object;

namespace {

std::string_view word_of(job::health h) {
    switch (h) {
        case job::health::good:
            return "good";
        case job::health::doubtful:
            return "doubtful";
        case job::health::bad:
            return "bad";
    }
    return "";
}

std::string findings(const job::doctor_report& d, const style& look) {
    std::string out;
    for (const auto& line : d.lines) {
        const auto word = fmt::format("{:<8}", word_of(line.health));
        out += fmt::format("{}  {:<28}  {}\n", line.health == job::health::bad ? look.bad(word) : word, line.what,
                           printable(line.text));
    }
    return out;
}

}  // namespace

std::string ledger_check_text(const job::doctor_report& d, const style& look) {
    return findings(d, look) + (d.why ? "The ledger cannot be used as it is.\n" : "The ledger is whole.\n");
}

std::string doctor_text(const job::doctor_report& d, core::instant now, const style& look) {
    auto out = findings(d, look);
    if (d.book) out += "Rate windows of tasks/bulk_create:\n" + windows_text(*d.book, now, "  ", look);
    out += d.why ? "An import would fail.\n" : "An import would work.\n";
    if (d.has_service)
        out += d.why || d.why_no_service ? "The service would fail.\n" : "The service would work.\n";
    else if (d.why_no_service)
        out += "Nobody would be notified.\n";
    return out;
}

std::string doctor_json(const job::doctor_report& d, const std::string& ledger_path, exit_code code) {
    std::string out;
    json_object o(out);
    o.raw("findings", core::json_list(d.lines, [](std::string& list, const auto& line) {
              json_object one(list);
              one.text("what", line.what);
              one.text("health", word_of(line.health));
              one.text("text", line.text);
              one.close();
          }));
    o.text_or_null("ledger", ledger_path);
    o.number("exit_code", static_cast<std::uint64_t>(code));
    const auto& why = d.why ? d.why : d.why_no_service;
    o.text_or_null("error", why ? why->text : "");
    o.close();
    return out + '\n';
}

}  // namespace taskbarge::cli
