/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_SVG_H
#define BENCH_SVG_H

/*
 * Pictures as SVG, for light and dark pages: a frame, and lines in it.  Both
 * axes are linear, and values begin at 0; or both are logarithmic.
 */

#include <stdbool.h>
#include <stdio.h>

enum { SVG_POINTS_MAX = 65536, SVG_ENDS_MAX = 8 };

/* Classes of lines: "line s0" to "line s3" are servers, "budget" is dashed;
 * "payload s0" and so on are thin and dotted. */
struct svg {
    FILE *out;
    bool logarithmic;
    double first, last;     /* of what goes to the right */
    double lowest, highest; /* of what goes upwards */
    const char *unit;       /* of that */
};

/* The frame within the picture, in pixels. */
extern const double svg_left, svg_right, svg_top, svg_bottom;

struct svg_line {
    unsigned count;
    double at[SVG_POINTS_MAX], value[SVG_POINTS_MAX];
};

/* One that is full takes no more. */
void svg_line_add(struct svg_line *line, double at, double value);

double svg_x(const struct svg *svg, double at);
double svg_y(const struct svg *svg, double value);

/* What the picture is, its title, and what it shows. */
void svg_head(const struct svg *svg, const char *label, const char *title,
              const char *shows);
/* Draws it in the row above the frame. */
void svg_legend(const struct svg *svg, double x, const char *class,
                const char *text);
/* Draw it and round `highest` up, `lowest` down: steps of powers of two from 0
 * on, or of 1, 2, 5 and so on. */
void svg_linear_axis(struct svg *svg, const char *text);
void svg_log_axis(struct svg *svg, const char *text);
/* A text below the frame. */
void svg_below(const struct svg *svg, const char *text);
void svg_line(const struct svg *svg, const char *class,
              const struct svg_line *line);
/* The last values of lines, at their right.  The lowest stays where it is;
 * others make room upwards. */
void svg_ends(const struct svg *svg, const struct svg_line *const *lines,
              unsigned count);
/* Closes the file; false if it could not be written. */
bool svg_foot(struct svg *svg);

#endif
