// init: settings for a file of which only the file itself is known.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/observer.hpp"
#include "cli/output_file.hpp"
#include "cli/output_plan.hpp"
#include "cli/text.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/job/suggestion.hpp"

namespace taskbarge::cli {

namespace {

constexpr const char* usual_file = "taskbarge.toml";

core::result<void> write_settings(const std::string& path, const std::string& text, bool replace) {
    std::error_code ignored;
    if (!replace && path != "-" && std::filesystem::exists(path, ignored))
        return core::failure{
            core::errc::settings,
            fmt::format("{} is there already: give another name with -o, or --force to replace it", path)};
    auto file = output_file::open(path);
    if (!file) return file.error();
    file->write(text);
    return file->finish();
}

// "line 4", "lines 4, 6 to 9".
std::string lines_text(const std::vector<std::size_t>& lines) {
    std::string out = lines.size() == 1 ? "line " : "lines ";
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::size_t last = i;
        while (last + 1 < lines.size() && lines[last + 1] == lines[last] + 1)
            ++last;
        out += fmt::format("{}{}", i == 0 ? "" : ", ", lines[i]);
        if (last > i) out += fmt::format("{}{}", last == i + 1 ? ", " : " to ", lines[last]);
        i = last;
    }
    return out;
}

// What is left for the person to do.
std::string steps_after_init(const options& o, const std::string& path, const job::settings_suggestion& found) {
    auto out = fmt::format("wrote {}", path);
    if (!found.choices.empty())
        out +=
            fmt::format("; {} yours to choose ({})",
                        found.choices.size() == 1 ? "one value is" : fmt::format("{} values are", found.choices.size()),
                        lines_text(found.choices));
    if (!found.checks.empty()) out += fmt::format("; look at what is proposed in {}", lines_text(found.checks));
    const auto config = path == usual_file ? std::string() : fmt::format(" --config {}", shell_word(path));
    std::string files;
    for (const auto& file : o.files)
        files += " " + shell_word(file);
    return out + fmt::format("\ntaskbarge: then: taskbarge plan{}{}", config, files);
}

// One settings file is read, and no other: what else stood in the one before would be missed without a word.
void warn_of_lost_settings(const invocation& s, const std::string& path) {
    std::error_code ignored;
    if (s.file.empty() || path == "-" || std::filesystem::equivalent(s.file, path, ignored)) return;
    const auto about_rows = [](const std::string& name) {
        constexpr std::array sections{"columns.", "values.", "defaults.", "dates.", "import."};
        return std::any_of(sections.begin(), sections.end(),
                           [&](const char* section) { return name.starts_with(section); });
    };
    std::vector<std::string> others;
    for (const auto& [name, origin] : s.origins)
        if (origin.starts_with(s.file + ":") && !about_rows(name)) others.push_back(name);
    if (!others.empty())
        complain(fmt::format("warning: where {} is used, {} is not read: copy what it says of {}", path, s.file,
                             fmt::join(others, ", ")));
}

// The file is read more than once: for its columns, its words and the plan.
core::result<void> check_rereadable(const std::vector<std::string>& files) {
    for (const auto& file : files) {
        std::error_code ignored;
        const auto status = std::filesystem::status(file, ignored);
        if (file == "-" || (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)))
            return core::failure{core::errc::usage,
                                 fmt::format("init reads its file more than once, and {} can be read but once: save it "
                                             "as a file first",
                                             file == "-" ? "standard input" : file)};
    }
    return {};
}

}  // namespace

exit_code init_command(const options& o, const program& p) {
    if (const auto good = check_rereadable(o.files); !good) return end(o, p, nullptr, good.error());
    auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    if (const auto key = take_key(*s, p, key_need::if_there); !key) return end(o, p, &s->settings, key.error());
    const auto path = o.settings_output.empty() ? std::string(usual_file) : o.settings_output;
    terminal_observer watch({progress_style_for_stderr(o.quiet), write_stderr, [] { return columns_of(STDERR_FILENO); },
                             p.clock, style_of(STDERR_FILENO, s->settings.dates.timezone)});
    const job::import_options input{o.files};
    const job::environment environment{s->settings, s->key, p.clock, p.stop, watch, p.seed};
    const auto found = job::suggest_settings(environment, input);
    watch.finish();
    if (!found) return end(o, p, &s->settings, found.error());
    if (const auto written = write_settings(path, found->text, o.replace); !written)
        return end(o, p, &s->settings, written.error());
    if (path == "-") return exit_code::done;
    warn_of_lost_settings(*s, path);
    complain(steps_after_init(o, path, *found));
    if (o.quiet || !found->can_plan) return exit_code::done;
    if (const auto& stand_ins = found->stand_ins; !stand_ins.empty()) {
        constexpr std::size_t most_named = 5;
        const auto named = std::min(most_named, stand_ins.size());
        complain(fmt::format("the plan below goes by {}{} until you have chosen",
                             fmt::join(stand_ins.begin(), stand_ins.begin() + static_cast<std::ptrdiff_t>(named), ", "),
                             named < stand_ins.size() ? fmt::format(" and {} more", stand_ins.size() - named) : ""));
    }
    const job::environment trial{found->trial, s->key, p.clock, p.stop, watch, p.seed};
    const auto plan = job::plan_files(trial, input);
    watch.finish();
    if (plan.base.why) complain(plan.base.why->text);
    return plan.base.rows.rows == 0
               ? exit_code::done
               : deliver(plan_summary(plan, p.clock.now(), stdout_style(s->settings)), exit_code::done);
}

}  // namespace taskbarge::cli
