#include "service/inbox/item_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "service/inbox/files.hpp"
#include "service/inbox/places.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::service::inbox {

using core::errc;
using core::failure;
using core::result;

namespace {

constexpr std::size_t longest_note = 64UL * 1024;

}  // namespace

std::string job_text(const noted_job& job) {
    return fmt::format("{} {}\n", job.id, job.made.time_since_epoch().count());
}

result<std::optional<noted_job>> read_job(const std::string& folder) {
    const auto path = folder + "/" + job_file;
    if (!exists(path)) return std::nullopt;
    auto text = read_small(path, 64);
    if (!text) return text.error();
    // "7 1795645822654": the number, and the time in milliseconds.
    noted_job job;
    std::int64_t made = 0;
    const auto* const end = text->data() + text->size();
    auto read = std::from_chars(text->data(), end, job.id);
    if (read.ec == std::errc() && read.ptr != end && *read.ptr == ' ') read = std::from_chars(read.ptr + 1, end, made);
    job.made = core::instant(std::chrono::milliseconds(made));
    if (read.ec != std::errc() || *text != job_text(job))
        return failure{errc::input, fmt::format("{} has no job's number", job_file)};
    return job;
}

result<stored_note> read_note(const std::string& folder) {
    const auto text = read_small(folder + "/" + note_file, longest_note);
    if (!text) return text.error();
    return parse_note(*text);
}

std::vector<std::string> settings_in(const std::string& folder) {
    std::vector<std::string> out;
    for (const char* name : {folder_settings_file, own_settings_file})
        if (is_regular(folder + "/" + name)) out.push_back(folder + "/" + name);
    return out;
}

result<stored_item> read_item(const std::string& root, item_place place, const item_id& id) {
    stored_item out;
    auto& item = out.item;
    item.id = id.text();
    item.place = place;
    item.folder = place_path(root, place) + "/" + item.id;
    item.settings_files = settings_in(item.folder);
    item.note.name = id.stem;
    item.note.taken_at = id.time;
    auto note = read_note(item.folder);
    if (!note && note.error().code != errc::input) return note.error();
    if (note) {
        item.note = std::move(note->note);
        out.dropped_as = std::move(note->dropped_as);
        item.ticket = std::move(note->ticket);
    } else {
        item.trouble = note.error().text;
    }
    item.started = exists(item.folder + "/" + started_file);
    const auto job = read_job(item.folder);
    if (!job && job.error().code != errc::input) return job.error();
    if (job) {
        if (*job) item.job = (*job)->id;
        if (*job) item.job_made = (*job)->made;
    } else {
        item.trouble = job.error().text;
    }
    return out;
}

std::string why_failed(const item& item) {
    const auto text = read_small(item.folder + "/error.txt", longest_note);
    return text ? core::printable(std::string_view(*text).substr(0, text->find('\n')), 2000) : std::string();
}

result<std::vector<item_id>> ids_in(const std::string& folder) {
    auto names = names_in(folder);
    if (!names) return names.error();
    std::vector<item_id> out;
    for (const auto& name : *names)
        if (auto id = parse_id(name)) out.push_back(std::move(*id));
    std::sort(out.begin(), out.end(), is_older);
    return out;
}

bool holds_nothing_else(const std::string& folder) {
    const auto names = names_in(folder);
    return names && std::all_of(names->begin(), names->end(), [](const std::string& name) {
               return name == note_file || name == own_settings_file || name == folder_settings_file ||
                      name.starts_with('.');
           });
}

}  // namespace taskbarge::service::inbox
