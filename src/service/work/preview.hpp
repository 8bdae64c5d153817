// What an import would do, for a person who is to say whether it may: nothing is sent and no job is made.
#pragma once

#include <string>

#include "service/inbox/item.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/job/commands.hpp"

namespace taskbarge::service {

// The plan of an input as one JSON object (docs/openapi.yaml, ImportPlan). Settings that cannot be used and an input
// that makes no job are told in it. Fails where the plan could not be made for now: errc::interrupted, errc::ledger and
// their like.
core::result<std::string> preview_json(const job::environment& env, const inbox::item& item,
                                       const job::import_options& options);
// The same where the settings of the input are wrong.
std::string preview_json(const inbox::item& item, const core::failure& wrong_settings);

}  // namespace taskbarge::service
