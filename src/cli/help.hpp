// What --help says beyond the list of options.
#pragma once

#include <string_view>

namespace taskbarge::cli::help {

inline constexpr std::string_view program =
    "Loads large CSV and JSONL contact files into Apollo as tasks, with as few requests as can be.\n"
    "No row is lost; no row is sent again while its fate is unknown, unless you choose so.";

inline constexpr std::string_view program_footer = R"(
Start here:
  taskbarge init contacts.csv            writes settings for such files, to be looked through
  taskbarge plan contacts.csv            what would be sent, and how long it takes; sends nothing
  taskbarge import contacts.csv          sends; cut short, the same command goes on
  taskbarge results 1                    what became of every row of job 1

The API key comes from APOLLO_API_KEY, else from the file that apollo.api_key_file names; never from
the command line. Settings, highest first: named option, --set section.key=value, the environment
variable TASKBARGE_SECTION_KEY, the settings file (--config, else ./taskbarge.toml, else
/etc/taskbarge/taskbarge.toml), default.

Exit codes:
   0  every row created or its duplicate
   2  finished, but some rows rejected, failed or held unknown
  64  wrong command line
  65  input unusable: missing, unreadable, no contact column, too many rejects
  69  no answer at all from Apollo (DNS, connection, TLS)
  70  a bug
  75  parked, interrupted, held by another process, disk full: run it again, as
      cron does
  77  no key, key refused (401), no right (403)
  78  settings wrong, ledger not to be opened

`taskbarge help COMMAND`, or `taskbarge COMMAND --help`, says more about each command.)";

inline constexpr std::string_view init_footer = R"(
Reads the header and the first 5,000 rows, asks Apollo for the team's users where a key is at hand,
and writes a settings file with a comment on every line. Nothing is guessed in silence: lines marked
CHECK hold a proposal, lines marked CHOOSE need your word, and the program refuses them until then.
Then it prints the plan of an import. Nothing is sent.

Examples:
  taskbarge init contacts.csv                      writes ./taskbarge.toml
  taskbarge init -o hubspot.toml tasks.csv         then: taskbarge import --config hubspot.toml tasks.csv
  taskbarge init -o - contacts.csv                 prints the settings, and no plan

Exit codes: 0 written, 64 standard input or a pipe, which can be read but once, 65 the file cannot
be read, 78 there is a settings file already.)";

inline constexpr std::string_view import_footer = R"(
FILE is CSV or JSONL, plain or compressed with gzip or zstd; `-` is standard input.

Examples:
  taskbarge import contacts.csv
  taskbarge import --config crm.toml --first 100 contacts.csv    a trial with the first 100 rows
  zcat big.csv.gz | taskbarge import --json - > report.json
  taskbarge import --set send.max_wait=0s contacts.csv           park rather than wait for a rate window

The same input again goes on with its unfinished job, or reports the finished one; --again makes a
new job. With exit code 75 run the same command later: cron may do so every few minutes.

Exit codes: 0 all created or duplicate, 2 finished with exceptions, 65, 69, 70, 75, 77, 78 as in
`taskbarge --help`.)";

inline constexpr std::string_view plan_footer = R"(
Examples:
  taskbarge plan contacts.csv
  taskbarge plan --set columns.contact_id="Apollo Contact Id" contacts.csv
  taskbarge plan --json contacts.csv
  taskbarge plan contacts.csv --rejects -o fix.csv     mend the rows, then: taskbarge import fix.csv

Sends nothing and keeps nothing; with a key at hand it asks for the rate limits to say how long an
import would take.

Exit codes: 0, 2 some rows would be rejected, 65 the input cannot be used.)";

inline constexpr std::string_view jobs_footer = R"(
Examples:
  taskbarge jobs
  taskbarge jobs --state unfinished
  taskbarge jobs --json)";

inline constexpr std::string_view status_footer = R"(
Examples:
  taskbarge status 7
  taskbarge status 7 --attempts       every request of the job
  taskbarge status 7 --watch          until the job is over
  taskbarge status 7 --json

The exit code is the job's: 0 or 2 when it is finished, else why it is not.)";

inline constexpr std::string_view results_footer = R"(
Examples:
  taskbarge results 7 > results.csv
  taskbarge results 7 --only failed,unknown --format jsonl
  taskbarge results 7 --rejects -o mend-me.csv     mend the rows, then: taskbarge import mend-me.csv

