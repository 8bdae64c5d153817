// Chunks, answers and doubts as the tests of the job module need them.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "job/look_up/evidence.hpp"
#include "job/sending/chunk_flow.hpp"
#include "taskbarge/client/answer.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

inline core::instant at_second(std::int64_t second) {
    return core::instant(std::chrono::seconds(second));
}

// "000000000000000000000011" for 17.
inline std::string contact_id(std::uint64_t number) {
    return fmt::format("{:024x}", number);
}

inline core::task_details call_on_day(int day) {
    core::task_details d;
    d.user_id = "66302798d03b9601c7934ebf";
    d.due_at = at_second(std::int64_t{86400} * day);
    d.note = fmt::format("day {}", day);
    return d;
}

// A chunk of `rows` contacts, the first of which is contact_id(first).
inline ledger::chunk_record chunk_of(std::uint64_t first, std::size_t rows, int day = 20600) {
    ledger::chunk_record c;
    c.id = static_cast<core::chunk_id>(first);
    c.group = 1;
    c.details = call_on_day(day);
    for (std::size_t i = 0; i < rows; ++i) {
        c.contacts.contact_ids.push_back(contact_id(first + i));
        c.contacts.rows.push_back(first + i);
        c.contacts.lines.push_back(first + i + 1);
    }
    return c;
}

inline std::string task_id(std::uint64_t number) {
    return fmt::format("task-{}", number);
}

// A task that is exactly what the chunk asked for its row `index`.
inline client::seen_task task_for(const ledger::chunk_record& chunk, std::size_t index, std::string id,
                                  core::instant created_at) {
    client::seen_task t;
    t.id = std::move(id);
    t.contact_id = chunk.contacts.contact_ids[index];
    t.user_id = chunk.details.user_id;
    t.type = core::to_string(chunk.details.type);
    t.priority = core::to_string(chunk.details.priority);
    t.status = core::to_string(chunk.details.status);
    t.note = chunk.details.note;
    t.due_at = chunk.details.due_at;
    t.created_at = created_at;
    return t;
}

inline std::vector<finding> kinds(const std::vector<row_finding>& findings) {
    std::vector<finding> out;
    for (const auto& f : findings)
        out.push_back(f.what);
    return out;
}

}  // namespace taskbarge::job
