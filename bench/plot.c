/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A picture of a shrink: reads the samples that bench/shrink wrote and draws
 * resident memory against the budget as SVG, for light and dark pages.
 */

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"

enum { SERIES = 2, POINTS_MAX = 65536, X_TICKS_MAX = 8, Y_TICKS_MAX = 6 };

static const char *const names[SERIES] = {"ebb-server", "redis-server"};

/* The frame of the plot within the picture, in pixels. */
static const double width = 800, height = 430;
static const double left = 70, right = 700, top = 92, bottom = 376;

struct series {
    unsigned count;
    double seconds[POINTS_MAX], resident[POINTS_MAX]; /* MiB */
};

struct picture {
    struct series series[SERIES];
    double from, to; /* the budgets, MiB */
    double first_s, last_s, highest;
    FILE *out;
};

static double x_of(const struct picture *picture, double seconds)
{
    double share =
        (seconds - picture->first_s) / (picture->last_s - picture->first_s);
    return left + share * (right - left);
}

static double y_of(const struct picture *picture, double mib)
{
    return bottom - mib / picture->highest * (bottom - top);
}

static void take(struct picture *picture, const char *name, double seconds,
                 double resident, double budget)
{
    for (unsigned i = 0; i < SERIES; i++) {
        struct series *series = &picture->series[i];
        if (strcmp(name, names[i]) != 0 || series->count == POINTS_MAX)
            continue;
        series->seconds[series->count] = seconds;
        series->resident[series->count++] = resident;
        if (seconds < picture->first_s)
            picture->first_s = seconds;
        if (resident > picture->highest)
            picture->highest = resident;
        *(seconds < 0 ? &picture->from : &picture->to) = budget;
    }
}

/* Reads the rows of one size of values; false if there are none. */
static bool picture_read(struct picture *picture, const char *path,
                         uint64_t value_bytes)
{
    char line[256], name[64];
    double seconds, resident, budget;
    unsigned long long value;
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        perror(path);
        return false;
    }
    while (fgets(line, sizeof line, in) != NULL) {
        if (sscanf(line, "%63[^,],%llu,%lf,%lf,%lf", name, &value, &seconds,
                   &resident, &budget) == 5 &&
            value == value_bytes && seconds >= -picture->last_s / 16 &&
            seconds <= picture->last_s)
            take(picture, name, seconds, resident / (1 << 20),
                 budget / (1 << 20));
    }
    fclose(in);
    if (picture->to > 0 && picture->from > 0)
        return true;
    fprintf(stderr, "%s: no samples with values of %llu B\n", path,
            (unsigned long long)value_bytes);
    return false;
}

static void draw_head(const struct picture *picture, uint64_t value_bytes)
{
    fprintf(picture->out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" "
            "role=\"img\" aria-label=\"Resident memory after the budget was "
            "lowered\">\n"
            "<style>\n"
            "  text { font: 13px system-ui, -apple-system, 'Segoe UI', "
            "Helvetica, Arial, sans-serif; fill: #59636e }\n"
            "  .title { font-size: 17px; font-weight: 600 }\n"
            "  .title, .strong { fill: #1f2328 }\n"
            "  .middle { text-anchor: middle } .end { text-anchor: end }\n"
            "  path { fill: none }\n"
            "  .page { fill: #fff } .grid { stroke: #d8dee4 }\n"
            "  .axis, .budget { stroke: #59636e }\n"
            "  .budget { stroke-width: 1.5; stroke-dasharray: 5 4 }\n"
            "  .line { stroke-width: 2.5; stroke-linejoin: round }\n"
            "  .s0 { stroke: #2a78d6 } .s1 { stroke: #d95926 }\n"
            "  @media (prefers-color-scheme: dark) {\n"
            "    text { fill: #9198a1 } .title, .strong { fill: #f0f6fc }\n"
            "    .page { fill: #0d1117 } .grid { stroke: #30363d }\n"
            "    .axis, .budget { stroke: #9198a1 }\n"
            "    .s0 { stroke: #58a6ff } .s1 { stroke: #f0883e }\n"
            "  }\n"
            "</style>\n"
            "<rect class=\"page\" width=\"%g\" height=\"%g\" rx=\"6\"/>\n",
            width, height, width, height);
    fprintf(picture->out,
            "<text class=\"title\" x=\"%g\" y=\"28\">maxmemory lowered from "
            "%.0f to %.0f MiB</text>\n"
            "<text x=\"%g\" y=\"49\">Resident memory of a full server with "
            "values of %llu B, while a client reads</text>\n",
            left, picture->from, picture->to, left,
            (unsigned long long)value_bytes);
}

