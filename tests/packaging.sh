#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# make install puts everything in its place and spares a configuration.
set -u
. tests/check.sh

to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
export MAKEFLAGS=

install_there() {
    make -s BUILD="$BUILD" DESTDIR="$to" PREFIX=/usr install
}

check "it installs" install_there
check "the server runs" "$to/usr/bin/ebb-server" --version
check "the configuration is there" cmp ebb.conf "$to/etc/ebb.conf"
for file in ebb.conf LICENSE options.md; do
    check "$file is there" test -s "$to/usr/share/doc/ebb/$file"
done
echo "port 7000" >"$to/etc/ebb.conf"
check "it installs again" install_there
check "the configuration stayed" grep -q "port 7000" "$to/etc/ebb.conf"

counts
