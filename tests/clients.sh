#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# redis-cli and redis-benchmark as people call them.
set -u
. tests/check.sh

work=$(mktemp -d)
server=
trap 'test -n "$server" && kill "$server" 2>/dev/null; rm -rf "$work"' EXIT

"$EBB_SERVER" --port 0 --metrics-port 0 --maxmemory 64mb >"$work/log" 2>&1 &
server=$!
port=
until [ -n "$port" ] || ! kill -0 $server 2>/dev/null; do
    port=$(sed -n 's/.*accept connections on 127\.0\.0\.1:\([0-9]*\).*/\1/p' \
        "$work/log")
done

says() { # says WANTED ARGUMENT...: redis-cli prints exactly that
    local wanted=$1
    shift
    [ "$(redis-cli -p "$port" "$@" 2>&1)" = "$wanted" ]
}

benchmark() { # benchmark ARGUMENT...: two tests that name a rate
    redis-benchmark -p "$port" -t set,get -n 20000 -P 16 "$@" --csv \
        >"$work/benchmark" 2>&1
    [ "$(grep -c '^"[SG]ET","[1-9]' "$work/benchmark")" = 2 ] &&
        ! grep -i -e error -e warning "$work/benchmark"
}

check "PING" says PONG ping
check "SET" says OK set greeting "hello world"
check "GET" says "hello world" get greeting
check "GET with HELLO 3" says "hello world" -3 get greeting
check "nothing is an empty line" says "" get nothing
check "an error is shown" says \
    "ERR wrong number of arguments for 'get' command" get
check "CONFIG SET" says OK config set maxmemory 32mb
check "CONFIG GET" says "maxmemory
33554432" config get maxmemory
check "--scan" says "greeting" --scan --pattern 'gree*'
check "a pipe of commands" eval \
    'printf "set a 1\nincr a\n" | redis-cli -p "$port" | tail -1 | grep -qx 2'
check "a bulk load" eval \
    'printf "set b %s\r\n" 1 2 3 | redis-cli -p "$port" --pipe |
        grep -q "errors: 0, replies: 3"'
check "--bigkeys" eval \
    'redis-cli -p "$port" --bigkeys | grep -q "Biggest string found .*greeting"'
check "--stat" eval \
    'redis-cli -p "$port" --stat -i 0.01 | sed -n "3{p;q}" | grep -q "^[1-9]"'
check "redis-benchmark" benchmark -r 10000 -d 100
check "redis-benchmark of other commands" eval \
    '[ "$(redis-benchmark -p "$port" -t ping,incr,mset -n 20000 -P 16 --csv |
        grep -c "^\"[A-Z].*\",\"[1-9]")" = 4 ]'
check "redis-benchmark with threads" benchmark --threads 2 -c 20
check "SHUTDOWN" says "" shutdown
wait $server
check "it ends well" [ $? = 0 ]
server=

counts
