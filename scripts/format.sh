#!/usr/bin/env bash
# Formats all C++ files with clang-format; with --check changes nothing and fails if a file would change.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
    '') mode=(-i) ;;
    --check) mode=(--dry-run --Werror) ;;
    *)
        echo "usage: scripts/format.sh [--check]" >&2
        exit 64
        ;;
esac

command -v clang-format > /dev/null || install_missing "${format_packages[@]}"
cd "$repo"
folders=()
for folder in include src tests bench; do
    [ ! -d "$folder" ] || folders+=("$folder")
done
find "${folders[@]}" -type f \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' \) -print0 |
    xargs -0 --no-run-if-empty clang-format "${mode[@]}"
if [ "${mode[0]}" = -i ]; then say "formatted"; else say "the format holds"; fi
