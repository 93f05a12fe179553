/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROM_H
#define PROM_H

/* Writers of the Prometheus text format, version 0.0.4. */

#include <stdint.h>

#include "buf.h"

/* HELP and TYPE ("counter" or "gauge"), once before the samples of a name. */
void prom_family(struct buf *out, const char *name, const char *type,
                 const char *help);
/* One sample; labels is NULL or ready text such as `cmd="get"`.  Whole numbers
 * are written exactly, others in the shortest way that reads back the same. */
void prom_sample(struct buf *out, const char *name, const char *labels,
                 double value);
void prom_sample_int(struct buf *out, const char *name, const char *labels,
                     uint64_t value);
/*
 * Adds `name="value"` with the value escaped, after a comma if needed.  A \0
 * is kept behind the text, so that labels->data + labels->start is what
 * prom_sample wants (if labels has not failed).
 */
void prom_label(struct buf *labels, const char *name, const char *value);

#endif
