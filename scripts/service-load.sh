#!/usr/bin/env bash
# 1,000 files dropped at once and 200 clients of the control API, against the local sandbox: nothing lost, nothing twice,
# memory bounded. Some minutes. Figures: docs/service.md.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-build/release/src/cli/taskbarge}
[ -x "$program" ] || { echo "service-load: build taskbarge first (scripts/demo.sh and scripts/test.sh do)" >&2; exit 1; }
exec python3 tests/service/service_tests.py --program "$program" load --files 1000 --clients 200
