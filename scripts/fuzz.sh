#!/usr/bin/env bash
# Builds the fuzz targets with clang, address and undefined-behaviour sanitizers, and runs each for a while.
#   scripts/fuzz.sh [SECONDS] [TARGET...]     default: 600 seconds each of all targets
# What is learnt is kept in build/fuzz/corpus; a finding stays as a file in build/fuzz/findings and ends the script with 1.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
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
if ! command -v clang++ > /dev/null; then
    echo "clang++ is needed: apt-get install clang" >&2
    exit 69
fi

build=${TASKBARGE_FUZZ_BUILD:-$here/build/fuzz}
sanitize="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1 -O1"
cmake -S "$here" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++ \
    -DCMAKE_CXX_FLAGS_DEBUG="$sanitize" -DTASKBARGE_FUZZ=ON > /dev/null
cmake --build "$build" --target "${targets[@]}" -- -j2

mkdir -p "$build/findings"
for target in "${targets[@]}"; do
    kind=${target#fuzz_}
    mkdir -p "$build/corpus/$kind"
    seeds=()
    [[ -d $here/tests/fuzz/corpus/$kind ]] && seeds=("$here/tests/fuzz/corpus/$kind")
    dictionary=()
    [[ -f $here/tests/fuzz/$kind.dict ]] && dictionary=("-dict=$here/tests/fuzz/$kind.dict")
    echo "== $target, $seconds s"
    "$build/tests/fuzz/$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/findings/$kind-" "${dictionary[@]}" "$build/corpus/$kind" "${seeds[@]}"
done
echo "no finding"
