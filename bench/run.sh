#!/usr/bin/env bash
# The speed and memory of taskbarge beside the parts it is made of: docs/performance.md. `--rows 100000` takes a minute,
# full size some twenty, 12 GB of disk and two idle cores.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

[ "${1:-}" = --help ] || [ "${1:-}" = -h ] || {
    install_missing "${build_packages[@]}" "${bench_packages[@]}"
    # Any Node will do; Debian's is only fetched where there is none.
    command -v node > /dev/null || install_missing nodejs
    configure bench
    build bench taskbarge contacts bare_csv bare_jsonl bare_ledger
}
exec /usr/bin/python3 "$repo/bench/run.py" "$@"
