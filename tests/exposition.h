/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPOSITION_H
#define EXPOSITION_H

/*
 * A strict reader of Prometheus's text format 0.0.4 for tests.  Beyond the
 * format it asks for what makes a good exposition: HELP and TYPE for every
 * name, all samples of a name together, no sample twice, counters that end in
 * _total and nothing else that does.
 */

#include <stdbool.h>
#include <stddef.h>

struct exposition;

/* NULL: it is not well formed; `why` (EXPOSITION_WHY_MAX bytes) has the line
 * and the reason. */
enum { EXPOSITION_WHY_MAX = 256 };
struct exposition *exposition_read(const char *text, size_t len, char *why);
void exposition_free(struct exposition *exposition);

/* "counter" or "gauge"; NULL if there is no such name. */
const char *exposition_type(const struct exposition *exposition,
                            const char *name);
/* The value of a sample; labels as they are written, "" for none. */
bool exposition_value(const struct exposition *exposition, const char *name,
                      const char *labels, double *value);
/* The name of family i, NULL behind the last. */
const char *exposition_name(const struct exposition *exposition, size_t i);

#endif
