#include "fuzz/accounting.hpp"

#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/memory_input.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::fuzz {
namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

reader::source_options options_for(std::string_view format, std::uint8_t choice) {
    constexpr std::size_t blocks[] = {1, 3, 64, 4096};
    constexpr std::size_t batches[] = {1, 2, 7, 4096};
    constexpr std::uint64_t limits[] = {16, 100, 1000, 1 << 20};
    reader::source_options o;
    o.import.format = format;
    o.block_size = blocks[choice & 3];
    o.batch_rows = batches[choice >> 2 & 3];
    o.import.record_limit = limits[choice >> 4 & 3];
    o.defaults.user_id = "66302798d03b9601c7934ebf";
    o.defaults.type = "call";
    o.defaults.status = "scheduled";
    o.defaults.due_at = "2025-02-15T10:00:00Z";
    o.dates.timezone = "UTC";
    o.dates.time = "09:00";
    o.keep_records = (choice & 0x40) != 0;
    if (choice & 0x40) {
        o.import.notes = core::note_form::html;
        o.import.short_rows = true;
        o.values.type = {{"demo", "call"}, {"*", ""}};
        o.values.owner = {{"dana", "66302798d03b9601c7934ebf"}};
        o.owners = [] { return core::result<std::vector<reader::team_user>>(); };
    }
    if (choice & 0x80) {
        o.columns["note"] = "{note}: {note}";
        o.look = [](std::span<const std::string> names, std::span<const std::string_view> values) {
            require(names.size() <= values.size() || values.empty());
        };
    }
    return o;
}

// Numbers go on from `last`, each once; texts are readable.
void account(const reader::row_batch& batch, core::row_number last) {
    std::vector<bool> seen(batch.rows.size() + batch.rejects.size(), false);
    const auto see = [&](core::row_number n) {
        require(n > last && n - last <= seen.size() && !seen[n - last - 1]);
        seen[n - last - 1] = true;
    };
    require(batch.keys.empty() || batch.keys.size() == batch.rows.size());
    std::size_t bytes = 0;
    for (const reader::row_keys& keys : batch.keys)
        for (const core::key_kind kind : core::all_key_kinds) {
            const auto& [text, column] = keys.by_kind[static_cast<std::size_t>(kind)];
            require(text.empty() == column.empty());
            if (text.empty()) continue;
            const auto again = core::comparable_key(kind, text);
            require(again && *again == text);
        }
    for (const core::row& r : batch.rows) {
        see(r.number);
        const bool has_keys = !batch.keys.empty() && batch.keys[static_cast<std::size_t>(&r - batch.rows.data())].any();
        require((r.contact_id.size() == 24 || (r.contact_id.empty() && has_keys)) && r.details.user_id.size() == 24);
        for (const char c : r.details.note)
            bytes += c != '\r';
        require(bytes >= r.details.note.size());
        bytes = 0;
    }
    for (const core::rejected_row& r : batch.rejects) {
        see(r.number);
        require(!r.code.empty() && !r.message.empty() && r.message.find('\n') == std::string::npos);
    }
}

// What each record of JSON lines became. Nothing when the input as a whole cannot be read.
std::optional<std::vector<std::string>> records_of(const std::string& text) {
    const memory_input file(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    auto options = options_for("jsonl", 0x3F);
    options.names = {"list"};
    auto source = reader::row_source::open({file.path()}, options);
    if (!source) return std::nullopt;
    std::map<core::row_number, std::string> records, keys;
    reader::row_batch batch;
    for (;;) {
        auto more = source->next(batch);
        if (!more) return std::nullopt;
        if (!*more) break;
        for (std::size_t i = 0; i < batch.keys.size(); ++i)
            for (const auto& key : batch.keys[i].by_kind)
                keys[batch.rows[i].number].append(key.text).append("|").append(key.column).append("|");
        for (const core::row& r : batch.rows)
            records[r.number] = keys[r.number] + std::string(r.contact_id) + '|' + std::string(r.details.user_id) +
                                '|' + std::string(to_string(r.details.type)) +
                                std::string(to_string(r.details.priority)) + std::string(to_string(r.details.status)) +
                                core::to_rfc3339(r.details.due_at) + '|' + std::string(r.details.note);
        for (const core::rejected_row& r : batch.rejects) {
            // The parser's word for what is no object may depend on the blank behind it.
            const bool no_object = r.code == "invalid_json" || r.code == "not_an_object";
            records[r.number] = no_object ? "no object" : r.code + '|' + r.column + '|' + r.contact_id + r.message;
        }
    }
    std::vector<std::string> out;
    for (auto& [number, what] : records)
        out.push_back(std::move(what));
    return out;
}

}  // namespace

void read_with_and_without_tabs(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return;
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    std::string with_tabs;
    for (const char c : text)
        (c == '\n' || c == '\r' ? with_tabs += '\t' : with_tabs) += c;
    with_tabs += '\t';
    const auto quick = records_of(text), parsed = records_of(with_tabs);
    // More bytes may make another encoding of it.
    if (quick && parsed) require(*quick == *parsed);
}

void read_and_account(std::string_view format, const std::uint8_t* data, std::size_t size) {
    if (size == 0) return;
    const memory_input file(data + 1, size - 1);
    auto source = reader::row_source::open({file.path()}, options_for(format, data[0]));
    if (!source) return require(source.error().code == core::errc::input);
    reader::row_batch batch;
    core::row_number last = 0;
    for (;;) {
        auto more = source->next(batch);
        if (!more) return require(more.error().code == core::errc::input);
        if (!*more) break;
        account(batch, last);
        last += batch.rows.size() + batch.rejects.size();
    }
    require(source->bytes_read() == size - 1);
}

}  // namespace taskbarge::fuzz