static void draw_legend(const struct picture *picture)
{
    double x = left, y = 72;
    for (unsigned i = 0; i <= SERIES; i++, x += 130) {
        if (i < SERIES && picture->series[i].count == 0)
            continue;
        if (i < SERIES)
            fprintf(picture->out, "<path class=\"line s%u\"", i);
        else
            fprintf(picture->out, "<path class=\"budget\"");
        fprintf(picture->out,
                " d=\"M%g %gh24\"/><text class=\"strong\" x=\"%g\" "
                "y=\"%g\">%s</text>\n",
                x, y - 4, x + 31, y, i < SERIES ? names[i] : "budget");
    }
}

/* The smallest of 1, 2, 5 times a power of ten that needs few enough ticks. */
static double tick_for(double span, unsigned most)
{
    static const double steps[] = {1, 2, 5};
    for (int power = -3;; power++) {
        for (unsigned i = 0; i < 3; i++) {
            double tick = steps[i] * pow(10, power);
            if (span / tick <= most)
                return tick;
        }
    }
}

static void draw_axes(struct picture *picture)
{
    FILE *out = picture->out;
    double step = 1;
    while (picture->highest * 1.02 / step > Y_TICKS_MAX)
        step *= 2;
    picture->highest = ceil(picture->highest * 1.02 / step) * step;
    for (double mib = 0; mib <= picture->highest; mib += step) {
        double y = y_of(picture, mib);
        fprintf(out,
                "<path class=\"%s\" d=\"M%g %.1fH%g\"/>"
                "<text class=\"end\" x=\"%g\" y=\"%.1f\">%.0f</text>\n",
                mib == 0 ? "axis" : "grid", left, y, right, left - 8, y + 4.5,
                mib);
    }
    double tick = tick_for(picture->last_s, X_TICKS_MAX);
    for (double at = 0; at <= picture->last_s * 1.0001; at += tick)
        fprintf(out,
                "<path class=\"axis\" d=\"M%.1f %gv5\"/>"
                "<text class=\"middle\" x=\"%.1f\" y=\"%g\">%g</text>\n",
                x_of(picture, at), bottom, x_of(picture, at), bottom + 20, at);
    fprintf(out,
            "<text class=\"middle\" x=\"%g\" y=\"%g\">seconds after the budget "
            "was lowered</text>\n"
            "<text class=\"middle\" transform=\"translate(18 %g) "
            "rotate(-90)\">resident MiB</text>\n",
            (left + right) / 2, bottom + 42, (top + bottom) / 2);
}

static void draw_budget(const struct picture *picture)
{
    double high = y_of(picture, picture->from);
    double low = y_of(picture, picture->to);
    fprintf(picture->out,
            "<path class=\"budget\" d=\"M%g %.1fH%.1fV%.1fH%g\"/>\n", left,
            high, x_of(picture, 0), low, right);
}

/* Leaves out points that would not move the line by half a pixel. */
static void draw_series(const struct picture *picture, unsigned which)
{
    const struct series *series = &picture->series[which];
    double drawn = -1e9, last_x = left, last_y = bottom;
    if (series->count == 0)
        return;
    fprintf(picture->out, "<path class=\"line s%u\" d=\"", which);
    for (unsigned i = 0; i < series->count; i++) {
        double x = x_of(picture, series->seconds[i]);
        double y = y_of(picture, series->resident[i]);
        bool moved = fabs(y - drawn) >= 0.5;
        if (moved && i > 0)
            fprintf(picture->out, "L%.1f %.1f", last_x, last_y);
        if (moved || i + 1 == series->count) {
            fprintf(picture->out, "%c%.1f %.1f", i == 0 ? 'M' : 'L', x, y);
            drawn = y;
        }
        last_x = x;
        last_y = y;
    }
    fputs("\"/>\n", picture->out);
    fprintf(picture->out,
            "<text class=\"strong\" x=\"%g\" y=\"%.1f\">%.0f MiB</text>\n",
            right + 8, last_y + 4.5, series->resident[series->count - 1]);
}

int main(int argc, char **argv)
{
    uint64_t value_bytes = 100, seconds = 5;
    const char *csv = "shrink.csv", *svg = "shrink.svg";
    const struct args_row rows[] = {
        {"csv", NULL, &csv, "samples that bench/shrink wrote"},
        {"svg", NULL, &svg, "the picture to write"},
        {"value", &value_bytes, NULL, "bytes of a value: which samples"},
        {"seconds", &seconds, NULL, "to show"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "plot: draws the samples of a shrink", argc, argv);
    args_within("seconds", seconds, 1, 86400);

    static struct picture picture;
    picture.last_s = (double)seconds;
    if (!picture_read(&picture, csv, value_bytes))
        return 1;
    if (picture.from > picture.highest)
        picture.highest = picture.from;
    picture.out = fopen(svg, "w");
    if (picture.out == NULL) {
        perror(svg);
        return 1;
    }
    draw_head(&picture, value_bytes);
    draw_legend(&picture);
    draw_axes(&picture);
    draw_budget(&picture);
    for (unsigned i = SERIES; i-- > 0;)
        draw_series(&picture, i);
    fputs("</svg>\n", picture.out);
    return fclose(picture.out) == 0 ? 0 : 1;
}
