#include "reader/record_reader.hpp"

#include <fmt/format.h>

#include "reader/encoding.hpp"
#include "reader/plain_cell.hpp"

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
                                          core::task_view& details) {
    const auto look = [&]() -> std::optional<fault> {
        if (auto wrong = context_.checks.contact_id(texts[field::contact_id], sink.texts(), contact_id)) return wrong;
        return context_.checks.details(texts, sink.texts(), details);
    };
    if (any_word_may_fit_ || texts[field::note] == "\\N") make_plain(texts);
    std::optional<fault> wrong = look();
    // The usual cell is plain already.
    if (wrong && make_plain(texts)) wrong = look();
    if (wrong && wrong->at != field::contact_id) context_.checks.count_unknown_words(texts, *wrong);
    return wrong;
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
