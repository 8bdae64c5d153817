#!/usr/bin/env bash
# Makes large files of every kind, plans them and tells how much memory that took. The files (up to a gigabyte, one at a
# time) are made under build/ and deleted. Figures: docs/preparing-a-file.md.
#   scripts/large-file.sh [MB...]     default: 10 100 1000
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

sizes=("$@")
[ ${#sizes[@]} -gt 0 ] || sizes=(10 100 1000)
for size in "${sizes[@]}"; do
    [[ $size =~ ^[0-9]+$ ]] || { echo "usage: $0 [MB...]" >&2; exit 64; }
done
install_missing "${build_packages[@]}" "${test_packages[@]}"
configure release
build release taskbarge
exec python3 "$repo/tests/large/large_files.py" --program "$repo/build/release/src/cli/taskbarge" \
    --folder "$repo/build/large-file" "${sizes[@]}"
