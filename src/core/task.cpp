#include "taskbarge/core/task.hpp"

#include <array>
#include <cstring>

#include "core/words.hpp"
#include "taskbarge/core/object_id.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::core {
namespace {

constexpr std::array<std::string_view, 7> type_words{"call",
                                                     "outreach_manual_email",
                                                     "linkedin_step_connect",
                                                     "linkedin_step_message",
                                                     "linkedin_step_view_profile",
                                                     "linkedin_step_interact_post",
                                                     "action_item"};
constexpr std::array<std::string_view, 3> priority_words{"high", "medium", "low"};
constexpr std::array<std::string_view, 3> status_words{"scheduled", "completed", "skipped"};
constexpr std::array<std::string_view, 6> field_words{"user_id", "type", "priority", "status", "due_at", "note"};

// Multiply two words and fold the product: every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t load(const char* p, std::size_t n) noexcept {
    std::uint64_t v = 0;
    std::memcpy(&v, p, n);
    return v;
}

constexpr std::uint64_t k0 = 0x9e3779b97f4a7c15ull,
                        k1 = 0xe7037ed1a0b428dbull;  // odd, no pattern: golden ratio, a prime

std::uint64_t hash_text(std::string_view text, std::uint64_t seed) noexcept {
    std::uint64_t h = mix(seed ^ k0, text.size() ^ k1);
    const char* p = text.data();
    std::size_t left = text.size();
    for (; left > 8; left -= 8, p += 8)
        h = mix(h ^ load(p, 8), k1);
    if (left > 0) h = mix(h ^ load(p, left), k0);
    return h;
}

}  // namespace

std::string_view to_string(task_type v) {
    return word_of(type_words, v);
}
std::string_view to_string(task_priority v) {
    return word_of(priority_words, v);
}
std::string_view to_string(task_status v) {
    return word_of(status_words, v);
}
std::string_view to_string(task_field v) {
    return word_of(field_words, v);
}
std::optional<task_field> parse_task_field(std::string_view text) {
    return value_of<task_field>(field_words, text);
}

task_view only(const task_view& v, task_fields fields) {
    task_view out;
    if (fields.has(task_field::user_id)) out.user_id = v.user_id;
    if (fields.has(task_field::type)) out.type = v.type;
    if (fields.has(task_field::priority)) out.priority = v.priority;
    if (fields.has(task_field::status)) out.status = v.status;
    if (fields.has(task_field::due_at)) out.due_at = v.due_at;
    if (fields.has(task_field::note)) out.note = v.note;
    return out;
}

std::optional<task_type> parse_task_type(std::string_view text) {
    return value_of<task_type>(type_words, text);
}
std::optional<task_priority> parse_task_priority(std::string_view text) {
    return value_of<task_priority>(priority_words, text);
}
std::optional<task_status> parse_task_status(std::string_view text) {
    return value_of<task_status>(status_words, text);
}

std::uint64_t hash_of(const task_view& v) noexcept {
    const auto enums = static_cast<std::uint64_t>(v.type) << 16 | static_cast<std::uint64_t>(v.priority) << 8 |
                       static_cast<std::uint64_t>(v.status);
    std::uint64_t h = mix(static_cast<std::uint64_t>(v.due_at.time_since_epoch().count()) ^ k0, enums ^ k1);
    h = hash_text(v.user_id, h);
    return hash_text(v.note, h);
}

std::string canonical_id(std::string_view id) {
    return spelling_of(id) == id_spelling::with_capitals ? lower_case(id) : std::string(id);
}

}  // namespace taskbarge::core
