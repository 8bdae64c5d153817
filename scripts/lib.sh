# shellcheck shell=bash disable=SC2034  # its variables are used by those who source it
# Shared by the scripts of this folder: where things are, and how missing packages are installed. Sourced, not run.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Debian 12 packages. docs/dependencies.md says what each is for.
build_packages=(
    g++ cmake ninja-build ccache
    libboost1.81-dev libboost-url1.81-dev
    libsimdjson-dev libfccp-dev libfmt-dev libtomlplusplus-dev libcli11-dev libhowardhinnant-date-dev
    libssl-dev libsqlite3-dev zlib1g-dev libzstd-dev libgumbo-dev libidn2-dev libunistring-dev
    libspdlog-dev prometheus-cpp-dev libsystemd-dev pkgconf
    ca-certificates tzdata
)
test_packages=(iproute2 libgtest-dev libgmock-dev python3 python3-jsonschema python3-prometheus-client python3-yaml sqlite3 tinyproxy-bin zstd jq)
# python3-munkres: without it matplotlib's fonts ask for scipy, and that for another Boost.
bench_packages=(libbenchmark-dev wrk openssl time python3 python3-matplotlib python3-munkres)
# The dashboard's tests: a browser, and what drives it (from npm, by tests/browser/package-lock.json).
browser_packages=(chromium)
format_packages=(clang-format)
tidy_packages=(clang clang-tidy)
fuzz_packages=(clang libclang-rt-14-dev)

say() { printf '==> %s\n' "$*"; }
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo > /dev/null; then
        sudo "$@"
    else
        die "packages are missing and neither root nor sudo is at hand; as root: $*"
    fi
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]; }

apt_install() { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; }

# install_missing PACKAGE...: installs those that are not there; touches nothing and asks nobody if all are. The package
# lists are fetched only if they do not know a package, or name a version that is gone.
install_missing() {
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} = 0 ]; then
        say "all packages are installed"
        return
    fi
    command -v apt-get > /dev/null || die "this needs Debian 12's apt-get, or these packages: ${missing[*]}"
    say "installing ${missing[*]}"
    if apt-cache show "${missing[@]}" > /dev/null 2>&1 && apt_install "${missing[@]}"; then return; fi
    say "fetching the package lists"
    as_root apt-get update -qq
    apt_install "${missing[@]}"
}

# How many compilers at once: one a core, and 1.5 GB of memory for each, since the coroutine sources need much.
build_jobs() {
    local cores by_memory
    cores=$(nproc)
    by_memory=$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo)
    [ "$by_memory" -ge 1 ] || by_memory=1
    echo $((cores < by_memory ? cores : by_memory))
}

# configure PRESET [OPTION...]: makes build/PRESET, or brings it up to date.
configure() {
    local preset=$1
    shift
    say "configuring build/$preset"
    cmake -S "$repo" --preset "$preset" "$@" > /dev/null
}

# build PRESET [TARGET...]: builds everything if no target is named.
build() {
    local preset=$1
    shift
    say "building build/$preset${*:+: $*}"
    cmake --build "$repo/build/$preset" --parallel "$(build_jobs)" --target "${@:-all}"
}
