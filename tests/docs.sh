#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What is made from the option table is up to date, and the sample loads.
set -u
passed=0 failed=0

same() { # same FILE WHAT
    if diff -u "$1" <("$BUILD/tests/print_options" "$2"); then
        passed=$((passed + 1))
    else
        echo "$1 is out of date: run make docs"
        failed=$((failed + 1))
    fi
}

same docs/options.md markdown
same ebb.conf sample
echo "$passed passed, $failed failed"
exit $((failed > 0))
