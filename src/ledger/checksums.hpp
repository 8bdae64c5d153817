// A checksum for each row that says what is sent, for whom, and what became of it: a bit that turns on the disk is
// noticed when the row is read, before anything is done with it.
//
// The checksum is a column of its table: crc32 of the row's other columns with their types. It is calculated by SQLite,
// by the function row_check() of each connection, where the row is written, and compared where it is read. An update
// compares before it writes: what was damaged does not get a new checksum.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "ledger/sqlite.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::ledger {

// Tables with a checksum. Of jobs it covers what does not change when it goes on: identity and size.
enum class sealed { jobs, files, groups, chunks, packed_contacts, packed_tasks, duplicates, rejects, kept_keys };

// Every connection that writes or reads sealed rows needs it.
core::result<void> add_row_check(sqlite::database& db);

// SQL that is true where the row of that alias is as it was written; false, or NULL for a row that an outer join did
// not find, where it is not. Of packed_contacts `chunk` is the alias of its chunk, whose job, group and number of rows
// are covered too: contacts of one chunk are then no good for another.
std::string intact(sealed table, std::string_view alias, std::string_view chunk = "c");

// "INSERT ..." of all of the table's columns, in the order of its schema, as parameters. For packed_contacts job, group
// and number of rows of its chunk come after them.
std::string sealed_insert(sealed table, std::string_view verb = "INSERT");

// "UPDATE ..." of intact rows. Expressions see the values before; parameters must be numbered, as they stand there
// twice. `where` may be preceded by a FROM clause.
using column_change = std::pair<std::string_view, std::string_view>;
std::string sealed_update(sealed table, std::initializer_list<column_change> changes, std::string_view where);

// The columns that are covered, for "INSERT ... SELECT": "row_check(a, b)".
std::string row_check_of(std::initializer_list<std::string_view> expressions);

// errc::ledger: the ledger is damaged there ("chunk 12").
core::failure damaged(const sqlite::database& db, const std::string& where);

}  // namespace taskbarge::ledger
