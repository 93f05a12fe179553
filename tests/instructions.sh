#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Instructions that a worker takes for one request, as callgrind counts them,
# against those in tests/instructions.txt: no clock is involved, so a busy or
# slow machine counts as many.
#
#   tests/instructions.sh [show | write]
#
# show: prints them only, of any server that EBB_SERVER names; write: makes the
# file anew, which `make instructions` does.  What another compiler makes, or
# the same with other options, cannot be compared and is skipped.
set -u

BUILD=${BUILD:-build}
server=${EBB_SERVER:-$BUILD/ebb-server}
file=tests/instructions.txt
tolerance=5 # percent

skip() {
    echo "SKIPPED: $*"
    echo "0 passed, 0 failed"
    exit 0
}

command -v valgrind >/dev/null || skip "there is no valgrind"
work=$(mktemp -d)
process=
trap 'test -n "$process" && kill "$process" 2>/dev/null; rm -rf "$work"' EXIT

# What made the server, with its options, and the C library.
maker=$(readelf -wi --dwarf-depth=1 "$server" 2>/dev/null |
    sed -n '/DW_AT_producer/{s/.*): //p;q}')
maker="$maker, $(getconf GNU_LIBC_VERSION 2>/dev/null)"
if [ $# = 0 ]; then
    stored=$(sed -n 's/^made by: //p' "$file")
    [ "$maker" = "$stored" ] ||
        skip "$file counts what is made by $stored; this is by $maker"
fi

# count: what each request takes, by name, to $work/found.  A dump of the
# worker's counts is written, and they start anew, whenever it comes to an ECHO.
# The budget leaves room for what valgrind itself holds.
count() {
    local port='' part name requests total
    rm -f "$work"/counts* "$work/found"
    valgrind --tool=callgrind --separate-threads=yes --dump-before=cmd_echo \
        --callgrind-out-file="$work/counts" "$server" --port 0 \
        --metrics-port 0 --threads 1 --maxmemory 256mb \
        --slowlog-log-slower-than -1 >"$work/log" 2>&1 &
    process=$!
    until [ -n "$port" ] || ! kill -0 $process 2>/dev/null; do
        sleep 0.05
        port=$(sed -n \
            's/.*accept connections on 127\.0\.0\.1:\([0-9]*\).*/\1/p' \
            "$work/log")
    done
    if ! "$BUILD/tests/fixed_load" "${port:-0}" >"$work/stretches"; then
        cat "$work/log"
        echo "0 passed, 1 failed"
        exit 1
    fi
    kill $process
    wait $process 2>/dev/null
    process=

    # The first dump is of what was before all stretches.
    part=1
    while read -r name requests; do
        part=$((part + 1))
        total=$(sed -n 's/^totals: //p' "$work/counts.$part"-*)
        [ "$name" = - ] || echo "$name $((total / requests))"
    done <"$work/stretches" >"$work/found"
}

# count_least RUNS: the same, of each request the least of some runs.
count_least() {
    local i
    for ((i = 0; i < $1; i++)); do
        count
        cat "$work/found" >>"$work/all"
    done
    awk '!($1 in least) { names[++n] = $1; least[$1] = $2 }
        $2 < least[$1] { least[$1] = $2 }
        END { for (i = 1; i <= n; i++) print names[i], least[names[i]] }' \
        "$work/all" >"$work/found"
}

# Prints the change from what is stored, in thousandths.
change() { # change NAME NOW
    local before
    before=$(sed -n "s/^$1 //p" "$file")
    echo $((($2 - before) * 1000 / before))
}

too_many() { # is any?
    local name now
    while read -r name now; do
        [ "$(change "$name" "$now")" -le $((tolerance * 10)) ] || return 0
    done <"$work/found"
    return 1
}

case ${1:-compare} in
show)
    count_least 1
    cat "$work/found"
    exit
    ;;
write)
    count_least 3
    {
        echo "# Instructions of a worker for one request: what it is, and how"
        echo "# many of them come at once.  make instructions writes it anew."
        echo "made by: $maker"
        cat "$work/found"
    } >"$file"
    exit
    ;;
esac

for ((tries = 0; tries < 4; tries++)); do
    count_least 1
    too_many || break
done
passed=0 failed=0
while read -r name now; do
    percent=$(($(change "$name" "$now") / 10))
    if [ "$(change "$name" "$now")" -gt $((tolerance * 10)) ]; then
        echo "$name: $now instructions, $percent % more than are stored."
        echo "If that is meant, make instructions stores it."
        failed=$((failed + 1))
        continue
    fi
    [ $percent -gt -$tolerance ] ||
        echo "NOTE: $name: $now instructions, stored are more: make instructions"
    passed=$((passed + 1))
done <"$work/found"
[ "$passed$failed" != 00 ] || failed=1
echo "$passed passed, $failed failed"
exit $((failed > 0))
