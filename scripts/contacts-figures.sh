#!/usr/bin/env bash
# What an index of a team's contacts takes: requests, time against Apollo's rate windows, memory, disk, look-ups a second.
# Figures: docs/contacts.md.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-build/release/src/cli/taskbarge}
[ -x "$program" ] || { echo "contacts-figures: build the target taskbarge first (scripts/test.sh does)" >&2; exit 1; }
exec python3 tests/footprint/contacts_figures.py --program "$program" "${@:2}"
