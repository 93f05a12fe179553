#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what is missing for: build, test, node, clients, bench, fuzz, format,
# tidy.
#
#   tests/install.sh WHAT...
#
# Looks first and does nothing when everything is there.  Installs Debian's
# packages, and the npm packages of the tests into tests/node; where there is
# no apt-get it says what is missing and stops.  Servers whose packages would
# start them at once and at every boot are put into build-tools instead, which
# the Makefile has on its path.
set -eu
cd "$(dirname "$0")/.."

tools=$PWD/build-tools
PATH=$PATH:$tools

missing=() # packages to install
servers=() # packages of which only the program is wanted

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
        # It has redis-server too, as redis-check-rdb; see the end.
        program redis-check-rdb redis-tools
        program clang-format clang-format
        program valgrind valgrind
        ;;
    node)
        # Debian's npm brings its node along.
        program npm npm
        ;;
    clients)
        program npm npm
        program jq jq
        program curl curl
        program php php-cli
        program ruby ruby
        program redis-check-rdb redis-tools
        for package in python3-redis python3-django python3-django-redis \
            php-redis ruby-redis; do
            dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
        done
        for server in prometheus-redis-exporter nutcracker; do
            command -v "$server" >/dev/null || servers+=("$server")
        done
        ;;
    bench)
        program redis-check-rdb redis-tools
        command -v memcached >/dev/null || servers+=(memcached)
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

# The libraries that a package depends on.
libraries() { # libraries PACKAGE...
    apt-cache depends "$@" | awk '$1 == "Depends:" && $2 ~ /^lib/ {print $2}'
}

unpack() { # unpack PACKAGE: its program of the same name, into build-tools
    local work
    work=$(mktemp -d)
    (
        cd "$work"
        quietly apt-get download "$1"
        quietly dpkg -x ./*.deb .
        install -D -t "$tools" usr/*bin/"$1"
    )
    rm -rf "$work"
}

wanted=("${missing[@]}" "${servers[@]}")
if [ ${#wanted[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "Missing: ${wanted[*]} (as Debian calls them)." >&2
        echo "There is no apt-get here; install them and try again." >&2
        exit 1
    fi
    root=()
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "Missing: ${wanted[*]}.  Install them as root:" >&2
            echo "    apt-get install ${wanted[*]}" >&2
            exit 1
        fi
        root=(sudo)
    fi
    echo "Installing ${wanted[*]}"
    quietly "${root[@]}" apt-get update
    if [ ${#servers[@]} -gt 0 ]; then
        mapfile -t -O ${#missing[@]} missing < <(libraries "${servers[@]}")
    fi
    quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends --no-upgrade "${missing[@]}"
    for server in "${servers[@]}"; do
        unpack "$server"
    done
fi

npm_packages() { # npm_packages FOLDER: those of its package-lock.json
    local installed=$1/node_modules/.package-lock.json
    if [ ! -e "$installed" ] || [ "$1/package-lock.json" -nt "$installed" ]; then
        echo "Installing the npm packages of $1"
        quietly npm ci --prefix "$1" --no-audit --no-fund
    fi
}

case " $* " in
*" clients "*) npm_packages tests/clients ;;
esac

case " $* " in
*" node "* | *" clients "*)
    npm_packages tests/node
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

case " $* " in
*" test "* | *" bench "* | *" clients "*)
    if ! command -v redis-server >/dev/null; then
        mkdir -p "$tools"
        ln -sf "$(command -v redis-check-rdb)" "$tools/redis-server"
    fi
    ;;
esac
