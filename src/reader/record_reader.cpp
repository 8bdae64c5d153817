#include "reader/record_reader.hpp"

#include <fmt/format.h>

#include "reader/encoding.hpp"
#include "reader/plain_cell.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

constexpr std::size_t kept_of_long_record = 4096;  // enough to recognise it by

}  // namespace

core::result<bool> record_reader::fill(record_sink& sink) {
    while (!sink.full()) {
        if (window_.size() == 0) {
            if (window_.at_end()) return false;
            if (auto read = window_.extend(); !read) return read.error();
            continue;
        }
        if (skipping_) {
            if (auto skipped = skip_line(); !skipped) return skipped.error();
            continue;
        }
        // Where files were joined there is a byte order mark in the middle.
        if (*window_.begin() == utf8_bom.front()) {
            if (auto passed = window_.pass_marks(); !passed) return passed.error();
            if (window_.size() == 0) continue;
        }
        if (auto done = step(sink); !done) return done.error();
    }
    return true;
}

std::optional<fault> record_reader::check(field_texts& texts, record_sink& sink, std::string_view& contact_id,
                                          core::task_view& details, const std::optional<fault>& odd_key) {
    // One look for all four: this is done for each record.
    std::size_t sizes = 0;
    for (const core::key_kind kind : core::all_key_kinds)
        sizes |= texts[field_of(kind)].size();
    has_keys_ = sizes != 0 || odd_key;
    const auto look = [&]() -> std::optional<fault> {
        const bool named = !has_keys_ || !trimmed(texts[field::contact_id]).empty();
        contact_id = {};
        if (named)
            if (auto wrong = context_.checks.contact_id(texts[field::contact_id], sink.texts(), contact_id))
                return wrong;
        if (has_keys_)
            if (auto wrong = read_keys(texts, named, odd_key, sink.texts())) return wrong;
        return context_.checks.details(texts, sink.texts(), details);
    };
    if (any_word_may_fit_ || texts[field::note] == "\\N") make_plain(texts);
    std::optional<fault> wrong = look();
    // The usual cell is plain already.
    if (wrong && make_plain(texts)) wrong = look();
    if (!wrong) return wrong;
    if (wrong->at == field::contact_id) {
        const auto text = trimmed(texts[field::contact_id]);
        wrong->message = text.empty() ? without_contact() : wrong->message + where_it_belongs(text);
    } else if (!wrong->at || !is_key(*wrong->at)) {
        context_.checks.count_unknown_words(texts, *wrong);
    }
    return wrong;
}

std::optional<fault> record_reader::read_keys(const field_texts& texts, bool named, const std::optional<fault>& odd_key,
                                              text_arena& arena) {
    std::optional<fault> wrong = odd_key;
    keys_ = {};
    for (const core::key_kind kind : core::all_key_kinds) {
        const field f = field_of(kind);
        const std::string_view text = trimmed(plain_cell(texts[f]));
        if (text.empty()) continue;
        const auto key = core::comparable_key(kind, text);
        if (key)
            keys_.by_kind[static_cast<std::size_t>(kind)].text = arena.keep(*key);
        else if (!wrong)
            wrong = fault{fmt::format("invalid_{}", to_string(f)), key.error().text, f};
    }
    unusable_key_ = wrong.has_value();
    if (named || keys_.any()) return std::nullopt;
    return wrong ? wrong : fault{"missing_value", {}, field::contact_id};
}

// For what stands in the contact's column and is no id of Apollo's but another key: the setting that says so.
std::string record_reader::where_it_belongs(std::string_view text) const {
    for (const core::key_kind kind : core::all_key_kinds)
        if (context_.rules.configured(field_of(kind)).empty() && core::comparable_key(kind, text)) {
            const std::string_view column = column_of(field::contact_id);
            return fmt::format("; columns.{} = \"{}\" takes the column for such {}", core::to_string(kind),
                               column.empty() ? to_string(field::contact_id) : column,
                               kind == core::key_kind::email          ? "addresses"
                               : kind == core::key_kind::linkedin_url ? "profiles"
                                                                      : "ids");
        }
    return {};
}

void record_reader::give_with_keys(record_sink& sink, std::string_view contact_id, const core::task_view& details,
                                   std::string_view raw) {
    if (has_keys_ && unusable_key_) context_.report.unusable_keys.add(here().line);
    if (!has_keys_) keys_ = {};
    for (const core::key_kind kind : core::all_key_kinds)
        if (auto& key = keys_.by_kind[static_cast<std::size_t>(kind)]; !key.text.empty())
            key.column = sink.name(column_of(field_of(kind)));
    keys_.contact_column = sink.name(column_of(field::contact_id));
    keys_.raw = raw;
    sink.add(here(), contact_id, details, window_.current(), &keys_);
}

std::optional<fault> record_reader::judge_overdue(const core::task_view& details) {
    const auto oldest = context_.options.import.oldest_due;
    if (oldest.count() > 0 && details.due_at < context_.options.now - oldest)
        return fault{
            "due_at_past",
            fmt::format("{} is longer ago than import.oldest_due allows ({}) for a scheduled task; correct it, "
                        "or raise the limit",
                        core::to_rfc3339_seconds(details.due_at), core::format_duration(oldest)),
            field::due_at};
    file_report& report = context_.report;
    if (report.overdue.records == 0 || details.due_at < report.oldest_due) report.oldest_due = details.due_at;
    report.overdue.add(here().line);
    return std::nullopt;
}

void record_reader::pass_empty(const char* next, std::uint64_t lines) {
    context_.report.empty_rows.add(here().line);
    move_on(next, lines);
}

void record_reader::reject_line(record_sink& sink, fault why) {
    const line_end e = find_line_end(window_.begin(), window_.end(), rest());
    const char* const end = e ? e.end : window_.end();
    sink.reject(here(), std::move(why), "", "", kept(text_up_to(end)));
    skipping_ = !e;
    if (e) move_on(e.next, 1);
}

core::result<void> record_reader::skip_line() {
    const line_end e = find_line_end(window_.begin(), window_.end(), rest());
    if (e) {
        skipping_ = false;
        move_on(e.next, 1);
        return {};
    }
    // A CR at the very end may be half of a CRLF: it stays until the next byte is there.
    const bool half = window_.end()[-1] == '\r';
    window_.use_up_to(half ? window_.end() - 1 : window_.end());
    return window_.extend();
}

std::string_view record_reader::kept(std::string_view raw) const {
    return too_long(raw.size()) ? raw.substr(0, kept_of_long_record) : raw;
}

fault record_reader::too_long_fault() const {
    return {
        "record_too_long",
        fmt::format("the record that begins here is longer than import.record_limit ({} bytes); look for a quote that "
                    "is never closed, else raise the limit",
                    limit_),
        {}};
}

}  // namespace taskbarge::reader
