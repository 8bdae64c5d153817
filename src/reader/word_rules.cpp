#include "reader/word_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

constexpr std::string_view every_other = "*";

template <class Enum>
struct crm_word {
    std::string_view plain;
    Enum meaning;
};

using core::task_priority;
using core::task_status;
using core::task_type;

// As the exports of HubSpot ("TODO", "NOT_STARTED"), Salesforce ("Not Started", "Normal") and Apollo's pages have them.
constexpr crm_word<task_type> words_of_types[] = {
    {"phonecall", task_type::call},
    {"email", task_type::outreach_manual_email},
    {"manualemail", task_type::outreach_manual_email},
    {"linkedinconnect", task_type::linkedin_step_connect},
    {"linkedinsendconnectionrequest", task_type::linkedin_step_connect},
    {"linkedinmessage", task_type::linkedin_step_message},
    {"linkedinsendmessage", task_type::linkedin_step_message},
    {"linkedinviewprofile", task_type::linkedin_step_view_profile},
    {"linkedininteractwithpost", task_type::linkedin_step_interact_post},
    {"todo", task_type::action_item},
    {"task", task_type::action_item},
};
constexpr crm_word<task_priority> words_of_priorities[] = {
    {"normal", task_priority::medium},
    {"none", task_priority::medium},
};
constexpr crm_word<task_status> words_of_statuses[] = {
    {"notstarted", task_status::scheduled},
};

template <class Enum>
struct words_of;
template <>
struct words_of<task_type> {
    static constexpr auto& crm = words_of_types;
    static constexpr task_type last = task_type::action_item;
    static constexpr auto parse = core::parse_task_type;
};
template <>
struct words_of<task_priority> {
    static constexpr auto& crm = words_of_priorities;
    static constexpr task_priority last = task_priority::low;
    static constexpr auto parse = core::parse_task_priority;
};
template <>
struct words_of<task_status> {
    static constexpr auto& crm = words_of_statuses;
    static constexpr task_status last = task_status::skipped;
    static constexpr auto parse = core::parse_task_status;
};

// As the settings compare words, of a cell.
std::string plain_word(std::string_view cell) {
    return core::plain_word(trimmed(cell));
}

template <class Enum>
std::vector<std::string> every_word() {
    std::vector<std::string> words;
    for (int i = 0; i <= static_cast<int>(words_of<Enum>::last); ++i)
        words.emplace_back(to_string(static_cast<Enum>(i)));
    return words;
}

}  // namespace

template <class Enum>
word_rules<Enum>::word_rules(field f, const core::word_map& values) : field_(f) {
    for (const auto& [word, meaning] : values) {
        if (fault_of(word, meaning)) continue;
        const auto known = parse_known(plain_word(meaning));
        if (word == every_other)
            any_other_ = known;
        else
            values_.emplace(plain_word(word), known);
    }
}

template <class Enum>
std::optional<Enum> word_rules<Enum>::parse_own(std::string_view text) {
    return words_of<Enum>::parse(text);
}

template <class Enum>
std::optional<Enum> word_rules<Enum>::parse_known(const std::string& plain) {
    static const std::map<std::string, Enum, std::less<>> known = [] {
        std::map<std::string, Enum, std::less<>> words;
        for (const auto& word : every_word<Enum>())
            words.emplace(plain_word(word), *parse_own(word));
        for (const auto& word : words_of<Enum>::crm)
            words.emplace(word.plain, word.meaning);
        return words;
    }();
    const auto found = known.find(plain);
    return found == known.end() ? std::nullopt : std::optional(found->second);
}

template <class Enum>
word_meaning word_rules<Enum>::read_other(std::string_view text, Enum& out) const {
    const auto plain = plain_word(text);
    std::optional<Enum> meaning;
    if (const auto found = values_.find(plain); found != values_.end()) {
        if (!found->second) return word_meaning::none;
        meaning = found->second;
    } else if (meaning = parse_known(plain); !meaning) {
        if (!any_other_) return text.empty() ? word_meaning::none : word_meaning::unknown;
        if (!*any_other_) return word_meaning::none;
        meaning = *any_other_;
    }
    out = *meaning;
    return word_meaning::known;
}

template <class Enum>
const std::vector<std::string>& word_rules<Enum>::own_words() {
    static const auto words = every_word<Enum>();
    return words;
}

template <class Enum>
std::optional<std::string> word_rules<Enum>::fault_of(std::string_view word, std::string_view meaning) const {
    if (meaning.empty() || parse_known(plain_word(meaning))) return std::nullopt;
    return fmt::format("values.{}: {} is to mean {}, which is no {}; it is {}, or \"\" for what [defaults] says",
                       to_string(field_), shown(word), shown(meaning), to_string(field_), listed(own_words(), " or "));
}

template class word_rules<core::task_type>;
template class word_rules<core::task_priority>;
template class word_rules<core::task_status>;

void unknown_words::add(field f, std::string_view word) {
    constexpr std::size_t most_words = 200;  // of a field
    constexpr std::size_t longest = 200;     // longer ones are no words
    // What "*" means is what all others mean.
    if (word == every_other || word.size() > longest) return;
    auto& words = rows_[f];
    auto plain = f == field::owner_email ? lower_case(word) : plain_word(word);
    const auto found = words.find(plain);
    if (found != words.end())
        ++found->second.rows;
    else if (words.size() < most_words)
        words.emplace(std::move(plain), unknown_word{std::string(f == field::owner_email ? "owner" : to_string(f)),
                                                     std::string(word), 1});
}

std::vector<unknown_word> unknown_words::list() const {
    std::vector<unknown_word> all;
    for (const auto& [f, words] : rows_)
        for (const auto& [plain, word] : words)
            all.push_back(word);
    std::stable_sort(all.begin(), all.end(), [](const unknown_word& a, const unknown_word& b) {
        return a.field != b.field ? a.field < b.field : a.rows > b.rows;
    });
    return all;
}

}  // namespace taskbarge::reader
