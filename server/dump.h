/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DUMP_H
#define DUMP_H

/*
 * Strings as DUMP writes them and RESTORE reads them, which is as they are in
 * Redis's files:
 *
 *   | 0: a string | length, or how it is encoded | bytes | version 2 | crc 8 |
 *
 *   length  00xxxxxx                 6 bits
 *           01xxxxxx + 1 byte       14 bits, the high ones first
 *           10000000 + 4 bytes      32 bits, likewise
 *           10000001 + 8 bytes      64 bits, likewise
 *           11000000 .. 11000010     a number in 1, 2 or 4 bytes, low ones
 * first 11000011 + two lengths   LZF: of what is there, of the value
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DUMP_VERSION = 10, /* that of Redis 7.0 */
    DUMP_HEAD = 20,    /* bytes of the longest head */
    DUMP_FOOT = 10,    /* version and checksum */
    DUMP_TEXT = 12,    /* a number's digits, and more */
};

/* The head of a dump of a value of `len` bytes that are not a number. */
size_t dump_head(size_t len, char head[DUMP_HEAD]);
/* Head and bytes of a number; 0: it has no encoding of its own. */
size_t dump_number(int64_t number, char head[DUMP_HEAD]);
/* What ends it: `crc` is that of all that was before. */
void dump_foot(uint64_t crc, char foot[DUMP_FOOT]);

/* Of a payload's last DUMP_FOOT bytes: the checksum that all but the last
 * eight must have.  False: a version that is not known. */
bool dump_checksum(const char foot[DUMP_FOOT], uint64_t *crc);

/* How a value lies in a payload. */
struct dump_string {
    enum { DUMP_TEXT_HERE, DUMP_RAW, DUMP_LZF } kind;
    size_t len;           /* of the value */
    size_t at, stored;    /* where its bytes are in the payload, how many */
    char text[DUMP_TEXT]; /* DUMP_TEXT_HERE: the value */
};

/*
 * Reads the head of a payload whose foot is left out: `len` bytes, the first
 * `here` of which (all, or DUMP_HEAD) are in `head`.  False: it is no string,
 * or malformed.
 */
bool dump_read(const char *head, size_t here, size_t len,
               struct dump_string *string);

#endif
