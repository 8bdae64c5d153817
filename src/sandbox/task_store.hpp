// All tasks of the sandbox, packed so that millions fit, and the order in which the search shows them.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::sandbox {

enum class task_origin : std::uint8_t { api, existing };
enum class search_order : std::uint8_t { due_at, priority };

struct search_filter {
    std::string contact_id, user_id;  // empty: any
    bool empty() const { return contact_id.empty() && user_id.empty(); }
};

// Apollo never de-duplicates, nor does this. Not thread-safe.
class task_store {
 public:
    using index = std::uint32_t;
    using time_point = std::chrono::steady_clock::time_point;

    // `salt` tells the task ids of one run from those of another.
    task_store(std::uint64_t seed, std::uint32_t salt) : seed_(seed), salt_(salt) {}

    struct view {
        std::string id;
        std::string contact_id;
        const core::task_details* details;  // stable
        core::instant created_at;
        task_origin origin;
    };

    // One task for each contact, in order; the search shows them from `visible_at` on. Returns the first one's index.
    index add(const core::task_view& details, std::span<const std::string_view> contacts, core::instant created_at,
              time_point visible_at, task_origin origin = task_origin::api);
    // Takes back a task that an earlier run made. False when the id is not one that a task_store makes.
    // Only before the first search.
    bool restore(std::string_view id, const core::task_view& details, std::string_view contact,
                 core::instant created_at);

    index size() const { return static_cast<index>(tasks_.size()); }
    std::uint64_t size_of(task_origin origin) const { return sizes_[static_cast<std::size_t>(origin)]; }
    view at(index i) const;
    std::string id_of(index i) const;

    struct found {
        std::uint64_t total = 0;  // visible and matching
        std::vector<index> tasks;
    };
    // The tasks from `offset` on, at most `count`: by due date, the most future one first, or by priority, the highest
    // first. Ties stand in an order that is fixed but not that of creation.
    found search(search_order order, const search_filter& filter, std::uint64_t offset, std::uint64_t count,
                 time_point now);
    // Completed and skipped tasks are left out of every search; to be said before the first one.
    void hide_finished() { hides_finished_ = true; }

    struct pair_counts {
        std::uint64_t pairs = 0, twice = 0;
    };
    // Different (contact, details) among the tasks made through the API, and how many have several tasks. Sorts all.
    pair_counts count_pairs() const;

 private:
    // A contact id of 24 hex digits as bytes; of any other, its number in `texts_`.
    using packed_id = std::array<std::uint8_t, 12>;
    struct packed_task {
        packed_id contact;
        std::uint32_t batch;
    };
    // Consecutive tasks that share all but the contact. Task ids are made of the second of creation, the salt of the
    // run, and a number that counts up from `number` within the batch.
    struct batch {
        core::instant created_at;
        time_point visible_at;
        std::uint32_t details, salt, number;
        index first;
        task_origin origin;
        bool contacts_are_hex;
    };
    struct due_bucket {
        std::vector<index> sorted, fresh;
    };

    static bool pack_hex(std::string_view text, packed_id& to);
    static std::string unpack_hex(const packed_id& from);
    std::uint32_t intern_details(const core::task_view& details);
    packed_id intern_text(std::string_view text);
    void append(batch like, std::string_view contact, index not_before);
    void reveal(time_point now);
    void settle(due_bucket& bucket) const;
    bool matches(index i, const search_filter& filter) const;
    found search_plain(std::uint64_t offset, std::uint64_t count);
    found search_matching(const std::function<bool(index)>& wanted, std::uint64_t offset, std::uint64_t count);

    struct details_hash {
        std::size_t operator()(const core::task_view& v) const noexcept { return core::hash_of(v); }
    };

    std::uint64_t seed_;
    std::uint32_t salt_;
    bool hides_finished_ = false;
    std::deque<packed_task> tasks_;
    std::deque<batch> batches_;
    std::array<std::uint64_t, 2> sizes_{};
    std::deque<core::task_details> details_;
    boost::unordered_flat_map<core::task_view, std::uint32_t, details_hash> details_numbers_;  // views into details_
    std::deque<std::string> texts_;
    boost::unordered_flat_map<std::string_view, std::uint32_t> text_numbers_;  // views into texts_
    std::multimap<time_point, std::uint32_t> hidden_batches_;
    std::map<core::instant, due_bucket, std::greater<>> by_due_;
    std::uint64_t visible_ = 0;
};

}  // namespace taskbarge::sandbox
