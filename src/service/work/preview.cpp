#include "service/work/preview.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "service/inbox/files.hpp"
#include "service/inbox/item_names.hpp"
#include "taskbarge/core/json_text.hpp"
#include "taskbarge/core/sha256.hpp"
#include "taskbarge/core/text.hpp"
#include "taskbarge/reader/survey.hpp"
#include "taskbarge/report/exit_code.hpp"
#include "taskbarge/report/report_json.hpp"

namespace taskbarge::service {

using core::errc;
using core::result;

namespace {

constexpr std::size_t rows_looked_at = 200, most_examples = 3;
constexpr std::size_t longest_settings = 64UL * 1024;

std::string texts_of(const std::vector<std::string>& texts) {
    return core::json_list(texts, core::append_json_string);
}

// What is in the file, whether or not it can be imported: somebody may have to say which column is which.
std::string columns_of(const job::environment& env, const inbox::item& item) {
    reader::source_options look;
    look.now = env.clock.now();
    look.first_rows = rows_looked_at;
    look.names = {item.note.name};
    look.import.delimiter = env.settings.import.delimiter;
    const auto survey = reader::survey_file(item.input(), std::move(look));
    if (!survey) return "[]";
    return core::json_list(survey->columns, [](std::string& list, const reader::surveyed_column& column) {
        auto examples = column.values;
        examples.resize(std::min(examples.size(), most_examples));
        core::json_object one(list);
        one.text("column", column.name);
        one.raw("examples", texts_of(examples));
        one.close();
    });
}

void append_file(std::string& list, const reader::file_report& file) {
    core::json_object o(list);
    o.text("name", file.name);
    o.text("format", file.format);
    o.raw("fields", report::fields_json(file.columns));
    o.raw("unused", texts_of(file.unused));
    o.raw("passed_over", core::json_list(file.passed_over, [](std::string& passed, const reader::passed_column& c) {
              core::json_object one(passed);
              one.text("column", c.column);
              one.text("why", c.why);
              one.close();
          }));
    o.raw("remarks", texts_of(reader::remarks_on(file)));
    o.close();
}

// Its own settings as they stand in its folder.
std::string settings_of(const inbox::item& item) {
    const auto text = inbox::read_small(item.folder + "/" + inbox::own_settings_file, longest_settings);
    return text ? *text : std::string();
}

preview made_of(const inbox::item& item, const std::optional<core::failure>& why, const std::string& columns,
                const std::string& plan, const std::string& files, const std::string& to_whom) {
    preview out;
    core::json_object o(out.json);
    o.text("import", item.id);
    o.text_or_null("error_code", why ? core::to_string(why->code) : "");
    o.text_or_null("error", why ? why->text : "");
    o.raw("columns", columns);
    o.raw("files", files);
    o.raw("plan", plan);
    o.text("settings", settings_of(item));
    constexpr std::size_t enough = 32;
    out.id = core::hex(core::sha256_of(out.json + to_whom)).substr(0, enough);
    o.text("plan_id", out.id);
    o.close();
    out.json += '\n';
    return out;
}

}  // namespace

result<preview> preview_of(const job::environment& env, const inbox::item& item, const job::import_options& options) {
    const auto planned = job::plan_files(env, options);
    const auto& why = planned.base.why;
    if (why && (why->code == errc::interrupted || core::may_pass(why->code))) return *why;
    auto plan = report::plan_json(planned, env.settings.ledger.path, report::exit_code_of(planned.base));
    plan.pop_back();  // its line end
    return made_of(item, why, columns_of(env, item), plan, core::json_list(planned.base.files, append_file),
                   env.settings.apollo.base_url + ' ' + env.settings.apollo.team);
}

preview preview_of(const inbox::item& item, const core::failure& wrong_settings) {
    return made_of(item, wrong_settings, "[]", "null", "[]", {});
}

}  // namespace taskbarge::service
