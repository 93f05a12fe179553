#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Changes the memory limit of a running pod with Ebb in it, in place.
#
#   EBB_REQUIREPASS=... docs/resize.sh POD CONTAINER MIB
#
# A lower limit is only taken when less than that is used.  So the budget goes
# down first, and the limit follows when the memory has been given back.
# Wants kubectl, curl, and in the container: maxmemory 75%, http-admin yes.
set -eu

pod=$1 container=$2 mib=$3
share=75                # percent of the limit; the rest is the kernel's
wait_ms=${WAIT_MS:-600000}
port=${PORT:-9379}      # metrics-port, here and there
url=http://127.0.0.1:$port/budget

say() { echo "resize: $*" >&2; }

# The password goes by a pipe: arguments can be seen by everybody.
set_budget() { # set_budget BYTES [WAIT_MS]: prints the answer
    printf 'Authorization: Bearer %s\n' "$EBB_REQUIREPASS" |
        curl --silent --show-error --fail-with-body --request POST \
            --header @- "$url?bytes=$1&wait=${2:-0}"
}

kubectl port-forward "pod/$pod" "$port:$port" >/dev/null &
forward=$!
trap 'kill $forward' EXIT
curl --silent --fail --retry 50 --retry-delay 1 --retry-connrefused \
    --output /dev/null "http://127.0.0.1:$port/healthz"

# Down: what will be in force at the new limit.  The last answer counts: the
# time may be over, or the floor above it.
budget=$((mib * 1024 * 1024 / 100 * share))
now=$(curl --silent --fail "$url" | sed 's/.*"budget":\([0-9]*\).*/\1/')
if [ "$budget" -lt "$now" ]; then
    answer=$(set_budget "$budget" "$wait_ms")
    say "$answer"
    case $answer in
    *'"done":true'*) ;;
    *)
        say "not done: the limit stays, and so that it is used, the budget too"
        set_budget "$share%25" >&2
        exit 1
        ;;
    esac
fi

kubectl patch pod "$pod" --subresource resize --patch "
spec:
  containers:
  - name: $container
    resources:
      requests: {memory: ${mib}Mi}
      limits: {memory: ${mib}Mi}"
limit() { # limit LIST: of the container, as the list has it
    kubectl get pod "$pod" --output \
        "jsonpath={.$1[?(@.name==\"$container\")].resources.limits.memory}"
}
tries=0
until [ "$(limit status.containerStatuses)" = "$(limit spec.containers)" ]; do
    tries=$((tries + 1))
    [ $tries -lt 120 ] || { say "the resize is still pending"; exit 1; }
    sleep 1
done

# From now on it follows the limit again.
say "$(set_budget "$share%25" "$wait_ms")"
