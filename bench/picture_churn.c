/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Resident memory and payload while sizes of values change.  Phases write the
 * same bytes in times that differ by ten, so each is as wide as the others,
 * and servers can be compared within it.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/legs.h"
#include "bench/picture.h"
#include "bench/svg.h"

enum { ENDS = 2 * PICTURE_SERVERS };

struct sample {
    unsigned server, phase;
    double seconds, resident, payload; /* MiB */
};

struct picture {
    struct svg svg;
    struct svg_line resident[PICTURE_SERVERS], payload[PICTURE_SERVERS];
    double budget; /* MiB */
    unsigned phases, count;
    unsigned long long value[LEGS_MAX];
    double from[PICTURE_SERVERS][LEGS_MAX], to[PICTURE_SERVERS][LEGS_MAX];
    struct sample samples[SVG_POINTS_MAX];
};

static bool read_row(struct picture *picture, const char *line,
                     const char *sequence)
{
    struct sample *sample = &picture->samples[picture->count];
    char name[64], of[64];
    unsigned long long value;
    double budget;
    if (sscanf(line, "%63[^,],%63[^,],%u,%llu,%lf,%lf,%lf,%lf", name, of,
               &sample->phase, &value, &sample->seconds, &sample->resident,
               &sample->payload, &budget) != 8 ||
        strcmp(of, sequence) != 0 || sample->phase-- == 0 ||
        sample->phase >= LEGS_MAX)
        return false;
    while (sample->server < PICTURE_SERVERS &&
           strcmp(name, picture_servers[sample->server]) != 0)
        sample->server++;
    if (sample->server == PICTURE_SERVERS)
        return false;
    sample->resident /= 1 << 20;
    sample->payload /= 1 << 20;
    picture->budget = budget / (1 << 20);
    picture->value[sample->phase] = value;
    return true;
}

static bool read_samples(struct picture *picture, const char *path,
                         const char *sequence)
{
    char line[256];
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        perror(path);
        return false;
    }
    while (picture->count < SVG_POINTS_MAX &&
           fgets(line, sizeof line, in) != NULL) {
        struct sample *sample = &picture->samples[picture->count];
        *sample = (struct sample){0};
        if (!read_row(picture, line, sequence))
            continue;
        double *from = &picture->from[sample->server][sample->phase];
        double *to = &picture->to[sample->server][sample->phase];
        if (*to == 0)
            *from = sample->seconds;
        *to = sample->seconds;
        if (sample->phase >= picture->phases)
            picture->phases = sample->phase + 1;
        picture->count++;
    }
    fclose(in);
    if (picture->count > 0)
        return true;
    fprintf(stderr, "%s: no samples of %s\n", path, sequence);
    return false;
}

static void place_samples(struct picture *picture)
{
    picture->svg.unit = "MiB";
    picture->svg.last = picture->phases;
    picture->svg.highest = picture->budget;
    for (unsigned i = 0; i < picture->count; i++) {
        const struct sample *sample = &picture->samples[i];
        unsigned server = sample->server, phase = sample->phase;
        double from = picture->from[server][phase];
        double took = picture->to[server][phase] - from;
        double at = phase + (took > 0 ? (sample->seconds - from) / took : 0);
        svg_line_add(&picture->resident[server], at, sample->resident);
        svg_line_add(&picture->payload[server], at, sample->payload);
        picture->svg.highest = fmax(picture->svg.highest, sample->resident);
    }
}

static void draw_head(const struct picture *picture)
{
    char shows[128];
    double x = svg_left;
    snprintf(shows, sizeof shows,
             "Resident memory and payload (keys and values) at a budget of "
             "%.0f MiB",
             picture->budget);
    svg_head(&picture->svg, "Resident memory while sizes of values change",
             "Sizes of values change", shows);
    for (unsigned i = 0; i < PICTURE_SERVERS; i++, x += 130) {
        if (picture->resident[i].count > 0)
            svg_legend(&picture->svg, x, i == 0 ? "line s0" : "line s1",
                       picture_servers[i]);
    }
    svg_legend(&picture->svg, x, "payload", "its payload");
    svg_legend(&picture->svg, x + 130, "budget", "budget");
}

static void draw_phases(const struct picture *picture)
{
    const struct svg *svg = &picture->svg;
    for (unsigned i = 0; i < picture->phases; i++) {
        if (i > 0)
            fprintf(svg->out, "<path class=\"grid\" d=\"M%.1f %gV%g\"/>\n",
                    svg_x(svg, i), svg_top, svg_bottom);
        fprintf(svg->out,
                "<text class=\"middle\" x=\"%.1f\" y=\"%g\">%llu B</text>\n",
                svg_x(svg, i + 0.5), svg_bottom + 20, picture->value[i]);
    }
    svg_below(svg, "size of the values that are written: time, each phase as "
                   "wide as the others");
    fprintf(svg->out, "<path class=\"budget\" d=\"M%g %.1fH%g\"/>\n", svg_left,
            svg_y(svg, picture->budget), svg_right);
}

static void draw_ends(const struct picture *picture)
{
    const struct svg_line *lines[ENDS];
    for (unsigned i = 0; i < ENDS; i++)
        lines[i] =
            i % 2 == 0 ? &picture->resident[i / 2] : &picture->payload[i / 2];
    svg_ends(&picture->svg, lines, ENDS);
}

bool picture_churn(const char *csv, const char *svg, const char *sequence)
{
    static struct picture picture;
    if (!read_samples(&picture, csv, sequence))
        return false;
    place_samples(&picture);
    picture.svg.out = fopen(svg, "w");
    if (picture.svg.out == NULL) {
        perror(svg);
        return false;
    }
    draw_head(&picture);
    svg_linear_axis(&picture.svg, "MiB");
    draw_phases(&picture);
    for (unsigned i = PICTURE_SERVERS; i-- > 0;) {
        svg_line(&picture.svg, i == 0 ? "payload s0" : "payload s1",
                 &picture.payload[i]);
        svg_line(&picture.svg, i == 0 ? "line s0" : "line s1",
                 &picture.resident[i]);
    }
    draw_ends(&picture);
    return svg_foot(&picture.svg);
}
