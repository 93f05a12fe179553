#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Programs that speak to a Redis: redis-cli's modes, redis-benchmark, the
# Prometheus exporter, and twemproxy in front of two Ebbs.
set -u

work=$(mktemp -d)
started=()
trap 'kill "${started[@]}" 2>/dev/null; rm -rf "$work"' EXIT

row() { # row FEATURE WORKS [WHY]
    jq -cn --arg client "$client" --arg version "$version" --arg feature "$1" \
        --argjson works "$2" --arg why "${3-}" \
        '{client: $client, version: $version, feature: $feature,
          works: $works, wanted: true, why: $why}'
}

works() { # works FEATURE PATTERN COMMAND...: its output has the pattern
    local feature=$1 pattern=$2
    shift 2
    if timeout 30 "$@" >"$work/out" 2>&1 </dev/null &&
        grep -qE -- "$pattern" "$work/out"; then
        row "$feature" true
    else
        row "$feature" false "$(tail -n 1 "$work/out")"
        cat "$work/out" >&3
    fi
}

# Programs that never end by themselves: until their output has the pattern.
shows() { # shows FEATURE PATTERN COMMAND...
    local feature=$1 pattern=$2
    shift 2
    "$@" >"$work/out" 2>&1 </dev/null &
    local pid=$!
    if timeout 30 sh -c "until grep -qE -- '$pattern' '$work/out'; do
            sleep 0.05; done"; then
        row "$feature" true
    else
        row "$feature" false "$(tail -n 1 "$work/out")"
    fi
    kill $pid
    wait $pid 2>/dev/null
}

cli() {
    redis-cli -p "$EBB_PORT" "$@"
}
export -f cli

client=redis-cli
version=$(redis-cli --version | awk '{print $2}')
cli flushall >/dev/null
seq 1000 | sed 's/.*/SET key:& value-of-&/' | cli >/dev/null
works --scan key:777 redis-cli -p "$EBB_PORT" --scan --pattern 'key:77*'
works --bigkeys 'Biggest string found' redis-cli -p "$EBB_PORT" --bigkeys
works --memkeys 'Biggest string found' redis-cli -p "$EBB_PORT" --memkeys
works --latency '^[0-9]' redis-cli -p "$EBB_PORT" --raw --latency -i 1
shows --stat '^1000 ' redis-cli -p "$EBB_PORT" --stat -i 0.1
works 'a batch by --pipe' 'errors: 0, replies: 2' \
    bash -c 'printf "PING\r\nPING\r\n" | redis-cli -p $EBB_PORT --pipe'

client=redis-benchmark
version=$(redis-benchmark --version | awk '{print $2}')
for tests in ping,set,get,incr,mset hset; do
    count=$(tr ',' '\n' <<<"$tests" | wc -l)
    works "-t $tests" . bash -c "
        redis-benchmark -p $EBB_PORT -t $tests -n 10000 -P 16 --csv |
            tee /dev/stderr | grep -cE '\",\"[1-9]' |
            { read n; [ \$n -ge $count ]; }"
done

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

client=prometheus-redis-exporter
exporter=127.0.0.1:$(free_port)
version=$(prometheus-redis-exporter --version 2>&1 |
    grep -oE 'Exporter [0-9][0-9.]*' | cut -d ' ' -f 2)
prometheus-redis-exporter -redis.addr "redis://127.0.0.1:$EBB_PORT" \
    -web.listen-address "$exporter" >"$work/exporter" 2>&1 &
started+=($!)
get=(curl -s --retry 20 --retry-connrefused --retry-delay 1
    "http://$exporter/metrics")
works 'redis_up 1' '^redis_up 1$' "${get[@]}"
works 'memory and keys' '^redis_memory_max_bytes [1-9]' "${get[@]}"
works 'keys by database' '^redis_db_keys\{db="db0"\} [1-9]' "${get[@]}"
works 'commands by name' '^redis_commands_total\{cmd="get"\} [1-9]' \
    "${get[@]}"
works 'no error' '^redis_exporter_last_scrape_error\{err=""\} 0' "${get[@]}"

client='twemproxy (nutcracker)'
version=$(nutcracker --version 2>&1 | sed -n 's/This is nutcracker-//p')
proxy=$(free_port)
cat >"$work/proxy.yml" <<YML
ebbs:
  listen: 127.0.0.1:$proxy
  redis: true
  hash: md5
  distribution: ketama
  servers:
   - 127.0.0.1:$EBB_PORT:1
   - 127.0.0.1:$EBB_PORT_2:1
YML
nutcracker -c "$work/proxy.yml" -o "$work/nutcracker" -s "$(free_port)" \
    -a 127.0.0.1 >/dev/null 2>&1 &
started+=($!)
timeout 20 sh -c "until redis-cli -p $proxy get x >/dev/null 2>&1; do
    sleep 0.05; done"
spread() {
    seq 100 | sed 's/.*/SET spread:& &/' | redis-cli -p "$proxy" | sort -u
    for port in $EBB_PORT $EBB_PORT_2; do
        echo "$port: $(redis-cli -p "$port" --scan --pattern 'spread:*' |
            grep -c spread)"
    done
}
export -f spread
export proxy
works 'keys over two servers' "^$EBB_PORT_2: [1-9]" bash -c spread
works 'MGET over both' '^100$' redis-cli -p "$proxy" mget spread:1 spread:100
works 'DEL over both' '^100$' bash -c \
    "redis-cli -p $proxy del \$(seq -f 'spread:%g' 100)"
