/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INFO_H
#define INFO_H

/* The text of INFO: sections of "name:value" lines, from one table. */

#include <stddef.h>
#include <stdint.h>

#include "protocol/buf.h"

struct server;

/* A set of sections; bits are the sections in the order of the text. */
typedef uint32_t info_sections;

/* The section of that name, or the several of "default", "all" and
 * "everything", letters in either case; 0 if there is none. */
info_sections info_find(const char *name, size_t len);

/* Bytes as people read them: 512B, 1.50K, 64.00M. */
enum { INFO_HUMAN_MAX = 32 };
const char *info_human(uint64_t bytes, char text[INFO_HUMAN_MAX]);

/* Any thread. */
void info_write(struct server *server, int64_t now_ms, info_sections sections,
                struct buf *out);

#endif
