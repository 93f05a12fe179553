/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables of the bench programs. */

#include "bench/table.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

/* Of columns when the rows are not yet known. */
enum { NAMES = 2, NAME_WIDTH = 12, NUMBER_WIDTH = 7 };

void table_init(struct table *table, const char *const *headings)
{
    table->columns = table->cells = 0;
    table->follows = NULL;
    for (; headings[table->columns] != NULL; table->columns++) {
        assert(table->columns < TABLE_COLUMNS);
        table_cell(table, "%s", headings[table->columns]);
    }
}

static void print_rule(const struct table *table, FILE *out)
{
    static const char dashes[] = "----------------------------------------";
    for (unsigned i = 0; i < table->columns; i++)
        fprintf(out, "| %.*s%c", table->widths[i], dashes, i == 0 ? ' ' : ':');
    fputs("|\n", out);
}

static void widen(struct table *table, unsigned cell)
{
    int *width = &table->widths[cell % table->columns];
    int len = (int)strlen(table->text[cell]);
    if (len > *width)
        *width = len;
}

/* The row that begins with that cell. */
static void print_row(const struct table *table, unsigned first, FILE *out)
{
    for (unsigned i = 0; i < table->columns; i++) {
        int width = i == 0 ? -table->widths[i] : table->widths[i];
        fprintf(out, "| %*s ", width, table->text[first + i]);
    }
    fputs("|\n", out);
    if (first == 0)
        print_rule(table, out);
    fflush(out);
}

static void follow(struct table *table)
{
    unsigned first = table->cells - table->columns;
    for (unsigned i = first; i < table->cells; i++)
        widen(table, i);
    print_row(table, first, table->follows);
}

void table_cell(struct table *table, const char *format, ...)
{
    assert(table->cells < TABLE_CELLS);
    va_list list;
    va_start(list, format);
    vsnprintf(table->text[table->cells++], TABLE_CELL, format, list);
    va_end(list);
    if (table->follows != NULL && table->cells % table->columns == 0)
        follow(table);
}

void table_follow(struct table *table, FILE *out)
{
    assert(table->cells == table->columns);
    table->follows = out;
    for (unsigned i = 0; i < table->columns; i++)
        table->widths[i] = i < NAMES ? NAME_WIDTH : NUMBER_WIDTH;
    follow(table);
}

void table_print(struct table *table, FILE *out)
{
    memset(table->widths, 0, sizeof table->widths);
    for (unsigned i = 0; i < table->cells; i++)
        widen(table, i);
    for (unsigned i = 0; i < table->cells; i += table->columns)
        print_row(table, i, out);
}
