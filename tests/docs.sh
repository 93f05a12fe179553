#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What is made from the tables of options, metrics and commands is up to date.
set -u
passed=0 failed=0

same() { # same FILE PROGRAM...
    if diff -u "$1" <("$BUILD/tests/$2" ${3:+"$3"}); then
        passed=$((passed + 1))
    else
        echo "$1 is out of date: run make docs"
        failed=$((failed + 1))
    fi
}

same docs/options.md print_options markdown
same ebb.conf print_options sample
same docs/metrics.md print_metrics
same docs/commands.md print_commands
echo "$passed passed, $failed failed"
exit $((failed > 0))
