/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pictures of what bench/shrink and bench/churn sampled, as SVG, for light and
 * dark pages.
 */

#include <stddef.h>

#include "bench/args.h"
#include "bench/picture.h"

enum { OF_SHRINK, OF_CHURN };

int main(int argc, char **argv)
{
    static const char *const kinds[] = {
        [OF_SHRINK] = "shrink", [OF_CHURN] = "churn", NULL};
    uint64_t value_bytes = 100, seconds = 5;
    const char *of = "shrink", *csv = NULL, *svg = NULL, *sequence = "shift";
    const struct args_row rows[] = {
        {"of", NULL, &of, "shrink or churn: which of them wrote the samples"},
        {"csv", NULL, &csv, "the samples; shrink.csv or churn.csv"},
        {"svg", NULL, &svg, "the picture to write; shrink.svg or churn.svg"},
        {"value", &value_bytes, NULL, "of a shrink: samples with such values"},
        {"seconds", &seconds, NULL, "of a shrink: how many to show"},
        {"sequence", NULL, &sequence, "of a churn: its samples"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "plot: draws the samples of a bench", argc, argv);
    args_within("seconds", seconds, 1, 86400);
    if (args_word("of", of, kinds) == OF_CHURN)
        return picture_churn(csv != NULL ? csv : "churn.csv",
                             svg != NULL ? svg : "churn.svg", sequence)
                   ? 0
                   : 1;
    return picture_shrink(csv != NULL ? csv : "shrink.csv",
                          svg != NULL ? svg : "shrink.svg", value_bytes,
                          seconds)
               ? 0
               : 1;
}
