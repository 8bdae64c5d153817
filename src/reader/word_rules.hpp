// What the words of a file mean: the API's own, those of the CRMs' exports, and those that [values] explains.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reader/fields.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::reader {

enum class word_meaning : std::uint8_t {
    known,
    none,    // as if the cell were empty
    unknown  //
};

// One of type, priority and status.
template <class Enum>
class word_rules {
 public:
    // Faults of `values`, which [values] has for the field, are left out: see fault_of().
    word_rules(field f, const core::word_map& values);

    // The usual word is the API's own, and is found without a copy.
    word_meaning read(std::string_view text, Enum& out) const {
        if (values_.empty()) {
            if (text.empty() && !any_other_) return word_meaning::none;
            if (const auto own = parse_own(text)) {
                out = *own;
                return word_meaning::known;
            }
        }
        return read_other(text, out);
    }
    // The API's words, in its order.
    static const std::vector<std::string>& own_words();
    // Why an entry of [values] makes no sense; nothing: it does.
    std::optional<std::string> fault_of(std::string_view word, std::string_view meaning) const;

 private:
    static std::optional<Enum> parse_own(std::string_view text);
    static std::optional<Enum> parse_known(const std::string& plain);
    word_meaning read_other(std::string_view text, Enum& out) const;

    field field_;
    std::map<std::string, std::optional<Enum>, std::less<>> values_;  // by plain word; nothing: as an empty cell
    std::optional<std::optional<Enum>> any_other_;
};

extern template class word_rules<core::task_type>;
extern template class word_rules<core::task_priority>;
extern template class word_rules<core::task_status>;

// How often words that nobody knows were met. Bounded: of very many different ones some are left out.
class unknown_words {
 public:
    void add(field f, std::string_view word);
    // By field, the commonest first.
    std::vector<unknown_word> list() const;

 private:
    std::map<field, std::map<std::string, unknown_word, std::less<>>> rows_;  // by plain word
};

}  // namespace taskbarge::reader
