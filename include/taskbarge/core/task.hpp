// Task details, as POST /tasks/bulk_create knows them, and contact ids.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "taskbarge/core/instant.hpp"

namespace taskbarge::core {

// The field `type`, in the order of Apollo's documentation.
enum class task_type : std::uint8_t {
    call,
    outreach_manual_email,
    linkedin_step_connect,
    linkedin_step_message,
    linkedin_step_view_profile,
    linkedin_step_interact_post,
    action_item
};
// The field `priority`; Apollo's default is medium.
enum class task_priority : std::uint8_t { high, medium, low };
// The field `status`.
enum class task_status : std::uint8_t { scheduled, completed, skipped };

std::string_view to_string(task_type v);
std::string_view to_string(task_priority v);
std::string_view to_string(task_status v);
// Nothing for a text that is not exactly one of the API's words.
std::optional<task_type> parse_task_type(std::string_view text);
std::optional<task_priority> parse_task_priority(std::string_view text);
std::optional<task_status> parse_task_status(std::string_view text);

// Everything that the tasks of one bulk request share: the key by which rows are grouped. Non-owning: the texts live as
// long as whatever gave the view. An absent note and an empty one are the same.
struct task_view {
    std::string_view user_id;
    task_type type = task_type::call;
    task_priority priority = task_priority::medium;
    task_status status = task_status::scheduled;
    instant due_at{};
    std::string_view note;

    friend bool operator==(const task_view&, const task_view&) = default;
};

// The owning form.
struct task_details {
    std::string user_id;
    task_type type = task_type::call;
    task_priority priority = task_priority::medium;
    task_status status = task_status::scheduled;
    instant due_at{};
    std::string note;

    task_details() = default;
    explicit task_details(const task_view& v)
        : user_id(v.user_id), type(v.type), priority(v.priority), status(v.status), due_at(v.due_at), note(v.note) {}
    task_view view() const { return {user_id, type, priority, status, due_at, note}; }
    friend bool operator==(const task_details&, const task_details&) = default;
};

enum class task_field : std::uint8_t { user_id, type, priority, status, due_at, note };
inline constexpr std::array all_task_fields{task_field::user_id, task_field::type,   task_field::priority,
                                            task_field::status,  task_field::due_at, task_field::note};
std::string_view to_string(task_field v);
std::optional<task_field> parse_task_field(std::string_view text);

// Some of the fields: those that make two tasks of one contact the same. All of them unless told otherwise.
class task_fields {
 public:
    constexpr task_fields() = default;
    static constexpr task_fields none() { return task_fields(0); }
    constexpr task_fields with(task_field f) const { return task_fields(bits_ | bit(f)); }
    constexpr task_fields without(task_field f) const { return task_fields(bits_ & ~bit(f)); }
    constexpr bool has(task_field f) const { return (bits_ & bit(f)) != 0; }
    constexpr bool all() const { return *this == task_fields(); }
    friend bool operator==(const task_fields&, const task_fields&) = default;

 private:
    explicit constexpr task_fields(unsigned bits) : bits_(bits) {}
    static constexpr unsigned bit(task_field f) { return 1u << static_cast<unsigned>(f); }
    unsigned bits_ = (1u << all_task_fields.size()) - 1;
};

// With the other fields as they are in a task_view of its own: equal where these fields are.
task_view only(const task_view& v, task_fields fields);

// A good 64-bit hash of all fields. Not stable between releases: never stored.
std::uint64_t hash_of(const task_view& v) noexcept;

// Object ids of 24 hex digits name the same object in either case; their one spelling here is lower case. Any other id
// is left as it is.
std::string canonical_id(std::string_view id);

}  // namespace taskbarge::core
