/* SPDX-License-Identifier: BSD-3-Clause */
/* Prometheus lines: names, labels, escaped texts, exact numbers. */

#include "prom.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Backslashes and line ends are escaped, quotes only in labels. */
static void add_escaped(struct buf *out, const char *text, const char *special)
{
    while (*text) {
        size_t plain = strcspn(text, special);
        buf_add(out, text, plain);
        text += plain;
        if (*text) {
            char pair[2] = {'\\', *text == '\n' ? 'n' : *text};
            buf_add(out, pair, sizeof pair);
            text++;
        }
    }
}

void prom_family(struct buf *out, const char *name, const char *type,
                 const char *help)
{
    buf_addf(out, "# HELP %s ", name);
    add_escaped(out, help, "\\\n");
    buf_addf(out, "\n# TYPE %s %s\n", name, type);
}

static void add_name(struct buf *out, const char *name, const char *labels)
{
    if (labels && *labels)
        buf_addf(out, "%s{%s} ", name, labels);
    else
        buf_addf(out, "%s ", name);
}

/* The shortest text that reads back as the same double. */
static void add_double(struct buf *out, double value)
{
    char text[32];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_add_text(out, text);
}

void prom_sample(struct buf *out, const char *name, const char *labels,
                 double value)
{
    add_name(out, name, labels);
    if (isnan(value))
        buf_add_text(out, "NaN");
    else if (isinf(value))
        buf_add_text(out, value > 0 ? "+Inf" : "-Inf");
    else
        add_double(out, value);
    buf_add_text(out, "\n");
}

void prom_sample_int(struct buf *out, const char *name, const char *labels,
                     uint64_t value)
{
    add_name(out, name, labels);
    buf_addf(out, "%" PRIu64 "\n", value);
}

void prom_label(struct buf *labels, const char *name, const char *value)
{
    /* The text is used as a string: keep a \0 behind it, outside its length. */
    buf_addf(labels, "%s%s=\"", buf_len(labels) ? "," : "", name);
    add_escaped(labels, value, "\\\"\n");
    buf_add_text(labels, "\"");
    char *room = buf_room(labels, 1);
    if (room)
        *room = '\0';
}
