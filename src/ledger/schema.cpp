#include "ledger/schema.hpp"

#include <fmt/format.h>

namespace taskbarge::ledger {

namespace {

// docs/ledger.md describes every column for those who query the file.
//
// Keys are sequential wherever many rows are written: an insert then touches the last page only. chunks stays small
// (ids and texts live in packed_contacts and packed_tasks), because every change of state rewrites its row;
// packed_contacts is written once and never changed. A change of a chunk's state touches one small index, and only
// where its rows are in doubt or refused: the others are found by their job, in order. Of a pruned job the sums stay in
// its row, and in kept_keys what de-duplication needs: a group's task details without the note's text, and the contacts
// for whom it has, or may have, the task.
constexpr std::string_view tables = R"sql(
CREATE TABLE ledger (
    id TEXT NOT NULL,
    events INTEGER NOT NULL DEFAULT 0,
    suspect INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO ledger (id) VALUES (lower(hex(randomblob(16))));

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    base_url TEXT NOT NULL,
    team TEXT NOT NULL,
    input_sha256 TEXT NOT NULL DEFAULT '',
    input_bytes INTEGER NOT NULL DEFAULT 0,
    settings_text TEXT NOT NULL DEFAULT '',
    relative_day TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    resume_at INTEGER,
    stop_code TEXT NOT NULL DEFAULT '',
    stop_message TEXT NOT NULL DEFAULT '',
    chunk_size INTEGER NOT NULL,
    groups INTEGER NOT NULL DEFAULT 0,
    minimum_requests INTEGER NOT NULL DEFAULT 0,
    rows INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    pruned_at INTEGER,
    keys_forgotten INTEGER NOT NULL DEFAULT 0,
    kept_created INTEGER NOT NULL DEFAULT 0,
    kept_failed INTEGER NOT NULL DEFAULT 0,
    kept_unknown INTEGER NOT NULL DEFAULT 0,
    kept_duplicate_pending INTEGER NOT NULL DEFAULT 0,
    kept_duplicate_unknown INTEGER NOT NULL DEFAULT 0,
    kept_duplicate_failed INTEGER NOT NULL DEFAULT 0,
    kept_requests INTEGER NOT NULL DEFAULT 0,
    kept_retries INTEGER NOT NULL DEFAULT 0,
    kept_rate_limited INTEGER NOT NULL DEFAULT 0,
    origin TEXT NOT NULL DEFAULT '',
    reopened INTEGER NOT NULL DEFAULT 0,
    checksum INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX jobs_by_origin ON jobs (origin) WHERE origin <> '';
CREATE INDEX jobs_reopened ON jobs (id) WHERE reopened <> 0;

CREATE TABLE files (
    job INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    name TEXT NOT NULL,
    first_row INTEGER NOT NULL DEFAULT 1,
    format TEXT NOT NULL DEFAULT '',
    header TEXT NOT NULL DEFAULT '',
    checksum INTEGER NOT NULL,
    PRIMARY KEY (job, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE groups (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    number INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    type TEXT NOT NULL,
    priority TEXT NOT NULL,
    status TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    note TEXT NOT NULL,
    details_hash INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX groups_of_job ON groups (job, number);
CREATE INDEX groups_by_details ON groups (details_hash);

CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    group_number INTEGER NOT NULL,
    part INTEGER NOT NULL,
    parent INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    first_row INTEGER NOT NULL,
    last_row INTEGER NOT NULL,
    spread INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    created_count INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    requests INTEGER NOT NULL DEFAULT 0,
    throttled INTEGER NOT NULL DEFAULT 0,
    requested_before INTEGER NOT NULL DEFAULT 0,
    possible_duplicate INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER,
    settled_at INTEGER,
    request_id TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    suspects INTEGER NOT NULL DEFAULT 0,
    refused_with INTEGER NOT NULL DEFAULT 0,
    partner INTEGER NOT NULL DEFAULT 0,
    checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX chunks_of_job ON chunks (job);
CREATE INDEX chunks_to_look_at ON chunks (job, state) WHERE state NOT IN ('planned', 'created');
CREATE INDEX chunks_of_group ON chunks (job, group_number);

CREATE TABLE packed_contacts (
    chunk INTEGER PRIMARY KEY,
    contact_ids ANY NOT NULL,
    rows TEXT NOT NULL,
    lines TEXT NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;

CREATE TABLE packed_tasks (
    chunk INTEGER PRIMARY KEY,
    task_ids ANY NOT NULL,
    first_task TEXT NOT NULL,
    last_task TEXT NOT NULL,
    since INTEGER NOT NULL,
    answered_at INTEGER,
    checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX packed_tasks_by_task ON packed_tasks (last_task, first_task, since);

CREATE TABLE duplicates (
    job INTEGER NOT NULL,
    row INTEGER NOT NULL,
    line INTEGER NOT NULL,
    contact_id TEXT NOT NULL,
    group_number INTEGER NOT NULL,
    of_job INTEGER NOT NULL,
    of_row INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (job, row)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejects (
    job INTEGER NOT NULL,
    row INTEGER NOT NULL,
    line INTEGER NOT NULL,
    contact_id TEXT NOT NULL,
    "column" TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    raw BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (job, row)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    server_date INTEGER,
    result TEXT NOT NULL DEFAULT 'open',
    written INTEGER NOT NULL DEFAULT 1,
    status INTEGER NOT NULL DEFAULT 0,
    request_id TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    bytes_sent INTEGER NOT NULL DEFAULT 0,
    bytes_received INTEGER NOT NULL DEFAULT 0,
    evidence TEXT NOT NULL DEFAULT '',
    begun INTEGER NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX attempts_of_chunk ON attempts (job, chunk);

CREATE TABLE books (
    base_url TEXT NOT NULL,
    team TEXT NOT NULL,
    route TEXT NOT NULL,
    in_flight INTEGER NOT NULL,
    in_flight_before INTEGER NOT NULL,
    flight_mark INTEGER,
    others_seen_at INTEGER,
    refusals INTEGER NOT NULL,
    PRIMARY KEY (base_url, team, route)
) STRICT, WITHOUT ROWID;

CREATE TABLE windows (
    base_url TEXT NOT NULL,
    team TEXT NOT NULL,
    route TEXT NOT NULL,
    kind TEXT NOT NULL,
    request_limit INTEGER,
    unlimited INTEGER NOT NULL,
    used INTEGER NOT NULL,
    heard INTEGER NOT NULL,
    early INTEGER NOT NULL,
    heard_at INTEGER,
    opened_at INTEGER,
    not_before INTEGER,
    ends_at INTEGER,
    end_known INTEGER NOT NULL,
    shut INTEGER NOT NULL,
    PRIMARY KEY (base_url, team, route, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact_limits (
    base_url TEXT NOT NULL,
    team TEXT NOT NULL,
    passes INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    shown_at INTEGER NOT NULL,
    PRIMARY KEY (base_url, team)
) STRICT, WITHOUT ROWID;

CREATE TABLE kept_keys (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    details_hash INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    type TEXT NOT NULL,
    priority TEXT NOT NULL,
    status TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    note_sha256 BLOB NOT NULL,
    packed BLOB NOT NULL,
    other_contacts TEXT NOT NULL DEFAULT '',
    other_rows TEXT NOT NULL DEFAULT '',
    checksum INTEGER NOT NULL
) STRICT;
CREATE TABLE row_keys (
    job INTEGER NOT NULL,
    row INTEGER NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (job, row)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact_lists (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    base_url TEXT NOT NULL,
    team TEXT NOT NULL,
    read_at INTEGER,
    as_of INTEGER,
    total INTEGER NOT NULL DEFAULT 0,
    unseen INTEGER NOT NULL DEFAULT 0,
    gap TEXT NOT NULL DEFAULT '',
    reading TEXT NOT NULL DEFAULT '',
    hash_name TEXT NOT NULL,
    UNIQUE (base_url, team)
) STRICT;

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    list INTEGER NOT NULL,
    contact ANY NOT NULL,
    owner INTEGER,
    created_at INTEGER,
    active_at INTEGER,
    seen_at INTEGER NOT NULL,
    keys BLOB NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX contacts_by_id ON contacts (list, contact);

CREATE TABLE contact_owners (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE contact_keys (
    key BLOB NOT NULL,
    contact INTEGER NOT NULL,
    version INTEGER NOT NULL,
    secondary INTEGER NOT NULL,
    PRIMARY KEY (key, contact)
) STRICT, WITHOUT ROWID;

CREATE TABLE absent_contacts (
    key BLOB PRIMARY KEY,
    list INTEGER NOT NULL,
    asked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE contact_creations (
    key BLOB PRIMARY KEY,
    list INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    refused TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX kept_keys_of_job ON kept_keys (job);
CREATE INDEX kept_keys_by_details ON kept_keys (details_hash);
)sql";

// For those who query the file: nothing here uses them, but for results of jobs that do not fit into memory.
constexpr std::string_view views = R"sql(
CREATE VIEW chunk_rows AS
SELECT job, chunk, group_number, row, line, contact_id,
       CASE WHEN task_id IS NOT NULL THEN 'created'
            WHEN chunk_state = 'planned' THEN 'pending'
            WHEN chunk_state = 'refused' THEN 'failed'
            ELSE 'unknown' END AS state,
       chunk_state, task_id,
       CASE WHEN task_id IS NULL THEN code ELSE '' END AS code,
       CASE WHEN task_id IS NULL THEN message ELSE '' END AS message,
       attempts, request_id, possible_duplicate, settled_at AS finished_at
FROM (SELECT job, chunk, group_number, chunk_state, code, message, attempts, request_id, possible_duplicate, settled_at,
             CASE typeof(contact_ids) WHEN 'blob' THEN lower(hex(substr(contact_ids, place * 12 + 1, 12)))
                  ELSE json_extract(contact_ids, '$[' || place || ']') END AS contact_id,
             row,
             row + coalesce(json_extract(lines, '$[' || place || ']'), json_extract(lines, '$[0]')) AS line,
             nullif(CASE typeof(task_ids) WHEN 'blob' THEN
                         nullif(lower(hex(substr(task_ids, place * 12 + 1, 12))), '000000000000000000000000')
                    ELSE json_extract(task_ids, '$[' || place || ']') END, '') AS task_id
      FROM (SELECT c.job, c.id AS chunk, c.group_number, c.state AS chunk_state, c.code, c.message, c.attempts,
                   c.request_id, c.possible_duplicate, c.settled_at, k.contact_ids, k.lines, t.task_ids,
                   r.key AS place, r.value + iif(r.key = 0, 0, json_extract(k.rows, '$[0]')) AS row
            FROM chunks c
            JOIN packed_contacts k ON k.chunk = c.id
            LEFT JOIN packed_tasks t ON t.chunk = c.id,
            json_each(k.rows) r))
WHERE chunk_state <> 'split' OR task_id IS NOT NULL;

CREATE VIEW rows AS
SELECT job, row,
       (SELECT name FROM files f WHERE f.job = all_rows.job AND f.first_row <= all_rows.row
        ORDER BY f.ordinal DESC LIMIT 1) AS file,
       line, contact_id, state, task_id, code, "column", message, attempts, request_id, possible_duplicate,
       of_job, of_row, finished_at, chunk, group_number
FROM (SELECT job, row, line, contact_id, state, task_id, code, '' AS "column", message, attempts, request_id,
             possible_duplicate, NULL AS of_job, NULL AS of_row, finished_at, chunk, group_number
      FROM chunk_rows
      UNION ALL
      SELECT job, row, line, contact_id, 'duplicate', NULL, '', '', '', 0, '', 0, of_job, of_row, NULL, NULL, NULL
      FROM duplicates
      UNION ALL
      SELECT job, row, line, contact_id, 'rejected', NULL, code, "column", message, 0, '', 0, NULL, NULL, NULL, NULL,
             NULL
      FROM rejects) AS all_rows;
)sql";

core::failure foreign_file(const std::string& path) {
    return {core::errc::ledger, fmt::format("{} is a SQLite file but not a taskbarge ledger; name another file", path)};
}

core::failure newer_file(const std::string& path, std::int64_t version) {
    return {core::errc::ledger, fmt::format("ledger {} was made by a newer taskbarge (its schema is version {}, this "
                                            "program knows {}); use the newer program",
                                            path, version, current_version)};
}

core::failure unreleased_file(const std::string& path) {
    return {core::errc::ledger, fmt::format("ledger {} was made by a development version of taskbarge that was never "
                                            "released; move it away, or name another file",
                                            path)};
}

}  // namespace

core::result<bool> has_schema(sqlite::database& db, const std::string& path) {
    auto id = db.integer("PRAGMA application_id");
    if (!id) return id.error();
    auto version = db.integer("PRAGMA user_version");
    if (!version) return version.error();
    auto objects = db.integer("SELECT count(*) FROM sqlite_schema");
    if (!objects) return objects.error();
    if (*id == 0 && *version == 0 && *objects == 0) return false;
    if (*id != application_id) return foreign_file(path);
    if (*version > current_version) return newer_file(path, *version);
    if (*version < current_version) return unreleased_file(path);
    return true;
}

core::result<void> make_schema(sqlite::database& db) {
    return db.atomically(sqlite::access::write, [&] {
        return db.execute(fmt::format("{} {} PRAGMA application_id = {}; PRAGMA user_version = {};", tables, views,
                                      application_id, current_version));
    });
}

}  // namespace taskbarge::ledger
