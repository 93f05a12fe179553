#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The layers hold: a leaf that reaches out of its folder does not compile, and
# only the parts meant to know libevent and jemalloc do.
set -u
. tests/check.sh

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r Makefile cache protocol conf server "$copy"
export MAKEFLAGS=

# Compiles a file of that folder which includes the header, as make does.
compiles() { # compiles FOLDER HEADER
    echo "#include \"$2\"" >"$copy/$1/trespass.c"
    make -C "$copy" BUILD=out PAGES="${PAGES:-pages_jemalloc}" \
        "out/$1/trespass.o" >"$copy/log" 2>&1
    local status=$?
    rm -f "$copy/$1/trespass.c" "$copy/out/$1"/trespass.*
    return $status
}

does_not_find() { # does_not_find FOLDER HEADER
    ! compiles "$1" "$2" && grep -q "$2.*\(No such\|not found\)" "$copy/log"
}

header() { # the one that stands for a part
    case $1 in
    cache) echo cache.h ;;
    protocol) echo buf.h ;;
    conf) echo conf.h ;;
    server) echo server.h ;;
    esac
}

for leaf in cache protocol conf; do
    check "$leaf sees its own headers" compiles $leaf "$(header $leaf)"
    for other in cache protocol conf server; do
        # Not even its own by a path from the top.
        check "$leaf cannot include $other/" \
            does_not_find $leaf "$other/$(header $other)"
    done
    check "server may include $leaf/" compiles server "$leaf/$(header $leaf)"
done

none() { # none PATTERN FILE...: no line of the files matches
    ! grep -nE "$@"
}

calls_no_libevent() { # calls_no_libevent ARCHIVE
    nm -u "$1" >"$copy/symbols" &&
        ! grep -E ' (event|ev(buffer|http|util|listener)|bufferevent)_' \
            "$copy/symbols"
}

all=$(ls */*.c */*.h)
jemalloc='<jemalloc/|\b(malloc|dalloc|xalloc)(x|ctl)\(|mallctl'
check "nobody includes upwards" none '#include ".*\.\./' $all
check "only server/ and tests of its parts know libevent" \
    none '#include <(event|ev[a-z]+\.h)' \
    $(ls */*.[ch] | grep -vE '^(server/|tests/test_server_)')
check "only one file knows jemalloc" \
    none "$jemalloc" $(ls */*.[ch] | grep -v '^cache/pages_jemalloc\.c$')
for leaf in cache protocol conf; do
    check "$leaf calls no libevent" calls_no_libevent "$BUILD/$leaf.a"
done

counts
