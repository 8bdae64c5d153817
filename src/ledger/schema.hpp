// The tables of the ledger.
#pragma once

#include <cstdint>
#include <string>

#include "ledger/sqlite.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::ledger {

// "TBLG": tells a ledger from any other SQLite file.
inline constexpr std::int32_t application_id = 0x54424c47;

// Of the schema. Those before it were never released: such a file is refused.
inline constexpr std::int64_t current_version = 8;

// Only looks: false for an empty file; errc::ledger when the file is neither empty nor a ledger of this version. `path`
// is for the texts.
core::result<bool> has_schema(sqlite::database& db, const std::string& path);

// Makes tables and views in an empty file, all or nothing.
core::result<void> make_schema(sqlite::database& db);

}  // namespace taskbarge::ledger
