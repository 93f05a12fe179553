#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs tests, adds up what they count, and shows the output of those that fail.
#
#   tests/run.sh BUILD TEST...     a program, a .sh or a .mjs
#
# A test fails as a whole if it ends badly, counts nothing, takes longer than
# TEST_SECONDS, or a sanitizer has something to say.  Tests find in their
# environment: BUILD, EBB_SERVER (the server to start), NODE.
set -u

BUILD=$(cd "$1" && pwd) || exit 1
shift
EBB_SERVER=$BUILD/ebb-server
seconds=${TEST_SECONDS:-600}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

NODE=node
[ -x tests/node/node_modules/.bin/node ] &&
    NODE=$PWD/tests/node/node_modules/.bin/node
export BUILD EBB_SERVER NODE
export ASAN_OPTIONS=${ASAN_OPTIONS:-log_path=$work/report}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-log_path=$work/report:print_stacktrace=1}
# Its search for deadlocks takes 64 locks of one thread and no more; a command on
# all shards holds that many, in one fixed order.
tsan=log_path=$work/report:halt_on_error=1:detect_deadlocks=0
export TSAN_OPTIONS=${TSAN_OPTIONS:-$tsan}
unset EBB_REQUIREPASS

# The counts in a test's output: "passed failed".
count() {
    sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
        /^\[  PASSED  \] [0-9]+ test/        { passed += $4; any = 1 }
        /^\[  FAILED  \] [0-9]+ test/        { failed += $4; any = 1 }
        /^([a-z]+: )?[0-9]+ passed, [0-9]+ failed/ {
            sub(/^[a-z]+: /, ""); passed += $1; failed += $3; any = 1 }
        /^(#|ℹ) pass [0-9]+/ { passed += $3; any = 1 }
        /^(#|ℹ) fail [0-9]+/ { failed += $3; any = 1 }
        END { if (any) print passed + 0, failed + 0 }'
}

all_passed=0 all_failed=0
for test in "$@"; do
    case $test in
    *.sh) run=(bash "$test") ;;
    *.mjs) run=("$NODE" "$test") ;;
    *) run=("$test") ;;
    esac

    # timeout makes a process group of its own: whatever a test leaves behind
    # is ended with it.
    timeout -k 5 "$seconds" "${run[@]}" >"$work/output" 2>&1 </dev/null &
    group=$!
    wait $group 2>/dev/null
    status=$?
    kill -KILL -- -$group 2>/dev/null

    read -r passed failed <<<"$(count "$work/output")"
    why=
    case $status in
    0) ;;
    124 | 137) why="not finished after $seconds s" ;;
    *) why="exit status $status" ;;
    esac
    [ -z "$passed" ] && why="${why:-counted nothing}"
    passed=${passed:-0} failed=${failed:-0}
    if compgen -G "$work/report*" >/dev/null; then
        why="sanitizer report"
        cat "$work"/report* >>"$work/output"
        rm -f "$work"/report*
    fi
    [ -n "$why" ] && [ "$failed" = 0 ] && failed=1

    all_passed=$((all_passed + passed)) all_failed=$((all_failed + failed))
    if [ "$failed" = 0 ]; then
        echo "ok    ${test##*/} ($passed)"
        grep -aE '^(SKIPPED|NOTE): ' "$work/output" | sed 's/^/      | /'
    else
        echo "FAIL  ${test##*/} ($passed passed, $failed failed${why:+, $why})"
        grep -avE '^\[ (RUN     |      OK) \]' "$work/output" |
            tail -n 200 | sed 's/^/      | /'
    fi
done

echo "$all_passed passed, $all_failed failed"
[ "$all_failed" = 0 ] && [ "$all_passed" -gt 0 ]
