/* SPDX-License-Identifier: BSD-3-Clause */
/* The frame of a picture, and lines. */

#include "bench/svg.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { TICKS_MAX = 6, END_PX = 15 };

static const double width = 800, height = 430;
const double svg_left = 70, svg_right = 700, svg_top = 92, svg_bottom = 376;

void svg_line_add(struct svg_line *line, double at, double value)
{
    if (line->count == SVG_POINTS_MAX)
        return;
    line->at[line->count] = at;
    line->value[line->count++] = value;
}

/* Where it is between two others: 0 is at the first, 1 at the second. */
static double share(const struct svg *svg, double first, double last,
                    double value)
{
    if (svg->logarithmic)
        return log(value / first) / log(last / first);
    return (value - first) / (last - first);
}

double svg_x(const struct svg *svg, double at)
{
    return svg_left +
           share(svg, svg->first, svg->last, at) * (svg_right - svg_left);
}

double svg_y(const struct svg *svg, double value)
{
    return svg_bottom - share(svg, svg->lowest, svg->highest, value) *
                            (svg_bottom - svg_top);
}

void svg_head(const struct svg *svg, const char *label, const char *title,
              const char *shows)
{
    fprintf(svg->out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" "
            "role=\"img\" aria-label=\"%s\">\n"
            "<style>\n"
            "  text { font: 13px system-ui, -apple-system, 'Segoe UI', "
            "Helvetica, Arial, sans-serif; fill: #59636e }\n"
            "  .title { font-size: 17px; font-weight: 600 }\n"
            "  .title, .strong { fill: #1f2328 }\n"
            "  .middle { text-anchor: middle } .end { text-anchor: end }\n"
            "  path { fill: none }\n"
            "  .page { fill: #fff } .grid { stroke: #d8dee4 }\n"
            "  .axis, .budget, .payload { stroke: #59636e }\n"
            "  .budget { stroke-width: 1.5; stroke-dasharray: 5 4 }\n"
            "  .line { stroke-width: 2.5; stroke-linejoin: round }\n"
            "  .payload { stroke-width: 2; stroke-dasharray: 2 3 }\n"
            "  .s0 { stroke: #2a78d6 } .s1 { stroke: #d95926 }\n"
            "  .s2 { stroke: #1a7f37 } .s3 { stroke: #8250df }\n"
            "  @media (prefers-color-scheme: dark) {\n"
            "    text { fill: #9198a1 } .title, .strong { fill: #f0f6fc }\n"
            "    .page { fill: #0d1117 } .grid { stroke: #30363d }\n"
            "    .axis, .budget, .payload { stroke: #9198a1 }\n"
            "    .s0 { stroke: #58a6ff } .s1 { stroke: #f0883e }\n"
            "    .s2 { stroke: #3fb950 } .s3 { stroke: #bc8cff }\n"
            "  }\n"
            "</style>\n"
            "<rect class=\"page\" width=\"%g\" height=\"%g\" rx=\"6\"/>\n",
            width, height, label, width, height);
    fprintf(svg->out,
            "<text class=\"title\" x=\"%g\" y=\"28\">%s</text>\n"
            "<text x=\"%g\" y=\"49\">%s</text>\n",
            svg_left, title, svg_left, shows);
}

void svg_legend(const struct svg *svg, double x, const char *class,
                const char *text)
{
    const double y = 72;
    fprintf(svg->out,
            "<path class=\"%s\" d=\"M%g %gh24\"/><text class=\"strong\" "
            "x=\"%g\" y=\"%g\">%s</text>\n",
            class, x, y - 4, x + 31, y, text);
}

static void draw_tick(const struct svg *svg, double value)
{
    double y = svg_y(svg, value);
    fprintf(svg->out,
            "<path class=\"%s\" d=\"M%g %.1fH%g\"/>"
            "<text class=\"end\" x=\"%g\" y=\"%.1f\">%.0f</text>\n",
            value == svg->lowest ? "axis" : "grid", svg_left, y, svg_right,
            svg_left - 8, y + 4.5, value);
}

