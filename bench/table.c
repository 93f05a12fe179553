/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables of the bench programs. */

#include "bench/table.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

void table_init(struct table *table, const char *const *headings)
{
    table->columns = table->cells = 0;
    for (; headings[table->columns] != NULL; table->columns++) {
        assert(table->columns < TABLE_COLUMNS);
        table_cell(table, "%s", headings[table->columns]);
    }
}

void table_cell(struct table *table, const char *format, ...)
{
    assert(table->cells < TABLE_CELLS);
    va_list list;
    va_start(list, format);
    vsnprintf(table->text[table->cells++], TABLE_CELL, format, list);
    va_end(list);
}

static void print_rule(const struct table *table, const int *widths, FILE *out)
{
    static const char dashes[] = "----------------------------------------";
    for (unsigned i = 0; i < table->columns; i++)
        fprintf(out, "| %.*s%c", widths[i], dashes, i == 0 ? ' ' : ':');
    fputs("|\n", out);
}

void table_print(const struct table *table, FILE *out)
{
    int widths[TABLE_COLUMNS] = {0};
    for (unsigned i = 0; i < table->cells; i++) {
        int len = (int)strlen(table->text[i]);
        int *width = &widths[i % table->columns];
        if (len > *width)
            *width = len;
    }
    for (unsigned i = 0; i < table->cells; i++) {
        unsigned column = i % table->columns;
        int width = column == 0 ? -widths[0] : widths[column];
        fprintf(out, "| %*s ", width, table->text[i]);
        if (column + 1 == table->columns)
            fputs("|\n", out);
        if (i + 1 == table->columns)
            print_rule(table, widths, out);
    }
    fflush(out);
}
