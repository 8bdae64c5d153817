// What an import would do, for a person who is to say whether it may: nothing is sent and no job is made.
#pragma once

#include <string>

#include "service/inbox/item.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/job/commands.hpp"

namespace taskbarge::service {

struct preview {
    std::string id;    // another one whenever the plan, or to whom it would go, is another
    std::string json;  // one object (docs/openapi.yaml, ImportPlan)
};
// Settings that cannot be used and an input that makes no job are told in the plan. Fails where it could not be made
// for now: errc::interrupted, errc::ledger and their like. Apollo is asked for what is not known: its limits, its users
// where owners are named by address, how many contacts there are.
core::result<preview> preview_of(const job::environment& env, const inbox::item& item,
                                 const job::import_options& options);
// The same where the settings of the input are wrong.
preview preview_of(const inbox::item& item, const core::failure& wrong_settings);

}  // namespace taskbarge::service
