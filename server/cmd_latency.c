/* SPDX-License-Identifier: BSD-3-Clause */
/* LATENCY: what took long, and how long commands take. */

#include "call.h"

#include <inttypes.h>
#include <stdlib.h>

#include "command_info.h"
#include "latency.h"
#include "stats.h"

/* ----------------------------------------------------------------- events */

enum command_result cmd_latency_latest(struct call *call)
{
    struct latency_sample samples[LATENCY_SAMPLES], last[LATENCY_EVENTS];
    int64_t longest_ms[LATENCY_EVENTS];
    size_t known = 0;
    bool has[LATENCY_EVENTS] = {false};
    for (int event = 0; event < LATENCY_EVENTS; event++) {
        size_t count =
            latency_history(call->server->latency, (enum latency_event)event,
                            samples, &longest_ms[event]);
        has[event] = count > 0;
        known += count > 0;
        if (count > 0)
            last[event] = samples[count - 1];
    }
    reply_array(&call->reply, known);
    for (int event = 0; event < LATENCY_EVENTS; event++) {
        if (!has[event])
            continue;
        reply_array(&call->reply, 4);
        reply_bulk_text(&call->reply, latency_name((enum latency_event)event));
        reply_int(&call->reply, last[event].at_s);
        reply_int(&call->reply, last[event].ms);
        reply_int(&call->reply, longest_ms[event]);
    }
    return COMMAND_DONE;
}

/* LATENCY_EVENTS: there is none of that name. */
static enum latency_event event_named(const struct arg *name)
{
    int event = 0;
    while (event < LATENCY_EVENTS &&
           !arg_is(name, latency_name((enum latency_event)event)))
        event++;
    return (enum latency_event)event;
}

enum command_result cmd_latency_history(struct call *call)
{
    struct latency_sample samples[LATENCY_SAMPLES];
    enum latency_event event = event_named(&call->argv[2]);
    int64_t longest_ms;
    size_t count = 0;
    if (event < LATENCY_EVENTS)
        count =
            latency_history(call->server->latency, event, samples, &longest_ms);
    reply_array(&call->reply, count);
    for (size_t i = 0; i < count; i++) {
        reply_array(&call->reply, 2);
        reply_int(&call->reply, samples[i].at_s);
        reply_int(&call->reply, samples[i].ms);
    }
    return COMMAND_DONE;
}

enum command_result cmd_latency_reset(struct call *call)
{
    struct latency *latency = call->server->latency;
    int64_t reset = 0;
    if (!call_names_fit(call))
        return COMMAND_DONE;
    for (size_t i = 2; i < call->argc; i++) {
        enum latency_event event = event_named(&call->argv[i]);
        reset += event < LATENCY_EVENTS && latency_reset(latency, event);
    }
    for (int event = 0; event < LATENCY_EVENTS && call->argc == 2; event++)
        reset += latency_reset(latency, (enum latency_event)event);
    reply_int(&call->reply, reset);
    return COMMAND_DONE;
}

static void advise(struct buf *text, enum latency_event event)
{
    static const char *const advice[LATENCY_EVENTS] = {
        [LATENCY_COMMAND] = "SLOWLOG GET shows which commands they were.",
        [LATENCY_FAST_COMMAND] =
            "Such commands wait for the machine only: are there fewer cores "
            "than threads, or does the system swap?",
        [LATENCY_EVICTION] =
            "Writes waited for room: INFO's evicted_keys tells how much is "
            "dropped for them.",
        [LATENCY_EXPIRE] = "The upkeep was held up: are there fewer cores than "
                           "threads?",
        [LATENCY_REBUILD] = "A lowered maxmemory was being reached; its slices "
                            "are meant to take 0.2 ms.",
    };
    buf_addf(text, "   %s\n", advice[event]);
}

