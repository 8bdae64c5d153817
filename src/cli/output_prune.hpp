// What `prune` tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/ledger/prune_book.hpp"
#include "taskbarge/report/exit_code.hpp"

namespace taskbarge::cli {

using report::exit_code;

struct prune_report {
    bool dry_run = false;
    bool jobs = true;                 // were asked for
    bool contacts_forgotten = false;  // or would be
    bool forget_keys = false;
    core::instant finished_before{};
    std::vector<ledger::prune_candidate> pruned;  // or would be
    std::vector<ledger::prune_candidate> kept;    // old enough, but left alone
    std::uint64_t bytes_before = 0, bytes_after = 0;
    std::optional<core::failure> why;  // it did not get to its end
};

std::string prune_text(const prune_report& r);
// One object on one line, with its line end.
std::string prune_json(const prune_report& r, const std::string& ledger_path, exit_code code);

}  // namespace taskbarge::cli
