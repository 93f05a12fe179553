/* SPDX-License-Identifier: BSD-3-Clause */
/* CPU for one operation by pipeline depth. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/picture.h"
#include "bench/svg.h"

enum { SERVERS_MAX = 5, LEGEND_PX = 130 };

struct server {
    char name[64];
    const char *class; /* of its line */
    struct svg_line cpu, least, most;
};

struct picture {
    struct svg svg;
    unsigned count;
    struct server servers[SERVERS_MAX];
};

/* A name that is new is one more server; NULL if there are too many. */
static struct server *server_of(struct picture *picture, const char *name)
{
    static const char *const classes[SERVERS_MAX] = {
        "line s0", "line s1", "line s2", "line s3", "line s3"};
    unsigned i = 0, colours = 0;
    for (; i < picture->count; i++) {
        if (strcmp(picture->servers[i].name, name) == 0)
            return &picture->servers[i];
        colours += picture->servers[i].class[0] == 'l';
    }
    if (i == SERVERS_MAX)
        return NULL;
    struct server *server = &picture->servers[picture->count++];
    snprintf(server->name, sizeof server->name, "%s", name);
    server->class = strcmp(name, "floor") == 0 ? "budget" : classes[colours];
    return server;
}

static void take(struct picture *picture, const char *name, double depth,
                 double cpu, double least, double most)
{
    struct svg *svg = &picture->svg;
    struct server *server = server_of(picture, name);
    if (server == NULL)
        return;
    svg_line_add(&server->cpu, depth, cpu);
    svg_line_add(&server->least, depth, least);
    svg_line_add(&server->most, depth, most);
    svg->first = fmin(svg->first, depth);
    svg->last = fmax(svg->last, depth);
    svg->lowest = fmin(svg->lowest, least);
    svg->highest = fmax(svg->highest, most);
}

/* Reads the rows of mixed requests; false if there are not two depths. */
static bool read_rows(struct picture *picture, const char *path)
{
    char line[256], name[64];
    double depth, cpu, least, most;
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        perror(path);
        return false;
    }
    picture->svg.first = picture->svg.lowest = INFINITY;
    while (fgets(line, sizeof line, in) != NULL) {
        if (sscanf(line, "%63[^,],mixed,%lf,%lf,%lf,%lf", name, &depth, &cpu,
                   &least, &most) == 5 &&
            depth >= 1 && least >= 1)
            take(picture, name, depth, cpu, least, most);
    }
    fclose(in);
    if (picture->svg.first < picture->svg.last)
        return true;
    fprintf(stderr, "%s: no mixed requests at several depths\n", path);
    return false;
}

static void draw_legend(const struct picture *picture)
{
    double x = svg_left;
    for (unsigned i = 0; i < picture->count; i++, x += LEGEND_PX)
        svg_legend(&picture->svg, x, picture->servers[i].class,
                   picture->servers[i].name);
}

static void draw_depths(const struct picture *picture)
{
    const struct svg *svg = &picture->svg;
    const struct svg_line *line = &picture->servers[0].cpu;
    for (unsigned i = 0; i < line->count; i++) {
        double x = svg_x(svg, line->at[i]);
        fprintf(svg->out,
                "<path class=\"axis\" d=\"M%.1f %gv5\"/>"
                "<text class=\"middle\" x=\"%.1f\" y=\"%g\">%g</text>\n",
                x, svg_bottom, x, svg_bottom + 20, line->at[i]);
    }
    svg_below(svg, "requests that a client sends at once");
}

/* The line of medians, and how far rounds were apart at each depth. */
static void draw_server(const struct svg *svg, const struct server *server)
{
    svg_line(svg, server->class, &server->cpu);
    for (unsigned i = 0; i < server->cpu.count; i++)
        fprintf(svg->out, "<path class=\"%s\" d=\"M%.1f %.1fV%.1f\"/>\n",
                server->class, svg_x(svg, server->cpu.at[i]),
                svg_y(svg, server->least.value[i]),
                svg_y(svg, server->most.value[i]));
}

bool picture_load(const char *csv, const char *svg)
{
    static struct picture picture;
    const struct svg_line *lines[SERVERS_MAX];
    picture.svg.logarithmic = true;
    picture.svg.unit = "ns";
    if (!read_rows(&picture, csv))
        return false;
    picture.svg.out = fopen(svg, "w");
    if (picture.svg.out == NULL) {
        perror(svg);
        return false;
    }
    svg_head(
        &picture.svg, "CPU for one operation by pipeline depth",
        "CPU for one operation",
        "The server's CPU time, kernel included, for a GET or SET (9:1) of "
        "100 B; both axes are logarithmic");
    draw_legend(&picture);
    svg_log_axis(&picture.svg, "ns");
    draw_depths(&picture);
    for (unsigned i = picture.count; i-- > 0;) {
        draw_server(&picture.svg, &picture.servers[i]);
        lines[i] = &picture.servers[i].cpu;
    }
    svg_ends(&picture.svg, lines, picture.count);
    return svg_foot(&picture.svg);
}