enum command_result cmd_latency_doctor(struct call *call)
{
    struct latency_sample samples[LATENCY_SAMPLES];
    struct buf text = {0};
    int64_t longest_ms, least_ms = call->server->limits.latency_ms;
    if (least_ms == 0)
        buf_add_text(&text,
                     "Nothing is watched: CONFIG SET latency-monitor-threshold "
                     "says from how many milliseconds on.\n");
    else
        buf_addf(&text, "What took %" PRId64 " ms or longer is watched.\n",
                 least_ms);
    for (int i = 0; i < LATENCY_EVENTS; i++) {
        enum latency_event event = (enum latency_event)i;
        size_t count =
            latency_history(call->server->latency, event, samples, &longest_ms);
        int64_t sum_ms = 0;
        for (size_t j = 0; j < count; j++)
            sum_ms += samples[j].ms;
        if (count == 0)
            continue;
        buf_addf(&text,
                 "%s: in %zu seconds, %" PRId64 " ms on average, at most "
                 "%" PRId64 " ms.\n",
                 latency_name(event), count, sum_ms / (int64_t)count,
                 longest_ms);
        advise(&text, event);
    }
    reply_verbatim(&call->reply, text.data + text.start, buf_len(&text));
    buf_release(&text);
    return COMMAND_DONE;
}

/* -------------------------------------------------------------- HISTOGRAM */

/* The top of a column, as Redis's histograms have it: 1, 2, 4, 8, 16, 33 ...,
 * and the last at a second. */
static int64_t column_us(unsigned column)
{
    uint64_t ns = UINT64_C(1024) << column;
    if (column < STATS_COLUMNS - 1)
        ns += ns / 128;
    return (int64_t)((ns - 1) / 1000);
}

/* The reply's map under construction. */
struct histograms {
    const struct server *server;
    struct reply reply; /* the pairs */
    size_t count;
    bool *looked_at; /* by row: whoever names a command twice has it once */
};

/* Nothing for a command that was never run. */
static void add_histogram(struct histograms *to, const struct command *command)
{
    struct reply *reply = &to->reply;
    struct stats_command stats;
    size_t columns = 0, row = command_row(command);
    uint64_t calls = 0;
    if (to->looked_at[row])
        return;
    to->looked_at[row] = true;
    stats_command(to->server, row, &stats);
    for (unsigned i = 0; i < STATS_COLUMNS; i++)
        columns += stats.took[i] > 0;
    if (columns == 0)
        return;
    to->count++;
    for (unsigned i = 0; i < STATS_COLUMNS; i++)
        calls += stats.took[i];
    reply_bulk_text(reply, command->name);
    reply_map(reply, 2);
    reply_bulk_text(reply, "calls");
    reply_int(reply, (int64_t)calls);
    reply_bulk_text(reply, "histogram_usec");
    reply_map(reply, columns);
    calls = 0;
    for (unsigned i = 0; i < STATS_COLUMNS; i++) {
        calls += stats.took[i];
        if (stats.took[i] == 0)
            continue;
        reply_int(reply, column_us(i));
        reply_int(reply, (int64_t)calls);
    }
}

/* Those of a command and its subcommands. */
static void add_named(struct histograms *to, const struct arg *name)
{
    const struct command *command = command_named(name);
    if (!command)
        return;
    for (size_t i = 0; i <= command_sub_count(command); i++)
        add_histogram(to, command + i);
}

enum command_result cmd_latency_histogram(struct call *call)
{
    struct buf pairs = {
        .max = (size_t)atomic_load(&call->server->limits.output_limit_bytes)};
    struct histograms to = {.server = call->server,
                            .reply = {&pairs, call->reply.resp}};
    if (!call_names_fit(call))
        return COMMAND_DONE;
    to.looked_at = calloc(command_count, sizeof *to.looked_at);
    if (!to.looked_at)
        return call_error(call, ERROR_NO_ROOM);
    for (size_t row = 0; row < command_count && call->argc == 2; row++)
        add_histogram(&to, &command_table[row]);
    for (size_t i = 2; i < call->argc; i++)
        add_named(&to, &call->argv[i]);
    reply_map(&call->reply, to.count);
    if (to.count > 0)
        buf_add(call->reply.out, pairs.data + pairs.start, buf_len(&pairs));
    buf_release(&pairs);
    free(to.looked_at);
    return COMMAND_DONE;
}

enum command_result cmd_latency_help(struct call *call)
{
    static const char *const lines[] = {
        "LATENCY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "DOCTOR",
        "    What was noticed, in sentences.",
        "HISTOGRAM [<command> ...]",
        "    How long commands take: how many took up to so many microseconds.",
        "HISTORY <event>",
        "    When an event took long, and how long.",
        "LATEST",
        "    The last and the longest time of every event.",
        "RESET [<event> ...]",
        "    Forget events (default: all).",
        "HELP",
        "    Print this help.",
    };
    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}
