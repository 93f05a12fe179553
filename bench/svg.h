/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_SVG_H
#define BENCH_SVG_H

/*
 * Pictures of memory over time as SVG, for light and dark pages: a frame with
 * MiB upwards, and lines in it.
 */

#include <stdbool.h>
#include <stdio.h>

enum { SVG_POINTS_MAX = 65536 };

/* Classes of lines: "line s0" and "line s1" are servers, "budget" is dashed;
 * with " payload" behind it a line is thin and dotted. */
struct svg {
    FILE *out;
    double first, last; /* of what goes to the right */
    double highest;     /* MiB */
};

/* The frame within the picture, in pixels. */
extern const double svg_left, svg_right, svg_top, svg_bottom;

struct svg_line {
    unsigned count;
    double at[SVG_POINTS_MAX], mib[SVG_POINTS_MAX];
};

/* One that is full takes no more. */
void svg_line_add(struct svg_line *line, double at, double mib);

double svg_x(const struct svg *svg, double at);
double svg_y(const struct svg *svg, double mib);

/* What the picture is, its title, and what it shows. */
void svg_head(const struct svg *svg, const char *label, const char *title,
              const char *shows);
/* Draws it in the row above the frame. */
void svg_legend(const struct svg *svg, double x, const char *class,
                const char *text);
/* Draws it and rounds `highest` up. */
void svg_mib_axis(struct svg *svg, const char *text);
/* A text below the frame. */
void svg_below(const struct svg *svg, const char *text);
void svg_line(const struct svg *svg, const char *class,
              const struct svg_line *line);
/* The last number of a line, at its right; y: where. */
void svg_end(const struct svg *svg, const struct svg_line *line, double y);
/* Closes the file; false if it could not be written. */
bool svg_foot(struct svg *svg);

#endif
