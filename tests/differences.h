/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DIFFERENCES_H
#define DIFFERENCES_H

/*
 * Replies that differ from Redis 7.0.15 on purpose; docs/differences.md tells
 * users the same.  All three patterns must match: of the request (in one line,
 * letters in either case) and of the two replies' bytes.
 */

struct difference {
    const char *request, *ebb, *oracle, *why;
};

// clang-format off
static const struct difference differences[] = {
    {"scan -1*", "-ERR invalid cursor*", "\\*2*",
     "SCAN takes no negative cursor"},
    {"* help", "\\**", "\\**", "HELP is in Ebb's words, of what Ebb has"},
};
// clang-format on

enum { DIFFERENCES = sizeof differences / sizeof *differences };

#endif
