#!/usr/bin/env bash
# Runs clang-tidy over the sources: all of them, or the files named.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install_missing "${build_packages[@]}" "${test_packages[@]}" "${tidy_packages[@]}"
# A build folder of its own: clang-tidy reads the commands as clang would be called.
say "configuring build/tidy"
cmake -S "$repo" -B "$repo/build/tidy" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++ > /dev/null

cd "$repo"
if [ $# = 0 ]; then mapfile -t files < <(find src -name '*.cpp' | sort); else files=("$@"); fi
say "clang-tidy over ${#files[@]} files"
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(build_jobs)" clang-tidy -p build/tidy --quiet
say "clang-tidy has no finding"
