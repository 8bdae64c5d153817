#!/usr/bin/env bash
# A million rows under faults and kills, once with a search that shows every task and once with one that shows as many as
# Apollo's. Some twenty minutes each on two idle cores. ROWS and KILLS make it shorter. Figures: docs/crash-safety.md.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-build/release/src/cli/taskbarge}
[ -x "$program" ] || { echo "soak: build the target taskbarge first (scripts/test.sh does)" >&2; exit 1; }
soak() { nice -n 19 python3 tests/crash/soak.py --program "$program" --rows "${ROWS:-1000000}" --kills "${KILLS:-50}" "$@"; }
soak --seed 1
soak --seed 2 --search-visible 50000
