#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs every bench and prints its table: bench/run.sh BUILD [quick]
# The programs start their servers themselves and stop them again; a server
# that is not installed is left out.  PEER: the command of one more server that
# speaks RESP, for the load; %p in it is its port, %m its memory in bytes.

set -u
unset EBB_REQUIREPASS
build=${1:-build}
bench=$build/bench
failed=0

title() {
    printf '\n## %s\n\n' "$1"
}

run() {
    "$@" && return
    printf '%s: failed\n' "$1" >&2
    failed=1
}

printf '%s, %s cores, Linux %s\n' "$(date -u '+%Y-%m-%d %H:%M UTC')" \
    "$(nproc)" "$(uname -r)"
for peer in redis-server memcached; do
    "$peer" --version 2>/dev/null || printf '%s: not installed\n' "$peer"
done

case ${2:-full} in
quick)
    load='--seconds 1 --rounds 1 --keys 100000'
    many='--seconds 1 --rounds 1 --keys 200000' few='--keys 10000'
    writes='--seconds 1 --rounds 1 --budget 64mb'
    shrink='--from 64mb --to 16mb --seconds 3 --control 500'
    churn='32mb' ebb_churn='' sequence='--sequence shift'
    readers='--budget 64mb --seconds 3 --connections 200 --idle 500'
    giveback='--entries 100000 --many 200000 --ttl 3 --control 500'
    sets='--limit 32mb'
    density='--entries 200000'
    cache='--entries 100000 --rounds 1'
    steps='--from 64mb --to 16mb'
    large='--value 16mb --control 500'
    latency='--rounds 1 --most 500 --calm 500 --quiet 1000 --keys 100000
        --from 64mb --to 16mb --expiring 100000 --ttl 4'
    bulk='--ms 300 --rounds 1 --keys 100'
    start='--starts 3 --rounds 1 --connections 1000'
    ;;
full)
    load='--seconds 4' shrink='' density='' cache='' steps=''
    many='--seconds 4 --budget 4gb --keys 20000000' few='--keys 1000000'
    writes='--seconds 4 --budget 256mb'
    churn='64mb 256mb' ebb_churn='1gb' sequence=''
    readers='' giveback='' sets='' large='' start='' latency='' bulk=''
    ;;
*)
    printf 'usage: %s BUILD [quick|full]\n' "$0" >&2
    exit 2
    ;;
esac

# The sizes are meant to be split into words.
# shellcheck disable=SC2086
{
    title 'Load'
    run "$bench/load" --csv "$bench/load.csv" --peer "${PEER:-}" $load
    title 'Load of many small items, and of few'
    run "$bench/load" --depths 50 --value 32 --peer "${PEER:-}" $many
    echo
    run "$bench/load" --depths 50 --value 32 --peer "${PEER:-}" $many $few
    title 'Load of writes that evict, and of reads'
    run "$bench/load" --depths 50 --requests get,set,evict \
        --peer "${PEER:-}" $writes
    title 'Shrink'
    run "$bench/shrink" --csv "$bench/shrink.csv" $shrink
    run "$bench/plot" --csv "$bench/shrink.csv" --svg "$bench/shrink.svg"
    title 'Churn'
    for budget in $churn; do
        run "$bench/churn" --budget "$budget" --csv "$bench/churn.csv" $sequence
        run "$bench/plot" --of churn --csv "$bench/churn.csv" \
            --svg "$bench/churn.svg"
    done
    for budget in $ebb_churn; do
        run "$bench/churn" --budget "$budget" --only ebb-server
    done
    title 'A large value among small ones'
    run "$bench/large" $large
    title 'Readers that do not read'
    run "$bench/readers" $readers
    title 'Giving back'
    run "$bench/giveback" $giveback
    title 'Latency at half load'
    run "$bench/latency" $latency
    title 'Long values'
    run "$bench/bulk" $bulk
    title 'Start'
    run "$bench/start" $start
    title 'Density'
    run "$bench/density" $density
    title 'Cache, in process'
    run "$bench/cache" $cache
    title 'Sets, in process'
    run "$bench/sets" $sets
    title 'Steps of lowering a budget, in process'
    run "$bench/steps" $steps
}
exit "$failed"
