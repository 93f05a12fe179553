/* SPDX-License-Identifier: BSD-3-Clause */
/* Resident memory against a budget that is lowered. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/picture.h"
#include "bench/svg.h"

enum { TICKS_MAX = 8 };

const char *const picture_servers[PICTURE_SERVERS] = {"ebb-server",
                                                      "redis-server"};

struct picture {
    struct svg svg;
    struct svg_line resident[PICTURE_SERVERS];
    double from, to; /* the budgets, MiB */
};

static void take(struct picture *picture, const char *name, double seconds,
                 double resident, double budget)
{
    for (unsigned i = 0; i < PICTURE_SERVERS; i++) {
        if (strcmp(name, picture_servers[i]) != 0)
            continue;
        svg_line_add(&picture->resident[i], seconds, resident);
        picture->svg.first = fmin(picture->svg.first, seconds);
        picture->svg.highest =
            fmax(picture->svg.highest, fmax(resident, budget));
        *(seconds < 0 ? &picture->from : &picture->to) = budget;
    }
}

/* Reads the rows of one size of values; false if there are none. */
static bool read_samples(struct picture *picture, const char *path,
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
            value == value_bytes && seconds >= -picture->svg.last / 16 &&
            seconds <= picture->svg.last)
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
    char title[128], shows[128];
    snprintf(title, sizeof title, "maxmemory lowered from %.0f to %.0f MiB",
             picture->from, picture->to);
    snprintf(shows, sizeof shows,
             "Resident memory of a full server with values of %llu B, while a "
             "client reads",
             (unsigned long long)value_bytes);
    svg_head(&picture->svg, "Resident memory after the budget was lowered",
             title, shows);
}

static void draw_legend(const struct picture *picture)
{
    double x = svg_left;
    for (unsigned i = 0; i < PICTURE_SERVERS; i++, x += 130) {
        if (picture->resident[i].count > 0)
            svg_legend(&picture->svg, x, i == 0 ? "line s0" : "line s1",
                       picture_servers[i]);
    }
    svg_legend(&picture->svg, x, "budget", "budget");
}

/* The smallest of 1, 2, 5 times a power of ten that needs few enough ticks. */
static double tick_for(double span)
{
    static const double steps[] = {1, 2, 5};
    for (int power = -3;; power++) {
        for (unsigned i = 0; i < 3; i++) {
            double tick = steps[i] * pow(10, power);
            if (span / tick <= TICKS_MAX)
                return tick;
        }
    }
}

static void draw_seconds(const struct svg *svg)
{
    double tick = tick_for(svg->last);
    for (double at = 0; at <= svg->last * 1.0001; at += tick)
        fprintf(svg->out,
                "<path class=\"axis\" d=\"M%.1f %gv5\"/>"
                "<text class=\"middle\" x=\"%.1f\" y=\"%g\">%g</text>\n",
                svg_x(svg, at), svg_bottom, svg_x(svg, at), svg_bottom + 20,
                at);
    svg_below(svg, "seconds after the budget was lowered");
}

static void draw_budget(const struct picture *picture)
{
    const struct svg *svg = &picture->svg;
    fprintf(svg->out, "<path class=\"budget\" d=\"M%g %.1fH%.1fV%.1fH%g\"/>\n",
            svg_left, svg_y(svg, picture->from), svg_x(svg, 0),
            svg_y(svg, picture->to), svg_right);
}

bool picture_shrink(const char *csv, const char *svg, uint64_t value_bytes,
                    uint64_t seconds)
{
    static struct picture picture;
    picture.svg.unit = "MiB";
    picture.svg.last = (double)seconds;
    if (!read_samples(&picture, csv, value_bytes))
        return false;
    picture.svg.out = fopen(svg, "w");
    if (picture.svg.out == NULL) {
        perror(svg);
        return false;
    }
    draw_head(&picture, value_bytes);
    draw_legend(&picture);
    svg_linear_axis(&picture.svg, "resident MiB");
    draw_seconds(&picture.svg);
    draw_budget(&picture);
    const struct svg_line *lines[PICTURE_SERVERS];
    for (unsigned i = PICTURE_SERVERS; i-- > 0;) {
        lines[i] = &picture.resident[i];
        svg_line(&picture.svg, i == 0 ? "line s0" : "line s1", lines[i]);
    }
    svg_ends(&picture.svg, lines, PICTURE_SERVERS);
    return svg_foot(&picture.svg);
}
