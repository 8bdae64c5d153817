#include "taskbarge/reader/survey.hpp"

#include <date/tz.h>

#include <algorithm>
#include <array>

#include "reader/due_dates.hpp"
#include "reader/html_text.hpp"
#include "reader/text.hpp"
#include "taskbarge/core/object_id.hpp"

namespace taskbarge::reader {
namespace {

constexpr std::size_t most_columns = 2000;
constexpr std::size_t most_values = 300;
constexpr std::size_t longest_value = 200;

void add_value(surveyed_column& column, std::string_view text) {
    text = trimmed(text);
    if (text.empty()) return;
    ++column.filled;
    if (core::spelling_of(text) != core::id_spelling::other) ++column.object_ids;
    if (text.find('@') != std::string_view::npos) ++column.addresses;
    if (holds_html(text)) ++column.html;
    if (column.values.size() >= most_values) return;
    std::string kept(text.substr(0, longest_value));
    if (std::find(column.values.begin(), column.values.end(), kept) != column.values.end()) return;
    column.values.push_back(std::move(kept));
    ++column.distinct;
}

// In the order in which they are met.
surveyed_column* column_of(std::vector<surveyed_column>& columns, const std::string& name, std::size_t place) {
    if (place < columns.size() && columns[place].name == name) return &columns[place];
    const auto found =
        std::find_if(columns.begin(), columns.end(), [&](const surveyed_column& c) { return c.name == name; });
    if (found != columns.end()) return &*found;
    if (columns.size() >= most_columns) return nullptr;
    columns.emplace_back().name = name;
    return &columns.back();
}

core::date_settings dates_of(std::string zone, std::string time, std::vector<std::string> formats) {
    return {std::move(zone), std::move(time), std::move(formats)};
}

// The first of the dates that cannot be read for that reason, under those settings.
std::string first_with(std::string_view code, std::span<const std::string> dates, const core::date_settings& settings,
                       core::instant now) {
    auto reading = due_dates::make(settings, now);
    if (!reading) return {};
    for (const auto& text : dates) {
        core::instant ignored;
        const auto wrong = reading->read(text, ignored);
        if (wrong && wrong->code == code) return text;
    }
    return {};
}

// As exports write dates beside the forms that are understood without a setting.
constexpr std::array usual_formats{"%m/%d/%Y",
                                   "%d/%m/%Y",
                                   "%m/%d/%Y %H:%M",
                                   "%d/%m/%Y %H:%M",
                                   "%m/%d/%Y %I:%M %p",
                                   "%d/%m/%Y %I:%M %p",
                                   "%m/%d/%Y, %I:%M %p",
                                   "%d/%m/%Y, %I:%M %p",
                                   "%m/%d/%Y %H:%M:%S",
                                   "%d/%m/%Y %H:%M:%S",
                                   "%m/%d/%Y %I:%M:%S %p",
                                   "%d/%m/%Y %I:%M:%S %p",
                                   "%m/%d/%y",
                                   "%d/%m/%y",
                                   "%d.%m.%Y",
                                   "%d.%m.%Y %H:%M",
                                   "%d-%m-%Y",
                                   "%m-%d-%Y",
                                   "%d-%m-%Y %H:%M",
                                   "%m-%d-%Y %H:%M",
                                   "%Y/%m/%d",
                                   "%Y/%m/%d %H:%M",
                                   "%b %d, %Y",
                                   "%b %d, %Y %I:%M %p",
                                   "%b %d, %Y, %I:%M %p",
                                   "%d %b %Y",
                                   "%d %b %Y %H:%M",
                                   "%d-%b-%Y",
                                   "%a, %b %d, %Y",
                                   "%Y%m%d"};

}  // namespace

const surveyed_column* file_survey::find(const std::string& name) const {
    const auto found =
        std::find_if(columns.begin(), columns.end(), [&](const surveyed_column& c) { return c.name == name; });
    return found == columns.end() ? nullptr : &*found;
}

core::result<file_survey> survey_file(const std::string& path, source_options options) {
    file_survey found;
    options.look = [&found](std::span<const std::string> names, std::span<const std::string_view> values) {
        for (std::size_t i = 0; i < names.size() && i < values.size(); ++i)
            if (auto* column = names[i].empty() ? nullptr : column_of(found.columns, names[i], i))
                add_value(*column, values[i]);
    };
    auto source = row_source::open({path}, std::move(options));
    if (!source) return source.error();
    row_batch batch;
    for (;;) {
        auto more = source->next(batch);
        if (!more) return more.error();
        if (!*more) break;
        found.rows += batch.rows.size() + batch.rejects.size();
    }
    found.report = source->files().front();
    return found;
}

date_needs needs_of_dates(std::span<const std::string> dates, core::instant now) {
    date_needs needs;
    constexpr std::string_view not_understood = "invalid_due_at";
    std::vector<std::string> unread;
    for (const auto& text : dates)
        if (!first_with(not_understood, std::span(&text, 1), dates_of("UTC", "09:00", {}), now).empty())
            unread.push_back(text);
    std::vector<std::string> formats;
    if (!unread.empty()) {
        needs.unread = unread.front();
        for (const char* format : usual_formats)
            if (first_with(not_understood, unread, dates_of("UTC", "09:00", {format}), now).empty())
                needs.formats.emplace_back(format);
        if (!needs.formats.empty()) formats.push_back(needs.formats.front());
    }
    needs.timezone = !first_with("due_at_without_zone", dates, dates_of("", "09:00", formats), now).empty();
    needs.time = !first_with("due_at_without_time", dates, dates_of("UTC", "", formats), now).empty();
    return needs;
}

std::string timezone_of_machine() {
    try {
        return date::current_zone()->name();
    } catch (const std::exception&) {
        return {};  // a machine without a zone has none to propose
    }
}

}  // namespace taskbarge::reader
