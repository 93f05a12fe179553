#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what is missing for: build, test, node, fuzz, format, tidy.
#
#   tests/install.sh WHAT...
#
# Looks first and does nothing when everything is there.  Installs Debian's
# packages, and the npm packages of the tests into tests/node; where there is
# no apt-get it says what is missing and stops.
set -eu
cd "$(dirname "$0")/.."

missing=()

header() { # header NAME PACKAGE
    echo "#include <$1>" | ${CC:-cc} -E -x c - >/dev/null 2>&1 ||
        missing+=("$2")
}

program() { # program NAME PACKAGE
    command -v "$1" >/dev/null || missing+=("$2")
}

# A node that the npm client of the tests runs on.
node_is_good() {
    local version
    version=$("$1" --version 2>/dev/null) || return 1
    version=${version#v}
    [ "${version%%.*}" -ge 20 ]
}

local_node=tests/node/node_modules/node/bin/node
good_node() {
    node_is_good node || node_is_good "$local_node"
}

fuzzer_links() {
    echo 'int LLVMFuzzerTestOneInput(const char *, long);
          int LLVMFuzzerTestOneInput(const char *d, long n)
          { (void)d; (void)n; return 0; }' |
        clang -fsanitize=fuzzer -x c - -o /dev/null >/dev/null 2>&1
}

for what in "$@"; do
    case $what in
    build)
        # A compiler alone comes without it.
        header stdio.h libc6-dev
        header event2/event.h libevent-dev
        header jemalloc/jemalloc.h libjemalloc-dev
        ;;
    test)
        header hiredis/hiredis.h libhiredis-dev
        # The headers that cmocka.h wants before it.
        printf '#include <%s>\n' stdarg.h stddef.h stdint.h setjmp.h cmocka.h |
            ${CC:-cc} -E -x c - >/dev/null 2>&1 || missing+=(libcmocka-dev)
        # It has redis-server too, as redis-check-rdb: run.sh gives it its
        # name.  The package redis-server would start one on port 6379.
        program redis-check-rdb redis-tools
        program clang-format clang-format
        ;;
    node)
        # Debian's npm brings its node along.
        program npm npm
        ;;
    fuzz)
        program clang clang
        fuzzer_links || missing+=(libclang-rt-14-dev)
        ;;
    format) program clang-format clang-format ;;
    tidy) program clang-tidy clang-tidy ;;
    *)
        echo "install.sh: what is $what?" >&2
        exit 2
        ;;
    esac
done

quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        echo "install.sh: $* failed" >&2
        exit 1
    fi
    rm -f "$log"
}

if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "Missing: ${missing[*]} (as Debian calls them)." >&2
        echo "There is no apt-get here; install them and try again." >&2
        exit 1
    fi
    root=()
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "Missing: ${missing[*]}.  Install them as root:" >&2
            echo "    apt-get install ${missing[*]}" >&2
            exit 1
        fi
        root=(sudo)
    fi
    echo "Installing ${missing[*]}"
    quietly "${root[@]}" apt-get update
    quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}"
fi

case " $* " in
*" node "*)
    if [ ! -e tests/node/node_modules/.package-lock.json ] ||
        [ tests/node/package-lock.json -nt \
            tests/node/node_modules/.package-lock.json ]; then
        echo "Installing the npm packages of the tests"
        quietly npm ci --prefix tests/node --no-audit --no-fund
    fi
    if ! good_node; then
        echo "Installing a newer node for the tests"
        quietly npm install --prefix tests/node --no-save --no-audit \
            --no-fund node@22
        good_node || {
            echo "install.sh: no node of version 20 or newer" >&2
            exit 1
        }
    fi
    ;;
esac
