#include "cli/usage.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "taskbarge/core/edit_distance.hpp"

namespace taskbarge::cli {

namespace {

bool is_option(const std::string& word) {
    return word.size() > 1 && word.front() == '-';
}

// "; the nearest is import", where one is near enough to be meant.
std::string nearest_hint(const std::string& word, const std::vector<std::string>& names) {
    constexpr std::size_t most_edits = 3;
    const auto found = core::nearest(word, names);
    const auto most = std::min(most_edits, word.size() / 2);
    if (found.empty() || core::edit_distance(CLI::detail::to_lower(word), found) > most) return {};
    return "; the nearest is " + found;
}

std::vector<std::string> command_names_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* command : app.get_subcommands({}))
        names.push_back(command->get_name());
    return names;
}

std::vector<std::string> option_names_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* option : app.get_options())
        for (const auto& name : option->get_lnames())
            names.push_back("--" + name);
    return names;
}

std::string first_word(const std::vector<std::string>& words, bool options) {
    const auto found = std::find_if(words.begin(), words.end(),
                                    [options](const std::string& word) { return is_option(word) == options; });
    return found == words.end() ? "" : *found;
}

// The option without the value that is glued to it.
std::string without_value(const std::string& option) {
    return option.substr(0, option.find('='));
}

// What stands before the command: the program itself has no options but --help and --version.
std::string misplaced(const CLI::App& program, const named_command& at) {
    const auto option = without_value(first_word(program.remaining(), true));
    if (option.empty()) return {};
    if (at.app == &program) return fmt::format("{} must stand behind a command", option);
    return fmt::format("{} must stand behind the command: {} {}", option, at.name, option);
}

std::string unknown_option(const CLI::App& command) {
    const auto option = without_value(first_word(command.remaining(), true));
    if (option.empty()) return {};
    return fmt::format("there is no option {}{}", option, nearest_hint(option, option_names_of(command)));
}

// "--set: 1 required KEY=VALUE missing", "--config: At Most 1 required but received 2"
std::string wrong_number_of_values(const std::string& text) {
    const bool several = text.find("At Most") != std::string::npos;
    return text.substr(0, text.find(':')) + (several ? " is given more than once" : " needs a value");
}

// "Could not convert: --seed = x"
std::string not_converted(const CLI::App& command, const std::string& text) {
    const auto name_at = text.find(": "), value_at = text.find(" = ");
    if (name_at == std::string::npos || value_at == std::string::npos || value_at < name_at) return text;
    const auto name = text.substr(name_at + 2, value_at - name_at - 2);
    const auto* option = command.get_option_no_throw(name);
    if (option && option->get_items_expected_max() == 0) return name + " takes no value";
    return fmt::format("{}: \"{}\" is no number", name, text.substr(value_at + 3));
}

}  // namespace

named_command innermost(const CLI::App& program) {
    named_command out{program.get_name(), &program};
    for (auto subs = program.get_subcommands(); !subs.empty(); subs = subs.front()->get_subcommands()) {
        out.name += ' ' + subs.front()->get_name();
        out.app = subs.front();
    }
    return out;
}

std::string no_command(const CLI::App& app) {
    const auto names = command_names_of(app);
    const auto word = first_word(app.remaining(), false);
    if (names.empty() || word.empty()) return {};
    return fmt::format("there is no command \"{}\"{}", word, nearest_hint(word, names));
}

std::string usage_problem(const CLI::App& program, const CLI::ParseError& e) {
    const auto at = innermost(program);
    if (auto text = misplaced(program, at); !text.empty()) return text;
    if (auto text = no_command(*at.app); !text.empty()) return text;
    if (auto text = unknown_option(*at.app); !text.empty()) return text;
    if (at.app->get_require_subcommand_min() != 0) return {};
    const std::string text = e.what();
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&e)) return wrong_number_of_values(text);
    if (dynamic_cast<const CLI::ConversionError*>(&e)) return not_converted(*at.app, text);
    if (dynamic_cast<const CLI::ExtrasError*>(&e))
        return fmt::format("unexpected: {}", fmt::join(at.app->remaining(), " "));
    return text;
}

}  // namespace taskbarge::cli
