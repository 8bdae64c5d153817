// The tables of the ledger, and how an older file is brought up to date.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "ledger/sqlite.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::ledger {

// "TBLG": tells a ledger from any other SQLite file.
inline constexpr std::int32_t application_id = 0x54424c47;

// The steps from an empty file to today's schema. Step n brings version n to version n + 1; a released step never
// changes, a new version is a new step at the end.
std::span<const char* const> schema_steps();

// Only looks: errc::ledger when the file is neither empty nor a ledger, or was made by a newer version. Gives the
// version of its schema, 0 for an empty file. `path` is for the texts.
core::result<std::int64_t> schema_version(sqlite::connection& db, const std::string& path,
                                          std::span<const char* const> steps = schema_steps());

// Takes the steps that the file lacks, each in a transaction of its own. Fails like schema_version().
core::result<void> bring_up_to_date(sqlite::connection& db, const std::string& path,
                                    std::span<const char* const> steps = schema_steps());

}  // namespace taskbarge::ledger
