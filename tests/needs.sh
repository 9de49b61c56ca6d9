#!/usr/bin/env bash
# What the tests need of this machine. As root on Debian or Ubuntu it is installed; else one line says what is missing.
#
#   tests/needs.sh PACKAGE...      a package is present when dpkg says so
set -euo pipefail

missing=()
for package in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "tests: this machine has no apt; install what Debian calls: ${missing[*]}" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "tests: missing: ${missing[*]}; get them by: sudo apt-get install ${missing[*]}" >&2
    exit 1
fi

echo "tests: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() { apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; }
install || { apt-get update >"$log" 2>&1 && install; } || { cat "$log" >&2; exit 1; }
