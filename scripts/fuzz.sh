#!/usr/bin/env bash
# Builds the fuzz targets with clang, address and undefined-behaviour sanitizers, and runs each for a while, two at once.
#   scripts/fuzz.sh [SECONDS] [TARGET...]     default: 600 seconds each of fuzz_csv fuzz_jsonl fuzz_dates fuzz_settings fuzz_http
# What is learnt is kept in build/fuzz/corpus, logs in build/fuzz/logs; a finding stays as a file in build/fuzz/findings
# and ends the script with 1.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

seconds=${1:-600}
shift || true
if [[ ! $seconds =~ ^[0-9]+$ ]]; then
    echo "usage: $0 [SECONDS] [TARGET...]" >&2
    exit 64
fi
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
    targets=(fuzz_csv fuzz_jsonl fuzz_dates fuzz_settings fuzz_http)
fi
install_missing "${build_packages[@]}" "${fuzz_packages[@]}"

build=${TASKBARGE_FUZZ_BUILD:-$repo/build/fuzz}
sanitize="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1 -O1"
say "building $build: ${targets[*]}"
cmake -S "$repo" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++ \
    -DCMAKE_CXX_FLAGS_DEBUG="$sanitize" -DTASKBARGE_FUZZ=ON > /dev/null
cmake --build "$build" --target "${targets[@]}" --parallel "$(build_jobs)"
mkdir -p "$build/findings" "$build/logs"

fuzz() {
    local target=$1 kind=${1#fuzz_} seeds=() dictionary=()
    mkdir -p "$build/corpus/$kind"
    [[ -d $repo/tests/fuzz/corpus/$kind ]] && seeds=("$repo/tests/fuzz/corpus/$kind")
    [[ -f $repo/tests/fuzz/$kind.dict ]] && dictionary=("-dict=$repo/tests/fuzz/$kind.dict")
    "$build/tests/fuzz/$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/findings/$kind-" "${dictionary[@]}" "$build/corpus/$kind" "${seeds[@]}" \
        > "$build/logs/$target" 2>&1
}

# tell TARGET STATUS: one line about a run that ended; its end where there was a finding.
tell() {
    local log=$build/logs/$1 runs
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [[ $2 -eq 0 && -n $runs ]]; then
        say "$1: no finding in $seconds s, $runs inputs"
        return
    fi
    tail -n 40 "$log" >&2
    say "$1: a finding, see $build/findings and $log"
    failed=1
}

failed=0
for ((first = 0; first < ${#targets[@]}; first += 2)); do
    pair=("${targets[@]:first:2}")
    say "${pair[*]}, $seconds s"
    running=()
    for target in "${pair[@]}"; do
        fuzz "$target" &
        running+=($!)
    done
    for i in "${!pair[@]}"; do
        status=0
        wait "${running[i]}" || status=$?
        tell "${pair[i]}" "$status"
    done
done
exit "$failed"
