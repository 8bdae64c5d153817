// What the readers of both formats share: a window over one file, the line they are at, records that are too long.
#pragma once

#include <string>
#include <string_view>

#include "reader/field_map.hpp"
#include "reader/framing.hpp"
#include "reader/record_sink.hpp"
#include "reader/row_checks.hpp"

namespace taskbarge::reader {

// One file of the input. What it refers to outlives the reader.
struct file_context {
    std::uint32_t index = 0;
    const source_options& options;
    const name_rules& rules;
    row_checks& checks;
    file_report& report;
};

inline bool takes_any_word(const source_options& options) {
    const auto& v = options.values;
    const auto names_others = [](const core::word_map& words) { return words.contains("*"); };
    return options.import.id_pattern != core::import_settings{}.id_pattern || names_others(v.type) ||
           names_others(v.priority) || names_others(v.status) || names_others(v.owner);
}

class record_reader {
 public:
    virtual ~record_reader() = default;
    record_reader(const record_reader&) = delete;
    record_reader& operator=(const record_reader&) = delete;

    // Moves records to the sink until it is full (true) or the file ends (false).
    core::result<bool> fill(record_sink& sink);
    byte_source& source() { return window_.source(); }

 protected:
    record_reader(byte_window window, const file_context& context)
        : window_(std::move(window)),
          context_(context),
          limit_(context.options.import.record_limit),
          overdue_before_(context.options.now - std::chrono::days(1)),
          any_word_may_fit_(takes_any_word(context.options)) {}

    // Uses up some of the window, which is not empty, perhaps giving records to the sink.
    virtual core::result<void> step(record_sink& sink) = 0;

    // Checks a record's texts, which are made plain where that helps; a good one's contact and details are given out.
    // Without a contact id it has a key. `odd_key`: why a key of it, which has no text then, is none.
    std::optional<fault> check(field_texts& texts, record_sink& sink, std::string_view& contact_id,
                               core::task_view& details, const std::optional<fault>& odd_key = std::nullopt);
    // Gives a record that check() found good to the sink; `raw` is in the window's block.
    void give(record_sink& sink, std::string_view contact_id, const core::task_view& details, std::string_view raw) {
        if (has_keys_ || context_.options.keep_records) return give_with_keys(sink, contact_id, details, raw);
        sink.add(here(), contact_id, details, window_.current());
    }
    // The column or key of the record that holds a field; empty: none.
    virtual std::string_view column_of(field f) const = 0;
    // Why a record in which nothing names the contact is no row.
    virtual std::string without_contact() const = 0;
    // Why a good row is due too long ago, or nothing; what is overdue is counted.
    std::optional<fault> overdue_fault(const core::task_view& details) {
        if (details.due_at >= overdue_before_ || details.status != core::task_status::scheduled) [[likely]]
            return std::nullopt;
        return judge_overdue(details);
    }
    // Moves over a record that holds nothing at all, as over a blank line; the report counts it.
    void pass_empty(const char* next, std::uint64_t lines);

    core::source_position here() const { return {context_.index, line_}; }
    input_rest rest() const { return window_.at_end() ? input_rest::complete : input_rest::more_may_come; }
    std::string_view text_up_to(const char* end) const {
        return {window_.begin(), static_cast<std::size_t>(end - window_.begin())};
    }
    void move_on(const char* next, std::uint64_t lines) {
        window_.use_up_to(next);
        line_ += lines;
    }
    bool too_long(std::size_t size) const { return size > limit_; }
    // The record that begins here has not ended yet but is longer than allowed, whatever its line end may turn out to
    // be.
    bool too_long_already() const { return window_.size() > 1 && too_long(window_.size() - 1); }
    // Rejects the line that begins here alone; what of it is not yet read is passed over by fill().
    void reject_line(record_sink& sink, fault why);
    // The bytes that a reject keeps of a record: all, or a prefix when it is too long.
    std::string_view kept(std::string_view raw) const;
    fault too_long_fault() const;

    byte_window window_;
    file_context context_;

 private:
    core::result<void> skip_line();
    std::optional<fault> judge_overdue(const core::task_view& details);
    std::optional<fault> read_keys(const field_texts& texts, bool named, const std::optional<fault>& odd_key,
                                   text_arena& arena);
    void give_with_keys(record_sink& sink, std::string_view contact_id, const core::task_view& details,
                        std::string_view raw);
    std::string where_it_belongs(std::string_view text) const;

    std::uint64_t limit_;
    std::uint64_t line_ = 1;
    core::instant overdue_before_;
    bool any_word_may_fit_;  // a word for none, too: what ids look like or words mean is the settings' matter
    // Of the record that was checked last: its keys, and whether one of them is none.
    bool has_keys_ = false;
    row_keys keys_;
    bool unusable_key_ = false;
    bool skipping_ = false;  // within a line that was rejected before its end was seen
};

}  // namespace taskbarge::reader
