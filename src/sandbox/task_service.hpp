// Creating tasks and finding them: the two routes that matter, on top of the store and the journal.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/create_request.hpp"
#include "sandbox/faults.hpp"
#include "sandbox/journal.hpp"
#include "sandbox/task_json.hpp"
#include "sandbox/task_store.hpp"
#include "sandbox/wire.hpp"
#include "taskbarge/sandbox/sandbox.hpp"

namespace taskbarge::sandbox {

// Whether there is a contact with that id, in canonical_id() spelling; empty: nobody asks.
using known_contact = std::function<bool(std::string_view id)>;

// Not thread-safe.
class task_service {
 public:
    // `options` and `clock` must outlive it.
    task_service(const sandbox_options& options, const core::clock& clock);

    // Reads the journal back if the options say so, and goes on with it. Before the first request.
    core::result<void> open_journal();

    // POST /tasks/bulk_create, as the `place`th of its kind, struck by `f` (or nullptr). Tasks come into being as the
    // fault's moment says; where that is not now, the answer names none and is not meant to be sent as it is.
    answer bulk_create(std::string_view body, fault_plan& plan, const fault* f, std::uint64_t place,
                       const known_contact& known);
    // POST /tasks/search, struck by `f` (or nullptr)
    answer search(std::string_view target, const fault_plan& plan, const fault* f);

    // Makes the tasks whose creation was put off until now, or all of them.
    void catch_up(const fault_plan& plan);
    void finish(const fault_plan& plan);

    const task_store& store() const { return store_; }

 private:
    using steady_point = task_store::time_point;
    struct put_off_creation {
        core::task_details details;
        std::vector<std::string> contacts;
        std::chrono::milliseconds lag;
    };

    void add_existing_tasks();
    void make_up_to(steady_point due, const fault_plan& plan);
    task_store::index create(const core::task_view& details, std::span<const std::string_view> contacts,
                             core::instant at, std::chrono::milliseconds lag);
    void put_off(const create_request& request, std::span<const std::string_view> contacts, const fault& f,
                 std::chrono::milliseconds lag);
    std::string created_body(const core::task_view& details, core::instant at, task_store::index first,
                             std::size_t count, const fault* f, std::uint64_t place) const;
    std::string found_body(const task_store::found& found) const;

    const sandbox_options& options_;
    const core::clock& clock_;
    task_store store_;
    journal journal_;
    create_reader reader_;
    std::multimap<steady_point, put_off_creation> put_off_;
};

}  // namespace taskbarge::sandbox
