/* SPDX-License-Identifier: BSD-3-Clause */
/* MEMORY: what the memory is used for, and giving some of it back. */

#include "call.h"

#include <stdlib.h>

#include "cache/pages.h"
#include "doctor.h"
#include "info_table.h"
#include "platform.h"
#include "worker.h"

enum { PURGE_SLABS = 32 }; /* in one turn: some tenths of a millisecond */

enum command_result cmd_memory_usage(struct call *call)
{
    for (size_t i = 3; i < call->argc; i += 2) {
        int64_t samples;
        if (!arg_is(&call->argv[i], "samples") || i + 1 >= call->argc)
            return call_error(call, ERROR_SYNTAX);
        if (!call_int(call, i + 1, &samples))
            return COMMAND_DONE;
        if (samples < 0)
            return call_error(call, ERROR_SYNTAX);
    }
    struct cache_view view;
    if (call_find(call, 0, &view))
        reply_int(&call->reply, (int64_t)cache_view_resident(&view));
    else
        reply_null(&call->reply);
    return COMMAND_DONE;
}

/* ------------------------------------------------------------------ STATS */

static void reply_field(struct reply *reply, const struct stats_now *now,
                        const struct field *field)
{
    reply_bulk_text(reply, field->name);
    switch (field->kind) {
    case FIELD_RATIO:
    case FIELD_PERCENT:
        reply_double(reply, field_share(now, field));
        break;
    case FIELD_EXCESS:
        reply_int(reply, field_excess(now, field));
        break;
    case FIELD_TEXT:
        reply_int(reply, strtoll(field->text, NULL, 10));
        break;
    default:
        reply_int(reply, (int64_t)field_number(now, field->a));
        break;
    }
}

enum command_result cmd_memory_stats(struct call *call)
{
    const struct fields *fields = &info_memory_stats;
    struct reply *reply = &call->reply;
    struct memory_sheet sheet;
    struct stats_now now;
    stats_take(call->server, call->now_ms, &now);
    sheet_take(call->server, &sheet);
    reply_map(reply, fields->count + 1 + SHEET_ALL);
    for (size_t i = 0; i < fields->count; i++)
        reply_field(reply, &now, &fields->rows[i]);
    reply_bulk_text(reply, "resident.total");
    reply_int(reply, (int64_t)sheet.resident);
    for (enum sheet_part part = 0; part < SHEET_ALL; part++) {
        char name[64];
        snprintf(name, sizeof name, "resident.%s", sheet_names[part]);
        reply_bulk_text(reply, name);
        reply_int(reply, sheet_part(&sheet, part));
    }
    return COMMAND_DONE;
}

/* ---------------------------------------------------------------- reports */

static enum command_result reply_report(struct call *call, struct buf *text)
{
    if (text->failed)
        reply_error(&call->reply, ERROR_NO_ROOM);
    else
        reply_verbatim(&call->reply, text->data + text->start, buf_len(text));
    buf_release(text);
    return COMMAND_DONE;
}

enum command_result cmd_memory_doctor(struct call *call)
{
    const struct platform *platform = call->server->platform;
    struct doctor_case patient;
    struct buf text = {0};
    stats_take(call->server, call->now_ms, &patient.now);
    sheet_take(call->server, &patient.sheet);
    patient.machine_bytes = platform->memory(platform->ctx);
    doctor_write(&patient, &text);
    return reply_report(call, &text);
}

static void add_text(void *ctx, const char *text)
{
    buf_add_text(ctx, text);
}

enum command_result cmd_memory_malloc_stats(struct call *call)
{
    struct buf text = {0};
    if (!pages_report_heap(add_text, &text))
        buf_add_text(&text, "Stats not supported for the current allocator");
    return reply_report(call, &text);
}

/* ------------------------------------------------------------------ PURGE */

static void flush_worker(struct worker *worker, void *ctx)
{
    (void)worker, (void)ctx;
    pages_flush_thread();
}

/* Of the free slabs as many as there are now: others may come meanwhile. */
static bool begin_purge(struct call *call)
{
    struct server *server = call->server;
    size_t *left = malloc(sizeof *left);
    struct cache_stats stats;
    if (!left)
        return false;
    call->state = left;
    call->state_free = free;
    cache_stats(server->cache, call->now_ms, &stats);
    *left = stats.stock_bytes / CACHE_SLAB;
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_post(&server->workers[i], flush_worker, NULL);
    pages_purge_heap();
    return true;
}

enum command_result cmd_memory_purge(struct call *call)
{
    if (!call->state && !begin_purge(call))
        return call_error(call, ERROR_NO_ROOM);
    size_t *left = call->state;
    size_t most = *left < PURGE_SLABS ? *left : PURGE_SLABS;
    *left -= most;
    if (most > 0 && cache_purge(call->server->cache, most) == most)
        return COMMAND_AGAIN;
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

/* ------------------------------------------------------------------- HELP */

enum command_result cmd_memory_help(struct call *call)
{
    static const char *const lines[] = {
        "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "DOCTOR",
        "    What the memory is used for, in sentences.",
        "MALLOC-STATS",
        "    The allocator's own report.",
        "PREFIXES [<separator> [<count> [<depth>]]]",
        "    The prefixes of keys that most memory is used for, from a sample.",
        "PURGE",
        "    Gives free memory back to the system.",
        "STATS",
        "    What the memory is used for, in numbers: those of resident memory",
        "    add up to what the system says.",
        "USAGE <key> [SAMPLES <count>]",
        "    Bytes that the key and its value occupy, overhead included.",
        "WAIT <milliseconds>",
        "    Answers when resident memory is within maxmemory, or after this",
        "    time: budget, resident, done (1 or 0), remaining bytes.",
        "HELP",
        "    This list.",
    };
    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}
