#include "cli/output_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output_summary.hpp"
#include "cli/text.hpp"

namespace taskbarge::cli {

namespace {

std::string column_text(const reader::mapped_column& c) {
    if (c.column.empty()) return fmt::format("    {:<13} from {}\n", c.field, c.source);
    return fmt::format("    {:<13} \"{}\" ({})\n", c.field, printable(c.column, 80), c.source);
}

std::string file_text(const reader::file_report& file) {
    auto out = fmt::format("{}: {}", printable(file.name), file.format);
    if (file.format.rfind("csv", 0) == 0)
        out += file.delimiter == '\t' ? ", tabs between cells" : fmt::format(", '{}' between cells", file.delimiter);
    out += "\n";
    for (const auto& column : file.columns) {
        out += column_text(column);
    }
    for (const auto& passed : file.passed_over) {
        out += fmt::format("    passed over   \"{}\": {}\n", printable(passed.column, 80), printable(passed.why));
    }
    for (const auto& remark : reader::remarks_on(file))
        out += fmt::format("    remark        {}\n", printable(remark, 300));
    if (file.unused.empty()) return out;
    std::string names;
    for (const auto& name : file.unused) {
        names += (names.empty() ? "" : ", ") + printable(name, 60);
    }
    return out + fmt::format("    not used      {}\n", printable(names, 300));
}

std::string details_text(const core::task_details& d, core::instant now, const style& look) {
    auto out = fmt::format("{} {} {} due {} for {}", core::to_string(d.status), core::to_string(d.priority),
                           core::to_string(d.type), look.time(d.due_at, now), printable(d.user_id, 40));
    if (!d.note.empty()) out += fmt::format(", note \"{}\"", printable(d.note, 60));
    return out;
}

std::string groups_text(const job::plan_report& plan, core::instant now, const style& look) {
    if (plan.largest_groups.empty()) return "";
    std::string out = "Groups by size:\n";
    for (const auto& size : plan.group_sizes) {
        const auto rows = size.to == 1           ? std::string("1 row")
                          : size.from == size.to ? counted(size.to, "row", "rows")
                                                 : fmt::format("{} to {} rows", grouped(size.from), grouped(size.to));
        out += fmt::format("  {:>9} of {}: {}\n", counted(size.groups, "group", "groups"), rows,
                           counted(size.requests, "request", "requests"));
    }
    out += "Largest groups:\n";
    for (const auto& group : plan.largest_groups) {
        out += fmt::format("  {:>9} in {}: {}\n", counted(group.rows, "row", "rows"),
                           counted(group.requests, "request", "requests"), details_text(group.details, now, look));
    }
    return out;
}

// "480 requests", and how long they take where that is known and worth telling.
std::string cost_text(std::uint64_t requests, const std::optional<core::instant>& end, core::instant now) {
    auto out = counted(requests, "request", "requests");
    if (end && *end - now >= std::chrono::minutes(1)) out += fmt::format(", {}", spoken(*end - now));
    return out;
}

std::string share_text(std::uint64_t part, std::uint64_t whole) {
    const auto percent = whole == 0 ? 0 : part * 100 / whole;
    return percent == 0 ? "under 1 %" : fmt::format("{} %", percent);
}

std::string splitters_text(const job::plan_report& plan, core::instant now) {
    const auto least = plan.base.requests.minimum_requests;
    std::string out;
    for (const auto& splitter : plan.splitters) {
        if (splitter.requests_without >= least) continue;
        out += fmt::format("  {} differs in {} of rows: {}, instead of {}\n", splitter.field,
                           share_text(splitter.rows_differing, plan.base.rows.pending),
                           cost_text(least, plan.expected_end, now),
                           cost_text(splitter.requests_without, splitter.expected_end, now));
    }
    return out.empty() ? out : "What keeps rows from sharing requests:\n" + out;
}

std::string finding_text(const job::plan_report& plan, core::instant now) {
    const auto& tally = plan.base.contacts;
    auto out = tally.all() > 0 ? fmt::format("Contacts: {}.\n", job::text_of(tally)) : std::string();
    if (!plan.contacts_to_find) return out;
    const auto& find = *plan.contacts_to_find;
    out += fmt::format("To find the rest, {}", find.how);
    if (find.expected_end && *find.expected_end - now >= std::chrono::minutes(1))
        out += fmt::format(" ({} under the windows of contacts/search)", spoken(*find.expected_end - now));
    return out + ".\n";
}

std::string search_text(const job::plan_report& plan, core::instant now) {
    if (plan.search_requests == 0) return "";
    return fmt::format("If 1 % of the contacts are stale: {} more to find them.\n",
                       cost_text(plan.search_requests, plan.expected_end_with_search, now));
}

std::string rejects_text(const job::plan_report& plan, const style& look) {
    if (plan.rejects.empty()) return "";
    std::string out = "Rejected, commonest reasons first:\n";
    for (const auto& reject : plan.rejects) {
        const auto head = fmt::format("  {:>9}  {:<22}", grouped(reject.rows), reject.code);
        out += look.explained(look.bad(head), head.size(),
                              fmt::format("e.g. {}: {}", printable(job::place_of(reject.example, plan.base.files), 300),
                                          printable(reject.example.message, 600)));
    }
    return out;
}

// As lines of a settings file, in which only the meaning is to be filled in.
std::string unknown_words_text(const job::plan_report& plan) {
    std::string out, field;
    for (const auto& word : plan.unknown_words) {
        if (word.field != field) out += fmt::format("  [values.{}]\n", field = word.field);
        out += fmt::format("  {} = \"?\"  # {}\n", core::toml_text(word.word), counted(word.rows, "row", "rows"));
    }
    return out.empty() ? out : "Words that are not known; say in the settings what they mean:\n" + out;
}

std::string samples_text(const job::plan_report& plan, core::instant now, const style& look) {
    if (plan.first_rows.empty()) return "";
    std::string out = "First rows as they would be sent:\n";
    for (const auto& row : plan.first_rows) {
        out += fmt::format("  row {:<6} {}: {}\n", row.number, printable(row.contact_id, 40),
                           details_text(row.details, now, look));
    }
    return out;
}

std::string limits_text(const job::plan_report& plan, core::instant now, const style& look) {
    if (!plan.book)
        return "Rate limits: not known; without a key, or without the right to ask, the first answer tells.\n";
    auto out = "Rate limits of tasks/bulk_create:\n" + windows_text(*plan.book, now, "  ", look);
    if (plan.expected_end && *plan.expected_end <= now)
        return out + "Begun now, it would wait for no window: it ends when Apollo has answered.\n";
    if (plan.expected_end)
        out += fmt::format("Begun now, it would end about {} (in {}).\n", look.time(*plan.expected_end, now),
                           spoken(*plan.expected_end - now));
    return out;
}

}  // namespace

std::string windows_text(const core::rate_book& book, core::instant now, const std::string& indent, const style& look) {
    std::string out;
    for (const auto kind : core::all_window_kinds) {
        const auto& window = book[kind];
        out += fmt::format("{}{:<7}", indent, core::to_string(kind));
        if (window.unlimited) {
            out += "unlimited\n";
            continue;
        }
        out += window.limit ? fmt::format("{} of {} used", grouped(window.used), grouped(*window.limit))
                            : std::string("not known yet");
        if (window.shut) out += ", shut";
        if (window.ends_at && *window.ends_at > now)
            out +=
                fmt::format(", opens anew {}{}", window.end_known ? "at " : "about ", look.time(*window.ends_at, now));
        out += "\n";
    }
    return out;
}

std::string plan_summary(const job::plan_report& plan, core::instant now, const style& look) {
    std::string out;
    for (const auto& file : plan.base.files) {
        out += file_text(file);
    }
    const auto& requests = plan.base.requests;
    out += sum_line(plan.base.rows, look) + "\n";
    out += fmt::format("{} {} at least\n", counted(requests.groups, "group makes", "groups make"),
                       counted(requests.minimum_requests, "request", "requests"));
    out += finding_text(plan, now);
    if (plan.repeats) out += fmt::format("Again: {}.\n", job::text_of(*plan.repeats));
    out += groups_text(plan, now, look) + splitters_text(plan, now) + search_text(plan, now) +
           rejects_text(plan, look) + unknown_words_text(plan) + samples_text(plan, now, look) +
           limits_text(plan, now, look);
    return out + "Nothing was sent.\n";
}

}  // namespace taskbarge::cli
