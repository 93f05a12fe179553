/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pictures of what bench/shrink, bench/churn and bench/load measured, as SVG,
 * for light and dark pages.
 */

#include <stddef.h>
#include <stdio.h>

#include "bench/args.h"
#include "bench/picture.h"

enum { OF_SHRINK, OF_CHURN, OF_LOAD };

int main(int argc, char **argv)
{
    static const char *const kinds[] = {
        [OF_SHRINK] = "shrink", [OF_CHURN] = "churn", [OF_LOAD] = "load", NULL};
    uint64_t value_bytes = 100, seconds = 5;
    const char *of = "shrink", *csv = NULL, *svg = NULL, *sequence = "shift";
    const struct args_row rows[] = {
        {"of", NULL, &of, "shrink, churn or load: which one measured"},
        {"csv", NULL, &csv, "what it wrote; shrink.csv and so on"},
        {"svg", NULL, &svg, "the picture to write; shrink.svg and so on"},
        {"value", &value_bytes, NULL, "of a shrink: samples with such values"},
        {"seconds", &seconds, NULL, "of a shrink: how many to show"},
        {"sequence", NULL, &sequence, "of a churn: its samples"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "plot: draws what a bench measured", argc, argv);
    args_within("seconds", seconds, 1, 86400);

    char own_csv[32], own_svg[32];
    unsigned kind = args_word("of", of, kinds);
    snprintf(own_csv, sizeof own_csv, "%s.csv", of);
    snprintf(own_svg, sizeof own_svg, "%s.svg", of);
    if (csv == NULL)
        csv = own_csv;
    if (svg == NULL)
        svg = own_svg;
    bool drawn = kind == OF_LOAD ? picture_load(csv, svg)
                 : kind == OF_CHURN
                     ? picture_churn(csv, svg, sequence)
                     : picture_shrink(csv, svg, value_bytes, seconds);
    return drawn ? 0 : 1;
}
