#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What is made from the tables of options, metrics and commands is up to date.
set -u
. tests/check.sh

same() { # same FILE PROGRAM...
    check "$1 is what make docs makes" \
        diff -u "$1" <("$BUILD/tests/$2" ${3:+"$3"})
}

same docs/options.md print_options markdown
same ebb.conf print_options sample
same docs/metrics.md print_metrics
same docs/commands.md print_commands
counts
