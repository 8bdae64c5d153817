// What the commands `contacts ...` say.
#pragma once

#include <string>

#include "cli/style.hpp"
#include "taskbarge/job/contacts.hpp"
#include "taskbarge/report/exit_code.hpp"

namespace taskbarge::cli {

std::string contacts_text(const job::contacts_status& status, core::instant now, const style& look);
std::string loaded_text(const job::loaded_contacts& loaded);
std::string found_text(const job::found_contact& found, core::instant now, const style& look);

// One object on one line, with its line end. `why`: it failed.
std::string contacts_json(const job::contacts_status& status, const std::string& ledger_path, report::exit_code code,
                          const std::optional<core::failure>& why);
std::string loaded_json(const core::result<job::loaded_contacts>& loaded, const std::string& ledger_path,
                        report::exit_code code);
std::string found_json(const core::result<job::found_contact>& found, const std::string& ledger_path,
                       report::exit_code code);

}  // namespace taskbarge::cli
