/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

/* A table that is filled cell by cell and printed with its columns aligned, as
 * Markdown reads it too: as a whole, or row by row. */

#include <stdio.h>

enum { TABLE_COLUMNS = 20, TABLE_CELLS = 4096, TABLE_CELL = 40 };

struct table {
    unsigned columns, cells;
    int widths[TABLE_COLUMNS]; /* of what was printed */
    FILE *follows;             /* where rows go at once; NULL: nowhere */
    char text[TABLE_CELLS][TABLE_CELL];
};

/* Headings, the last one NULL; they decide the number of columns. */
void table_init(struct table *table, const char *const *headings);
/* The next cell, row by row. */
void table_cell(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints the headings, and from then on each row when its last cell is there.
 * Names are in the first two columns; a wider cell makes its column wider from
 * there on. */
void table_follow(struct table *table, FILE *out);
/* Prints all of it; for a table that is not followed. */
void table_print(struct table *table, FILE *out);

#endif
