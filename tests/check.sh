#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# For scripts that check one thing after the other: source it, check, and end
# with counts.
passed=0 failed=0

check() { # check WHAT COMMAND...: the command succeeds
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        echo "not so: $what"
        failed=$((failed + 1))
    fi
}

counts() { # prints them; false if anything failed
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
