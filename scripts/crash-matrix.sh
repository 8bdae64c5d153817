#!/usr/bin/env bash
# The whole fault matrix: every sandbox fault, alone and with a kill at every fault point, under both policies. It takes
# about an hour on two cores; scripts/test.sh runs a reduced one. Figures: docs/crash-safety.md.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-build/release/tests/crash/taskbarge_faulty}
[ -x "$program" ] || { echo "crash-matrix: build the target taskbarge_faulty first (scripts/test.sh does)" >&2; exit 1; }
exec python3 tests/crash/crash_tests.py --program "$program" matrix --jobs "${JOBS:-4}"
