// What an item's folder gets beside its input: results.csv, the rejects, summary.json, error.txt.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/current_configuration.hpp"
#include "service/inbox/item_store.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::service {

// Each file is there whole or not at all; an older one of its name is replaced. One thread for each item.
class result_files {
 public:
    struct parts {
        current_configuration& configuration;
        const core::clock& clock;
        inbox::item_store& store;
        job::stop_control& stop;  // errc::interrupted: it was asked for
    };
    explicit result_files(parts p) : parts_(p) {}

    // Those of a finished job. With `failed` its input is not done all the same, which error.txt and the summary say.
    // errc::waiting: the job is not finished (any more), or another one than that of the identity.
    core::result<void> write(ledger::ledger& book, const inbox::held_item& held, const ledger::job_identity& identity,
                             core::job_id job, const std::optional<core::failure>& failed) const;
    // Why there is no job of the input; with its rejects, for which it is read again, where these are why. `format`:
    // the input's, where it was read. Gives what could not be written.
    std::vector<core::failure> write_why(const inbox::held_item& held, const core::failure& why,
                                         const core::settings& settings, const job::import_options& input,
                                         const std::string& format) const;
    // What an earlier try has left, where a failed item is read again.
    static void remove_old(const inbox::item& item);
    // The end of the job that the results in the item's folder are of; nothing: it cannot be known.
    static std::optional<core::instant> told_end(const inbox::item& item);

 private:
    core::result<void> write_rows(ledger::ledger& book, const inbox::held_item& held, const ledger::job_record& job,
                                  bool any_rejects) const;
    core::result<void> write_text(const inbox::held_item& held, const std::string& name, std::string_view text) const;

    parts parts_;
};

}  // namespace taskbarge::service
