/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INFO_TABLE_H
#define INFO_TABLE_H

/* The table behind info.c. */

#include <stddef.h>

enum field_kind {
    FIELD_TEXT,    /* `text` */
    FIELD_OPTION,  /* option a */
    FIELD_NUMBER,  /* a */
    FIELD_HUMAN,   /* a, as 1.50M */
    FIELD_SECONDS, /* a, a double */
    FIELD_RATE,    /* a, a double */
    FIELD_RATIO,   /* a / b */
    FIELD_PERCENT, /* a / b */
    FIELD_EXCESS,  /* a - b, below 0 too */
};

/* One line.  a and b: offsets of fields of struct stats_now, unless the kind
 * says otherwise. */
struct field {
    const char *name;
    enum field_kind kind;
    const char *text;
    size_t a, b;
};

struct fields {
    const struct field *rows;
    size_t count;
};

extern const struct fields info_clients, info_memory, info_persistence,
    info_stats, info_replication, info_cpu, info_cluster, info_ebb;

#endif
