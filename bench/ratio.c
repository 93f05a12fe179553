/* SPDX-License-Identifier: BSD-3-Clause */
/* Comparing a table with a printed one. */

#include "bench/ratio.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 4096 };

/* Cuts `| a | b |` into its cells, without the spaces around them. */
static unsigned cut_cells(char *line, char cells[TABLE_COLUMNS][TABLE_CELL])
{
    unsigned count = 0;
    if (*line != '|')
        return 0;
    for (char *at = line + 1, *end;
         count < TABLE_COLUMNS && (end = strchr(at, '|')); at = end + 1) {
        while (*at == ' ')
            at++;
        size_t len = (size_t)(end - at);
        while (len > 0 && at[len - 1] == ' ')
            len--;
        if (len >= TABLE_CELL)
            len = TABLE_CELL - 1;
        memcpy(cells[count], at, len);
        cells[count++][len] = '\0';
    }
    return count;
}

/* The file's first table, cell by cell. */
static bool read_table(const char *path, struct table *old)
{
    FILE *file = fopen(path, "r");
    char line[LINE_MAX_BYTES], cells[TABLE_COLUMNS][TABLE_CELL];
    *old = (struct table){0};
    while (file && fgets(line, sizeof line, file)) {
        unsigned count = cut_cells(line, cells);
        if (count == 0 && old->columns > 0)
            break;
        if (count == 0 || cells[0][0] == '-')
            continue;
        if (old->columns == 0)
            old->columns = count;
        if (count != old->columns || old->cells + count > TABLE_CELLS)
            break;
        for (unsigned i = 0; i < count; i++)
            table_cell(old, "%s", cells[i]);
    }
    if (file)
        fclose(file);
    return old->columns > 0;
}

/* The row with those names, the column with that heading; 0: none. */
static unsigned row_like(const struct table *old,
                         const char (*names)[TABLE_CELL])
{
    for (unsigned at = old->columns; at < old->cells; at += old->columns) {
        unsigned same = 0;
        while (same < RATIO_NAMES &&
               strcmp(old->text[at + same], names[same]) == 0)
            same++;
        if (same == RATIO_NAMES)
            return at;
    }
    return 0;
}

static unsigned column_like(const struct table *old, const char *heading)
{
    unsigned at = old->columns;
    while (at-- > RATIO_NAMES)
        if (strcmp(old->text[at], heading) == 0)
            return at;
    return 0;
}

bool ratio_read(const struct table *table, const char *path,
                struct table *ratios)
{
    static struct table old;
    if (!read_table(path, &old))
        return false;
    *ratios = (struct table){.columns = table->columns};
    for (unsigned i = 0; i < table->cells; i++) {
        unsigned at = i % table->columns;
        if (i < table->columns || at < RATIO_NAMES) {
            table_cell(ratios, "%s", table->text[i]);
            continue;
        }
        unsigned row = row_like(&old, table->text + i - at);
        unsigned column = column_like(&old, table->text[at]);
        double before = row && column ? atof(old.text[row + column]) : 0;
        if (before > 0)
            table_cell(ratios, "%.2f", atof(table->text[i]) / before);
        else
            table_cell(ratios, "-");
    }
    return true;
}
