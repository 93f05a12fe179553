/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

/* A table that is filled cell by cell and printed with its columns aligned,
 * as Markdown reads it too. */

#include <stdio.h>

enum { TABLE_COLUMNS = 20, TABLE_CELLS = 4096, TABLE_CELL = 40 };

struct table {
    unsigned columns, cells;
    char text[TABLE_CELLS][TABLE_CELL];
};

/* Headings, the last one NULL; they decide the number of columns. */
void table_init(struct table *table, const char *const *headings);
/* The next cell, row by row. */
void table_cell(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void table_print(const struct table *table, FILE *out);

#endif