Columns: row, file, line, contact_id, state, task_id, code, column, message, attempts, request_id,
possible_duplicate, duplicate_of, finished_at, contact_key. States: created, duplicate, rejected, failed, unknown,
pending. In CSV a text that a spreadsheet would take for a formula begins with an apostrophe.
-o writes a file of mode 0600 that appears only when it is whole.

Exit codes: 0 when all was written, 75 when it could not be.)";

inline constexpr std::string_view resume_footer = R"(
Examples:
  taskbarge resume 7
  taskbarge resume            every unfinished job, oldest first; for cron

The input is not needed again. Exit codes as for import; with several jobs the one that most needs
a person.)";

inline constexpr std::string_view retry_footer = R"(
Examples:
  taskbarge retry 7
  taskbarge retry 7 --resend-unknown

Sends failed rows again, and unknown rows that a fresh look-up shows absent. With --resend-unknown
also those that cannot be looked up: they may become a second task, and are marked
possible_duplicate. Exit codes as for import.)";

inline constexpr std::string_view verify_footer = R"(
Example:
  taskbarge verify 7

Looks up every unknown row in Apollo and settles what can be settled; creates nothing.
Exit codes as for import.)";

inline constexpr std::string_view cancel_footer = R"(
Example:
  taskbarge cancel 7

Rows that were not sent become failed (code cancelled); requests in flight are settled first. Tasks
that exist stay. Exit codes as for import.)";

inline constexpr std::string_view prune_footer = R"(
Examples:
  taskbarge prune --older-than 90d --dry-run
  taskbarge prune --older-than 90d               once a month, from cron
  taskbarge prune --older-than 730d --forget-keys

Sums stay, and so do identity and de-duplication keys: the same input was still finished before, and
its rows are still duplicates. Unfinished jobs, jobs that a process works on, and jobs with unknown
rows are left alone.

Exit codes: 0 done, 75 cut short (run it again), 78 the ledger cannot be opened.)";

inline constexpr std::string_view doctor_footer = R"(
Example:
  taskbarge doctor --config crm.toml

Costs one request on each route; the one on bulk_create names no contact, so that Apollo can only
refuse it. Looks at the ledger's disk, too, at the owner of defaults.owner_email, and, where [serve] or
[notify] is set, at token, inbox, and the files of the webhook; tells nobody.

Exit codes: 0 an import (and the service, where it is set up) would work, else the code that it would
end with.)";

inline constexpr std::string_view config_footer = R"(
Examples:
  taskbarge config check            before the settings go to the machine that uses them
  taskbarge config show             the value of each setting, and where it comes from)";

inline constexpr std::string_view config_check_footer = R"(
Examples:
  taskbarge config check --config crm.toml
  taskbarge config check --json

Checks what every command checks at its start, and names each mistake with its source, not the first
alone. Asks nobody and looks at no file but the settings: `taskbarge doctor` looks at key, inbox,
disk and Apollo.

Exit codes: 0 good, 78 not.)";

inline constexpr std::string_view config_show_footer = R"(
Examples:
  taskbarge config show
  taskbarge config show | grep -v '# default$'      only what was set

The output is a settings file. URLs that may hold a password or a secret are cut short; the API key and
tokens are never in the settings.

Exit codes: 0, 78 the settings cannot be used.)";

inline constexpr std::string_view contacts_footer = R"(
Examples:
  taskbarge contacts load apollo-contacts-export.csv
  taskbarge contacts refresh
  taskbarge contacts status
  taskbarge contacts find ada@example.com

An input may name its contacts by e-mail, by an id of Salesforce or HubSpot, or by a LinkedIn profile.
`import` finds them by itself: by what these commands have brought into the ledger, else by asking
Apollo for as little as it can. `taskbarge plan FILE` says what that would cost. Addresses are kept as
keyed hashes only.

`taskbarge contacts COMMAND --help` says more of each.)";

inline constexpr std::string_view contacts_load_footer = R"(
Examples:
  taskbarge contacts load apollo-contacts-export.csv
  taskbarge contacts load export-1.csv export-2.csv

Takes files that Apollo itself exported (Contacts, Export): they have the column "Apollo Contact Id"
beside e-mails and CRM ids. That costs no request. A file is as old as its time of change says.

Exit codes: 0, 65 the file is no such export, 78.)";

