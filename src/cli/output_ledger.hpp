// What `ledger accept` and `ledger trust` tell.
#pragma once

#include <string>
#include <string_view>

#include "cli/options.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/ledger/upkeep_book.hpp"
#include "taskbarge/report/exit_code.hpp"

namespace taskbarge::cli {

std::string accepted_text(const ledger::accepted_ledger& done);

inline constexpr std::string_view trusted_text =
    "Trusted. Inputs that are imported from now on are sent without a look-up; rows in doubt stay in doubt.\n";

// One object on one line, with its line end.
std::string ledger_json(command what, const core::result<ledger::accepted_ledger>& done, const std::string& ledger_path,
                        report::exit_code code);

}  // namespace taskbarge::cli
