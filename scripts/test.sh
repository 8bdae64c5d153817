#!/usr/bin/env bash
# Installs what the tests need, builds, and runs them. Without options: the parts that handle bytes from outside under
# address and undefined-behaviour sanitizers, those with threads under the thread sanitizer, then every test in the
# release build. --quick: only the release build. --asan, --tsan: every test in that build. --all: every test in all
# three.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Test programs that are run under a sanitizer by default.
asan_targets=(core_tests reader_tests grouper_tests ledger_tests client_tests client_network_tests sample_data_tests
              service_http_tests inbox_tests)
tsan_targets=(async_tests client_network_tests job_tests job_integration_tests service_telemetry_tests
              service_notify_tests service_work_tests)

usage() {
    echo "usage: scripts/test.sh [--quick | --asan | --tsan | --all]" >&2
    exit 64
}

# run PRESET [CTEST OPTION...]
run() {
    local preset=$1
    shift
    say "tests of build/$preset"
    ctest --test-dir "$repo/build/$preset" --output-on-failure --no-tests=error --parallel "$(nproc)" "$@"
}

whole() {
    configure "$1" -DTASKBARGE_TESTS=ON
    build "$1"
    run "$1"
}

# Without threads, and slow where each use of memory is watched for them.
single_threaded='ContactReading|^Promises[./]'

# some PRESET TARGET...: builds and runs these test programs alone.
some() {
    local preset=$1
    shift
    configure "$preset" -DTASKBARGE_TESTS=ON
    build "$preset" "$@"
    # ctest knows a program that was not built as <name>_NOT_BUILT; those in Python need the whole program. Where a test
    # takes all descriptors away, the sanitizer has none for its own look at memory, and takes an object for a broken one.
    local left_out='_NOT_BUILT$|^(Browser|Crash|Evidence|Footprint|Large|Link|Metrics|Refusals|Service|Windows)\.|WithoutDescriptors'
    [ "$preset" != tsan ] || left_out+="|$single_threaded"
    run "$preset" --exclude-regex "$left_out"
}

[ $# -le 1 ] || usage
case "${1:-}" in
    '' | --quick | --asan | --tsan | --all) ;;
    *) usage ;;
esac

install_missing "${build_packages[@]}" "${test_packages[@]}" "${browser_packages[@]}"
# Any Node will do; Debian's is only fetched where there is none.
command -v npm > /dev/null || install_missing nodejs npm
case "${1:-}" in
    '')
        some asan "${asan_targets[@]}"
        some tsan "${tsan_targets[@]}"
        whole release
        ;;
    --quick) whole release ;;
    --asan) whole asan ;;
    --tsan) whole tsan ;;
    --all)
        whole asan
        whole tsan
        whole release
        ;;
esac