static void draw_upwards(const struct svg *svg, const char *text)
{
    fprintf(svg->out,
            "<text class=\"middle\" transform=\"translate(18 %g) "
            "rotate(-90)\">%s</text>\n",
            (svg_top + svg_bottom) / 2, text);
}

void svg_linear_axis(struct svg *svg, const char *text)
{
    double step = 1;
    while (svg->highest * 1.02 / step > TICKS_MAX)
        step *= 2;
    svg->highest = ceil(svg->highest * 1.02 / step) * step;
    for (double value = 0; value <= svg->highest; value += step)
        draw_tick(svg, value);
    draw_upwards(svg, text);
}

/* Number `i` of 1, 2, 5, 10, 20, ... */
static double round_number(int i)
{
    static const double steps[] = {1, 2, 5};
    return steps[i % 3] * pow(10, i / 3);
}

void svg_log_axis(struct svg *svg, const char *text)
{
    int from = 0, to;
    while (round_number(from + 1) <= svg->lowest)
        from++;
    for (to = from + 1; round_number(to) < svg->highest;)
        to++;
    svg->lowest = round_number(from);
    svg->highest = round_number(to);
    for (int i = from; i <= to; i++)
        draw_tick(svg, round_number(i));
    draw_upwards(svg, text);
}

void svg_below(const struct svg *svg, const char *text)
{
    fprintf(svg->out, "<text class=\"middle\" x=\"%g\" y=\"%g\">%s</text>\n",
            (svg_left + svg_right) / 2, svg_bottom + 42, text);
}

/* Leaves out points that would not move the line by half a pixel. */
void svg_line(const struct svg *svg, const char *class,
              const struct svg_line *line)
{
    double drawn = -1e9, last_x = svg_left, last_y = svg_bottom;
    if (line->count == 0)
        return;
    fprintf(svg->out, "<path class=\"%s\" d=\"", class);
    for (unsigned i = 0; i < line->count; i++) {
        double x = svg_x(svg, line->at[i]), y = svg_y(svg, line->value[i]);
        bool moved = fabs(y - drawn) >= 0.5;
        if (moved && i > 0)
            fprintf(svg->out, "L%.1f %.1f", last_x, last_y);
        if (moved || i + 1 == line->count) {
            fprintf(svg->out, "%c%.1f %.1f", i == 0 ? 'M' : 'L', x, y);
            drawn = y;
        }
        last_x = x;
        last_y = y;
    }
    fputs("\"/>\n", svg->out);
}

struct end {
    double value, y;
};

static int by_height(const void *a, const void *b)
{
    const struct end *one = a, *other = b;
    return (one->y < other->y) - (one->y > other->y);
}

void svg_ends(const struct svg *svg, const struct svg_line *const *lines,
              unsigned count)
{
    struct end ends[SVG_ENDS_MAX];
    unsigned drawn = 0;
    assert(count <= SVG_ENDS_MAX);
    for (unsigned i = 0; i < count; i++) {
        if (lines[i]->count == 0)
            continue;
        double value = lines[i]->value[lines[i]->count - 1];
        ends[drawn++] = (struct end){value, svg_y(svg, value)};
    }
    qsort(ends, drawn, sizeof *ends, by_height);
    for (unsigned i = 0; i < drawn; i++) {
        if (i > 0)
            ends[i].y = fmin(ends[i].y, ends[i - 1].y - END_PX);
        fprintf(svg->out,
                "<text class=\"strong\" x=\"%g\" y=\"%.1f\">%.0f %s</text>\n",
                svg_right + 8, ends[i].y + 4.5, ends[i].value, svg->unit);
    }
}

bool svg_foot(struct svg *svg)
{
    fputs("</svg>\n", svg->out);
    return fclose(svg->out) == 0;
}
