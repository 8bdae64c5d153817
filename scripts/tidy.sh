#!/usr/bin/env bash
# Runs clang-tidy over the sources: all of them, or the files named.
#   scripts/tidy.sh [FILE...]
#   scripts/tidy.sh --changed [MOST]    those that differ from where this branch left main (on main: from the commit
#                                       before), MOST at most; a changed header stands for the source of its name
# Each file is read alone, so an #include that is missing is found as well.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$repo"

# changed_sources: one a line. Fails where there is no earlier commit to compare with.
changed_sources() {
    local base name
    base=$(git merge-base HEAD origin/main 2> /dev/null || git merge-base HEAD main 2> /dev/null) || base=
    if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then
        base=$(git rev-parse --verify --quiet HEAD~1) || return 1
    fi
    { git diff --name-only "$base" -- src include && git ls-files --others --exclude-standard -- src include; } |
        sed -nE 's#^(src|include/taskbarge)/(.*)\.(cpp|hpp)$#src/\2.cpp#p' | sort -u |
        while read -r name; do [ ! -f "$name" ] || echo "$name"; done
}

if [ "${1:-}" = --changed ]; then
    most=${2:-1000}
    if ! changed=$(changed_sources 2> /dev/null); then
        say "clang-tidy: no earlier commit to compare with, nothing is read"
        exit 0
    fi
    mapfile -t files < <(printf '%s' "$changed")
    if [ ${#files[@]} -gt "$most" ]; then
        say "clang-tidy: ${#files[@]} sources have changed, only the first $most are read; scripts/tidy.sh reads all"
        files=("${files[@]:0:most}")
    fi
    if [ ${#files[@]} = 0 ]; then
        say "clang-tidy: no source has changed"
        exit 0
    fi
elif [ $# -gt 0 ]; then
    files=("$@")
else
    mapfile -t files < <(find src -name '*.cpp' | sort)
fi

install_missing "${build_packages[@]}" "${test_packages[@]}" "${tidy_packages[@]}"
# A build folder of its own: clang-tidy reads the commands as clang would be called, one for each file.
say "configuring build/tidy"
cmake -S "$repo" -B "$repo/build/tidy" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++ \
    -DTASKBARGE_TESTS=OFF -DTASKBARGE_TOGETHER=OFF > /dev/null

# The analyzer of clang-tidy 14 takes the frame of a coroutine for one that was not set (in Boost's awaitable.hpp).
check() {
    local options=()
    if grep -q awaitable "$1"; then options=(--checks=-clang-analyzer-core.CallAndMessage,-clang-analyzer-core.NullDereference); fi
    clang-tidy -p build/tidy --quiet "${options[@]}" "$1" 2> >(grep -vE '^[0-9]+ warnings? generated' >&2)
}
export -f check
say "clang-tidy over ${#files[@]} files"
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(build_jobs)" bash -c 'check "$1"' check
say "clang-tidy has no finding"
