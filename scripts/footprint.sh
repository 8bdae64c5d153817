#!/usr/bin/env bash
# The ledger's size against the input's, the memory of `results`, the cost of de-duplication and what `prune` gives back,
# at 100,000 and a million rows. Figures: docs/ledger.md.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-build/release/src/cli/taskbarge}
[ -x "$program" ] || { echo "footprint: build the target taskbarge first (scripts/test.sh does)" >&2; exit 1; }
exec python3 tests/footprint/footprint.py --program "$program"
