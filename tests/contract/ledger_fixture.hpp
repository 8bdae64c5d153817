// What tests of a ledger need: a place for its file, and short ways to plan a job.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::ledger {

// A folder of its own, gone at the end.
class temporary_folder {
 public:
    temporary_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "ledger-test-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
    std::filesystem::path path_;
};

inline instant at_second(std::int64_t second) {
    return instant(std::chrono::seconds(second));
}

inline core::task_details call_on_day(int day) {
    core::task_details out;
    out.user_id = "66302798d03b9601c7934ebf";
    out.due_at = at_second(86400 * day);
    out.note = "day " + std::to_string(day);
    return out;
}

// "00000000000000000000000a" for 10.
inline std::string contact_id(std::uint64_t number) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out(24, '0');
    for (std::size_t i = out.size(); number > 0; number /= 16)
        out[--i] = digits[number % 16];
    return out;
}

inline core::planned_chunk chunk_of(core::group_number group, std::uint32_t part,
                                    const std::vector<std::pair<core::row_number, std::string>>& rows) {
    core::planned_chunk out;
    out.group = group;
    out.part = part;
    for (const auto& [row, contact] : rows) {
        out.contacts.rows.push_back(row);
        out.contacts.contact_ids.push_back(contact);
        out.contacts.lines.push_back(row + 1);
    }
    return out;
}

inline job_identity identity_of(const std::string& input) {
    return {"https://api.example/api/v1", "default", input, 1000, "settings", ""};
}

template <class T>
T must(core::result<T> r) {
    if (!r) throw std::runtime_error(r.error().text);
    return std::move(*r);
}
inline void must(const core::result<void>& r) {
    if (!r) throw std::runtime_error(r.error().text);
}

struct planned_job {
    job_id id = 0;
    std::unique_ptr<job_lock> lock;
    job_totals totals;
};

// A planning of files "a.csv", not committed.
inline planned_job start_plan(ledger& book, std::uint32_t chunk_size) {
    const auto identity = identity_of("");
    auto [id, lock] = must(book.begin_plan({"a.csv"}, chunk_size, identity.base_url, identity.team, at_second(1000)));
    return {id, std::move(lock), {}};
}

inline void finish_plan(ledger& book, planned_job& job, const std::string& input, const plan_totals& totals) {
    job.totals = must(book.commit_plan(job.id, identity_of(input), totals, core::task_fields(), {}));
}

// A committed job of one group per entry, with rows numbered through and cut into chunks.
inline planned_job plan_job(ledger& book, const std::string& input, std::uint32_t chunk_size,
                            const std::vector<std::pair<core::task_details, std::vector<std::string>>>& groups) {
    auto job = start_plan(book, chunk_size);
    core::row_number row = 0;
    core::group_number number = 0;
    for (const auto& [details, contacts] : groups) {
        must(book.add_group(job.id, ++number, details.view()));
        std::vector<std::pair<core::row_number, std::string>> rows;
        std::uint32_t part = 0;
        for (const auto& contact : contacts) {
            rows.emplace_back(++row, contact);
            if (rows.size() == chunk_size) {
                must(book.add_chunk(job.id, chunk_of(number, part++, rows)));
                rows.clear();
            }
        }
        if (!rows.empty()) must(book.add_chunk(job.id, chunk_of(number, part, rows)));
    }
    finish_plan(book, job, input, {row, 0});
    return job;
}

inline std::vector<row_result> results_of(ledger& book, job_id job) {
    std::vector<row_result> out;
    must(book.each_result(job, [&](const row_result& r) {
        out.push_back(r);
        return true;
    }));
    return out;
}

inline std::vector<chunk_record> chunks_in(ledger& book, job_id job, core::chunk_state state) {
    return must(book.chunks(job, state, 0, 1000));
}

}  // namespace taskbarge::ledger
