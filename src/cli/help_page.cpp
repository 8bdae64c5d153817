#include "cli/help_page.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "cli/text.hpp"

namespace taskbarge::cli {

namespace {

constexpr std::size_t options_column = 28, commands_column = 12;

// "  NAME    what it is", the words behind the name in a column of their own.
std::string entry(const std::string& name, const std::string& what, std::size_t column, std::size_t columns) {
    auto out = "  " + name;
    if (out.size() + 2 > column) {
        out += '\n';
        out.append(column, ' ');
    } else {
        out.append(column - out.size(), ' ');
    }
    return out + wrapped(what, columns, column) + '\n';
}

// "-q, --quiet", "--set KEY=VALUE".
std::string name_of(const CLI::Option& option) {
    if (option.get_positional()) return option.get_name(true);
    std::string out;
    for (const auto& letter : option.get_snames())
        out += (out.empty() ? "-" : ", -") + letter;
    for (const auto& word : option.get_lnames())
        out += (out.empty() ? "--" : ", --") + word;
    const auto type = option.get_type_size() == 0 ? std::string() : option.get_type_name();
    return type.empty() ? out : out + ' ' + type;
}

std::string usage_of(const CLI::App& app, std::string_view name) {
    auto out = fmt::format("Usage: {}", name);
    const auto positionals = app.get_options([](const CLI::Option* o) { return o->get_positional(); });
    if (app.get_options().size() > positionals.size()) out += " [OPTIONS]";
    for (const auto* one : positionals) {
        const auto word = one->get_name(true) + (one->get_expected_max() > 1 ? "..." : "");
        out += one->get_required() ? ' ' + word : fmt::format(" [{}]", word);
    }
    if (app.get_require_subcommand_min() != 0) out += " COMMAND";
    return out + '\n';
}

std::string options_of(const CLI::App& app, const std::string& title, std::size_t columns, bool positional,
                       const std::string& group = {}) {
    std::string out;
    for (const auto* option : app.get_options()) {
        if (option->get_positional() != positional || (!positional && option->get_group() != group)) continue;
        const bool must = option->get_required() && !positional;
        out +=
            entry(name_of(*option), option->get_description() + (must ? " (required)" : ""), options_column, columns);
    }
    return out.empty() ? out : fmt::format("\n{}:\n{}", title, out);
}

std::string commands_of(const CLI::App& app, std::size_t columns) {
    std::string out;
    for (const auto* command : app.get_subcommands({}))
        out += entry(command->get_name(), command->get_description(), commands_column, columns);
    return out;
}

// Lines that begin with blanks stand as they are. Words behind a gap, which explain, go below where there is no room
// for those of each line.
std::string examples(const std::vector<std::string_view>& lines, std::size_t columns) {
    constexpr std::size_t below = 6;
    const bool fit = std::all_of(lines.begin(), lines.end(), [&](auto line) { return line.size() <= columns; });
    std::string out;
    for (const auto line : lines) {
        const auto gap = line.find("   ", line.find_first_not_of(' '));
        if (fit || gap == std::string_view::npos) {
            out += std::string(line) + '\n';
            continue;
        }
        const auto words = line.substr(line.find_first_not_of(' ', gap));
        out += fmt::format("{}\n{}{}\n", line.substr(0, gap), std::string(below, ' '), wrapped(words, columns, below));
    }
    return out;
}

// Lines that begin with a letter make paragraphs, which are filled anew.
std::string filled(std::string_view text, std::size_t columns) {
    std::string out, paragraph;
    std::vector<std::string_view> indented;
    const auto end_block = [&] {
        if (!paragraph.empty()) out += wrapped(paragraph, columns) + '\n';
        out += examples(indented, columns);
        paragraph.clear();
        indented.clear();
    };
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const bool is_example = line.starts_with(' ');
        if (line.empty() || (is_example ? !paragraph.empty() : !indented.empty())) end_block();
        if (line.empty())
            out += '\n';
        else if (is_example)
            indented.push_back(line);
        else
            paragraph += (paragraph.empty() ? "" : " ") + std::string(line);
    }
    end_block();
    return out;
}

}  // namespace

std::string help_page(const CLI::App& app, std::string_view name, std::size_t columns) {
    auto out = filled(app.get_description(), columns) + '\n' + usage_of(app, name);
    out += options_of(app, "Arguments", columns, true);
    for (const auto& group : app.get_groups())
        out += options_of(app, group, columns, false, group);
    if (const auto commands = commands_of(app, columns); !commands.empty()) out += "\nCommands:\n" + commands;
    return out + filled(app.get_footer(), columns);
}

std::string overview(const CLI::App& app, std::string_view name, std::size_t columns) {
    return fmt::format("{}\n{}\n{} COMMAND --help says more about each.\n", usage_of(app, name),
                       commands_of(app, columns), name);
}

}  // namespace taskbarge::cli
