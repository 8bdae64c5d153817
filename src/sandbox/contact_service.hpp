// The team's contacts and what can be asked about them: five routes, on top of the store.
#pragma once

#include <simdjson.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/contact_json.hpp"
#include "sandbox/contact_maker.hpp"
#include "sandbox/contact_store.hpp"
#include "sandbox/faults.hpp"
#include "sandbox/wire.hpp"
#include "taskbarge/sandbox/sandbox.hpp"

namespace taskbarge::sandbox {

// Not thread-safe.
class contact_service {
 public:
    // `options` and `clock` must outlive it.
    contact_service(const sandbox_options& options, const core::clock& clock);

    // Makes and reads the contacts that the options name. Before the first request.
    core::result<void> load();

    // Each is struck by `f` (or nullptr) and the `place`th of its kind.
    // POST /contacts/search
    answer search(std::string_view target, std::string_view body, const fault* f);
    // GET /contacts/{id}
    answer show(std::string_view target, const fault* f, std::uint64_t place) const;
    // POST /contacts/bulk_create. Contacts come into being as the fault's moment says; where that is not now, the
    // answer names none and is not meant to be sent as it is.
    answer bulk_create(std::string_view body, fault_plan& plan, const fault* f, std::uint64_t place);
    answer labels() const;  // GET /labels
    answer stages() const;  // GET /contact_stages

    // What others do to the contacts before the `place`th request on `r` is answered.
    void let_others_work(fault_plan& plan, route r, std::uint64_t place);
    // Makes the contacts whose creation was put off until now, or all of them.
    void catch_up();
    void finish();

    core::result<std::string> add(std::string_view json);
    bool remove(std::string_view id);
    bool merge(std::string_view from, std::string_view into);

    const contact_store& store() const { return store_; }
    std::uint64_t created() const { return created_; }

 private:
    using steady_point = contact_store::time_point;
    struct create_order {
        std::vector<stored_contact> contacts;
        std::vector<std::string> label_names;
        std::string owner_id;
        bool dedupes = false;
        std::chrono::milliseconds lag{0};
    };
    struct outcome {
        std::vector<contact_store::index> created, existing;
    };
    struct label {
        std::string id, name;
        core::instant created_at;
    };
    struct stage {
        std::string id, name, category;
    };

    core::result<void> load_file();
    stored_contact make_next();
    or_answer<create_order> read_order(std::string_view body);
    outcome carry_out(const create_order& order);
    void make_up_to(steady_point due);
    std::string label_named(std::string_view name);
    void know_lists_of(const stored_contact& c);
    contact_shape shape() const { return options_.minimal_answers ? contact_shape::fields : contact_shape::full; }
    std::string breadcrumbs_of(const contact_query& query) const;
    std::string bodies(const std::vector<contact_store::index>& contacts) const;
    std::string created_body(outcome done, const fault* f, std::uint64_t place) const;

    const sandbox_options& options_;
    const core::clock& clock_;
    contact_maker maker_;
    contact_store store_;
    std::uint64_t next_number_ = 0;  // of those made up
    std::uint64_t created_ = 0;
    std::vector<label> labels_;
    std::vector<stage> stages_;
    simdjson::dom::parser parser_;
    std::multimap<steady_point, create_order> put_off_;
};

}  // namespace taskbarge::sandbox
