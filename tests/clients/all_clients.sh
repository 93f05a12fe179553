#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs every script of this folder against Ebb.  What they found becomes a page
# if one is wanted: tests/clients/all_clients.sh [PAGE]
set -u
page=$(realpath "${1:-/dev/null}")
cd "$(dirname "$0")"
work=$(mktemp -d)
started=()
trap 'kill "${started[@]}" 2>/dev/null; rm -rf "$work"' EXIT

# Debian's packages are for its own python3.
NODE=node
[ -x ../node/node_modules/.bin/node ] && NODE=../node/node_modules/.bin/node

start() { # start LOG: an Ebb; its port is in $port
    "$EBB_SERVER" --port 0 --metrics-port 0 --maxmemory 128mb \
        >"$work/$1" 2>&1 &
    started+=($!)
    port=
    until [ -n "$port" ]; do
        kill -0 "${started[-1]}" || exit 1
        port=$(sed -n \
            's/.*accept connections on 127\.0\.0\.1:\([0-9]*\).*/\1/p' \
            "$work/$1" 2>/dev/null)
    done
}

start second
export EBB_PORT_2=$port
start first
export EBB_PORT=$port

try() { # try SECONDS COMMAND...: one that fails as a whole is a row, too
    timeout "$@" 2>"$work/errors" || jq -cn --arg what "${*:2}" \
        --arg why "$(tail -n 1 "$work/errors")" \
        '{client: $what, version: "", feature: "running at all",
          works: false, wanted: true, why: $why}'
}

{
    for script in redis ioredis caches sessions; do
        try 120 "$NODE" $script.mjs
    done
    try 120 /usr/bin/python3 python_redis.py
    try 120 /usr/bin/python3 django_cache.py
    try 120 php php_redis.php
    try 120 ruby ruby_redis.rb
    try 240 bash tools.sh 3>&2
} | "$NODE" table.mjs >"$work/page"
status=${PIPESTATUS[1]}
cat "$work/page" >"$page"
exit "$status"
