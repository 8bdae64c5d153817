#!/usr/bin/env bash
# FILES files (1,000) dropped at once and CLIENTS clients (200) of the control API, against the local sandbox: nothing lost,
# nothing twice, memory and descriptors bounded; tells the rate and the processor time a file takes. Figures: docs/service.md.
# Ten thousand files: FILES=10000 scripts/service-load.sh
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-build/release/src/cli/taskbarge}
[ -x "$program" ] || { echo "service-load: build taskbarge first (scripts/demo.sh and scripts/test.sh do)" >&2; exit 1; }
exec python3 tests/service/service_tests.py --program "$program" load \
    --files "${FILES:-1000}" --clients "${CLIENTS:-200}" --patience "${PATIENCE:-3600}"