inline constexpr std::string_view contacts_refresh_footer = R"(
Examples:
  taskbarge contacts refresh
  taskbarge contacts refresh --all
  taskbarge contacts refresh --set contacts.budget=6000

Reads Apollo's list of contacts, a hundred a request; where it was read before, only what has changed
since. What was read stays read: with 75 run it again later, and it goes on where it was.

Exit codes: 0, 65 contacts.budget does not reach, 69, 75, 77, 78.)";

inline constexpr std::string_view contacts_status_footer = R"(
Examples:
  taskbarge contacts status
  taskbarge contacts status --json)";

inline constexpr std::string_view contacts_find_footer = R"(
Examples:
  taskbarge contacts find ada@example.com
  taskbarge contacts find 0035g00000XyZabAAB
  taskbarge contacts find 66e9e215ece19801b219997f

Exit codes: 0 known, 2 not known, 64 it is no key.)";

inline constexpr std::string_view ledger_footer = R"(
Examples:
  taskbarge ledger check            whether it is as it was written, and the newest
  taskbarge ledger accept           after a copy was put back; then import or resume again
  taskbarge ledger trust            when all that was sent before is settled

`taskbarge ledger COMMAND --help` says when each is needed.)";

inline constexpr std::string_view ledger_check_footer = R"(
Example:
  taskbarge ledger check

Reads the whole file, compares every row with its checksum, and looks for rows that are missing and
jobs that do not add up. A running import does not mind.

Exit codes: 0 whole, 78 damaged, older than what was sent with it, or not there.)";

inline constexpr std::string_view ledger_accept_footer = R"(
Example:
  cp backup/ledger.db ledger.db && taskbarge ledger accept && taskbarge resume

When a command says that the ledger is older than what was last sent with it, first look for the
newest copy: with that one nothing is in doubt. Where there is none, accept what there is.

Every row that it takes for not sent comes in doubt: import and resume look it up in Apollo first
and send it only where no task exists. So does every input that is imported from now on, since the
ledger may have lost its job, until `taskbarge ledger trust`. That takes some requests of the search
and the settle time (send.settle_time); rows that cannot be decided are held.
Stop imports and the service first.

Exit codes: 0, 75 a process works on a job, 78 not a ledger.)";

inline constexpr std::string_view ledger_trust_footer = R"(
Example:
  taskbarge ledger trust

Ends what `ledger accept` began: new inputs are sent without a look-up again. Use it when every
input that was imported since the copy was made has been imported again. Rows that are in doubt stay
so until a look-up settles them.

Exit codes: 0, 78.)";

inline constexpr std::string_view serve_footer = R"(
Example:
  taskbarge serve --config /etc/taskbarge/taskbarge.toml
  cp contacts.csv /var/lib/taskbarge/inbox/contacts.csv.part
  cd /var/lib/taskbarge/inbox && mv contacts.csv.part contacts.csv
  curl http://127.0.0.1:8642/v1/jobs

A file that is dropped into serve.inbox becomes a job, and lies in done/ or failed/ with its results
afterwards. The dashboard is at http://127.0.0.1:8642/. It and the control API ask for the token of
serve.token_file (or TASKBARGE_TOKEN), which the service must have to listen anywhere but on loopback;
with the one of serve.read_token_file (or TASKBARGE_READ_TOKEN) they can only be read. SIGTERM stops
it: requests in flight are awaited, and the next start goes on. SIGHUP reads settings and secrets
again. docs/service.md says more.

Exit codes: 0 stopped on request, 69 it cannot listen there, 77 no key, 78 settings, ledger, inbox.)";

inline constexpr std::string_view help_footer = R"(
Examples:
  taskbarge help import
  taskbarge help ledger check)";

inline constexpr std::string_view version_footer = R"(
Example:
  taskbarge version)";

inline constexpr std::string_view sandbox_footer = R"(
Example, in two terminals:
  taskbarge sandbox --listen 127.0.0.1:8443 --state /tmp/sandbox
  APOLLO_API_KEY=... taskbarge import --base-url https://127.0.0.1:8443/api/v1 \
      --ca-file /tmp/sandbox/ca.pem contacts.csv

With a team's contacts, made up, for files that name people by address:
  taskbarge sandbox --contacts 5000

Prints base URL, CA file and API key when it listens, with --env as lines to source; ends with SIGINT or SIGTERM. Faults are listed
in docs/sandbox.md.)";

}  // namespace taskbarge::cli::help
