#!/usr/bin/env bash
# From a fresh clone to a finished import: builds taskbarge, starts a local Apollo (taskbarge sandbox), imports
# sample_data/contacts.csv into it and shows what became of the rows. Nothing leaves this machine but the downloads of
# missing Debian packages. Run again it finds the job done and sends nothing; delete .demo/ to begin anew.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

state=.demo # in the repository
taskbarge=$repo/build/release/src/cli/taskbarge
first_port=18443
sandbox_pid=

in_use() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

# The sandbox's port is part of what makes an import the same job: it is chosen once and remembered.
choose_port() {
    local port
    if [ -s "$state/port" ]; then
        port=$(cat "$state/port")
        ! in_use "$port" || die "port $port of the earlier run is taken; free it, or delete .demo/ to begin anew"
    else
        for ((port = first_port; port < first_port + 100; ++port)); do
            in_use "$port" || break
        done
        [ "$port" -lt $((first_port + 100)) ] || die "no free port from $first_port on"
        echo "$port" > "$state/port"
    fi
    echo "$port"
}

stop_sandbox() {
    [ -n "$sandbox_pid" ] || return 0
    kill "$sandbox_pid" 2> /dev/null || true
    wait "$sandbox_pid" 2> /dev/null || true
    sandbox_pid=
    rm -f "$state/sandbox.pid"
}

# ready KEY: what the sandbox printed as KEY=...
ready() { sed -n "s/^$1=//p" "$state/sandbox.out" 2> /dev/null || true; }

start_sandbox() {
    local tries
    rm -f "$state/sandbox.out"
    "$taskbarge" sandbox --listen "127.0.0.1:$1" --state "$state/sandbox" --journal "$state/tasks.jsonl" --quiet \
        > "$state/sandbox.out" 2> "$state/sandbox.err" &
    sandbox_pid=$!
    echo "$sandbox_pid" > "$state/sandbox.pid"
    for ((tries = 0; tries < 100; ++tries)); do
        if [ -n "$(ready APOLLO_API_KEY)" ]; then return; fi
        kill -0 "$sandbox_pid" 2> /dev/null || break
        sleep 0.1
    done
    cat "$state/sandbox.err" >&2
    die "the sandbox did not start"
}

say "taskbarge demo: build, start a local Apollo, import sample_data/contacts.csv"
install_missing "${build_packages[@]}"
configure release -DTASKBARGE_TESTS=OFF
build release taskbarge

cd "$repo"
umask 077
mkdir -p "$state"
trap stop_sandbox EXIT
trap 'exit 130' INT TERM
port=$(choose_port)
say "starting the sandbox on 127.0.0.1:$port"
start_sandbox "$port"

export APOLLO_API_KEY
APOLLO_API_KEY=$(ready APOLLO_API_KEY)
import=(import sample_data/contacts.csv --base-url "$(ready base_url)" --ca-file "$state/sandbox/ca.pem"
    --ledger "$state/ledger.db")
say "taskbarge ${import[*]}"
code=0
"$taskbarge" "${import[@]}" || code=$?
case $code in
    0) ;;
    2) say "exit code 2: finished, and some rows were rejected; the sample holds bad rows on purpose" ;;
    *) die "the import ended with exit code $code" ;;
esac

job=$("$taskbarge" jobs --ledger "$state/ledger.db" --json | grep -oE '"job":[0-9]+' | cut -d: -f2 | head -n 1)
say "taskbarge results $job --ledger $state/ledger.db, the header and five of its lines"
"$taskbarge" results "$job" --ledger "$state/ledger.db" --quiet -o "$state/results.csv"
head -n 6 "$state/results.csv"
say "all of them: .demo/results.csv. Run scripts/demo.sh again: the job is done, and nothing will be sent"
