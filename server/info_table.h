/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INFO_TABLE_H
#define INFO_TABLE_H

/* The table behind info.c, and that of MEMORY STATS. */

#include <stddef.h>
#include <stdint.h>

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

struct stats_now;

/* The field at an offset; what a row about two of them says, percents as such.
 */
uint64_t field_number(const struct stats_now *now, size_t offset);
double field_share(const struct stats_now *now, const struct field *field);
int64_t field_excess(const struct stats_now *now, const struct field *field);

struct fields {
    const struct field *rows;
    size_t count;
};

extern const struct fields info_clients, info_memory, info_memory_stats,
    info_persistence, info_stats, info_replication, info_cpu, info_cluster,
    info_ebb;

#endif
