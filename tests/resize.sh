#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# docs/resize.sh against a real server and a made-up kubectl.
set -u
. tests/check.sh

work=$(mktemp -d)
export PATH=$work:$PATH EBB_REQUIREPASS=secret PORT
log=$work/log calls=$work/calls

# Says what it was asked for, and what the budget was then.
cat >"$work/kubectl" <<'EOF'
#!/bin/bash
[ "$1" = port-forward ] && exec sleep 600
[ "$1" = get ] && exec echo 128Mi
echo "$*" "$(curl -s "http://127.0.0.1:$PORT/budget")" >>"$(dirname "$0")/calls"
EOF
chmod +x "$work/kubectl"

if ! command -v curl >/dev/null; then
    echo "SKIPPED: there is no curl"
    echo "1 passed, 0 failed"
    exit
fi

# A port that is free now; another is tried if somebody else takes it.
for PORT in $(shuf -i 20000-30000 -n 20); do
    "$EBB_SERVER" --port 0 --metrics-port "$PORT" --http-admin yes \
        --maxmemory 256mb >"$log" 2>&1 &
    server=$!
    until grep -q "Ready to accept" "$log" || ! kill -0 $server 2>/dev/null; do
        sleep 0.05
    done
    kill -0 $server 2>/dev/null && break
done
trap 'kill $server; rm -rf "$work"' EXIT

field() { # field NAME
    curl -s "http://127.0.0.1:$PORT/budget" |
        sed "s/.*\"$1\":\([a-z0-9]*\).*/\1/"
}

# Down: at the time of the patch the budget is the lower one, and kept.
check "it goes down" docs/resize.sh ebb-0 ebb 128 >"$work/out" 2>&1
check "the pod is patched once it is done" \
    grep -q '^ *limits: {memory: 128Mi} {"budget":100663275,.*"done":true' "$calls"
check "in the right way" \
    grep -q '^patch pod ebb-0 --subresource resize --patch' "$calls"
check "then it is a share again" [ "$(field budget)" -gt 100663275 ]

# Below the floor it is never done: no patch, and the budget is as before.
: >"$calls"
check "what cannot be is refused" \
    eval '! WAIT_MS=100 docs/resize.sh ebb-0 ebb 4 >>"$work/out" 2>&1'
check "the pod stays as it is" [ ! -s "$calls" ]
check "and has its share" [ "$(field budget)" -gt 100663275 ]

# Up: the limit first.
budget=$(field budget)
check "it goes up" docs/resize.sh ebb-0 ebb 1000000 >>"$work/out" 2>&1
check "the limit first" grep -q "1000000Mi} {\"budget\":$budget," "$calls"

# Without the password nothing happens.
: >"$calls"
check "a wrong password ends it" \
    eval '! EBB_REQUIREPASS=wrong docs/resize.sh ebb-0 ebb 128 >>"$work/out" 2>&1'
check "before the patch" [ ! -s "$calls" ]

[ $failed = 0 ] || cat "$work/out"
counts
