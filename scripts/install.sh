#!/usr/bin/env bash
# Installs the Debian packages that are missing for building, and with `test` also those for the tests.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
    build) install_missing "${build_packages[@]}" ;;
    test) install_missing "${build_packages[@]}" "${test_packages[@]}" ;;
    *)
        echo "usage: scripts/install.sh build|test" >&2
        exit 64
        ;;
esac
