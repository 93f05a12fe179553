/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_RATIO_H
#define BENCH_RATIO_H

/*
 * A table beside one that was printed before, by the same program or an older
 * one: rows belong together whose first cells are the same, columns whose
 * headings are.
 */

#include <stdbool.h>

#include "bench/table.h"

enum { RATIO_NAMES = 3 /* first cells of a row, which say what it is of */ };

/* Fills `ratios` with what is in the table divided by what is in the file's
 * first table, "-" where that has nothing.  False: the file cannot be read or
 * has no table. */
bool ratio_read(const struct table *table, const char *path,
                struct table *ratios);

#endif
