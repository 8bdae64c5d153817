#!/usr/bin/env bash
# The dashboard's tests in a real browser, out of a copy of this folder, so that the sources stay as they are:
#   tests/browser/run.sh PROGRAM FOLDER [node's options and files]
# TASKBARGE_SCREENSHOTS=docs makes the pictures of docs/dashboard.md as well.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TASKBARGE=$(realpath "$1")
folder=$2
shift 2
export TASKBARGE
[ -z "${TASKBARGE_SCREENSHOTS:-}" ] || { TASKBARGE_SCREENSHOTS=$(realpath "$TASKBARGE_SCREENSHOTS") && export TASKBARGE_SCREENSHOTS; }
mkdir -p "$folder"
cp "$here"/*.js "$here"/package.json "$here"/package-lock.json "$folder"
cd "$folder"
# As the lock names them, and only where it has changed since.
cmp -s package-lock.json node_modules/installed || {
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/installed
}
[ $# -gt 0 ] || set -- --test --test-concurrency=1  # one browser at a time
exec node "$@"
