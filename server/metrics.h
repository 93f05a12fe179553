/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef METRICS_H
#define METRICS_H

/* The metrics: one row is one name with its type, help and source. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "protocol/buf.h"

struct server;

/* The answer to GET /metrics, in the text format 0.0.4.  Any thread. */
void metrics_write(struct server *server, int64_t now_ms, struct buf *out);

/* The name of row i; NULL behind the last. */
const char *metrics_name(size_t i);

/* docs/metrics.md, made from the rows. */
void metrics_print_markdown(FILE *to);

#endif
