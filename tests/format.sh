#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every C file is formatted as .clang-format says, by version 14: others break
# some lines differently.
set -u

format=
for name in clang-format-14 clang-format; do
    if "$name" --version 2>/dev/null | grep -q 'version 14\.'; then
        format=$name
        break
    fi
done
if [ -z "$format" ]; then
    echo "clang-format 14 is not here"
elif "$format" --dry-run -Werror */*.c */*.h; then
    echo "1 passed, 0 failed"
    exit 0
fi
echo "0 passed, 1 failed"
exit 1
