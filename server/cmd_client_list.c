/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT INFO and LIST: what connections look like from outside. */

#include "commands.h"

#include <pthread.h>
#include <stdlib.h>

#include "acl.h"
#include "ask.h"
#include "call.h"
#include "client.h"
#include "client_lines.h"
#include "conn.h"
#include "multi.h"
#include "pubsub.h"
#include "server.h"
#include "tracking.h"
#include "watch.h"
#include "worker.h"

enum {
    LIST_IDS_MAX = 16384,    /* ids in one CLIENT LIST ID */
    SLICE_BYTES = 64 * 1024, /* replied before others have a turn */
    SLICE_LINES = 1024,      /* sorted or looked up: 70 to 90 us */
};

static const char *text_or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static const char *last_command(const struct session *session)
{
    return session->last_command == SESSION_NO_COMMAND
               ? "NULL"
               : command_table[session->last_command].name;
}

/* Buffers are counted whole, so their columns never change. */
void client_describe(struct buf *out, struct conn *conn, int64_t now_ms)
{
    const struct session *s = conn_session(conn);
    struct conn_info info;
    char flags[16];
    size_t n = 0;

    conn_describe(conn, now_ms, &info);
    if (subscriber_count(s->subscriber, TOPIC_MONITOR) > 0)
        flags[n++] = 'O';
    if (subscriber_listens(s->subscriber))
        flags[n++] = 'P';
    if (s->multi)
        flags[n++] = 'x';
    if (info.halted)
        flags[n++] = 'b';
    if (s->tracker)
        n += tracking_flags(s->tracker, flags + n);
    if (s->watcher && watch_is_dirty(s->watcher))
        flags[n++] = 'd';
    if (info.closing)
        flags[n++] = 'c';
    if (info.addr[0] == '/' || info.laddr[0] == '/')
        flags[n++] = 'U';
    if (s->no_evict)
        flags[n++] = 'e';
    if (s->no_touch)
        flags[n++] = 'T';
    if (n == 0)
        flags[n++] = 'N';
    flags[n] = '\0';
    buf_addf(out,
             "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld "
             "flags=%s db=%u sub=%zu psub=%zu ssub=%zu ",
             (unsigned long long)s->id, info.addr, info.laddr, info.fd,
             text_or_empty(s->name), (long long)info.age_s,
             (long long)info.idle_s, flags, s->db,
             subscriber_count(s->subscriber, TOPIC_CHANNEL),
             subscriber_count(s->subscriber, TOPIC_PATTERN),
             subscriber_count(s->subscriber, TOPIC_SHARD));
    buf_addf(out, "multi=%lld watch=%zu ",
             s->multi ? (long long)multi_count(s->multi) : -1,
             s->watcher ? watcher_count(s->watcher) : 0);
    buf_addf(out,
             "qbuf=%zu qbuf-free=0 argv-mem=0 multi-mem=%zu rbs=0 rbp=0 obl=0 "
             "oll=0 omem=%zu tot-mem=%zu events=%s%s ",
             info.input_bytes, s->multi ? multi_bytes(s->multi) : 0,
             info.output_bytes, info.memory_bytes, info.readable ? "r" : "",
             info.writable ? "w" : "");
    buf_addf(out, "cmd=%s user=%s redir=%lld resp=%u lib-name=%s lib-ver=%s",
             last_command(s), acl_user_name(s),
             s->tracker ? (long long)tracking_redirect(s->tracker) : -1,
             s->resp, text_or_empty(s->lib_name), text_or_empty(s->lib_ver));
}

enum command_result cmd_client_info(struct call *call)
{
    struct buf line = {0};

    client_describe(&line, call->conn, call->now_ms);
    buf_add_text(&line, "\n");
    reply_verbatim(&call->reply, line.data + line.start, buf_len(&line));
    buf_release(&line);
    return COMMAND_DONE;
}

struct list {
    pthread_mutex_t lock;
    int64_t now_ms;
    struct client_lines lines;
    struct buf line; /* the one that is written */
    enum client_type type;
    bool failed;   /* not everything found room */
    uint64_t *ids; /* those asked for, or NULL: all */
    size_t id_count;
    size_t measured, len; /* places whose bytes are counted, and these */
    bool begun;           /* the reply was */
    size_t next;          /* place of the line that it goes on with */
};

static void list_free(void *ctx)
{
    struct list *list = ctx;

    client_lines_release(&list->lines);
    buf_release(&list->line);
    free(list->ids);
    pthread_mutex_destroy(&list->lock);
    free(list);
}

/* The text of all clients may be long: it is clients' memory like any other,
 * so that asking for it often does not take the process over its budget. */
static void list_add(struct list *list, struct conn *conn)
{
    struct buf *line = &list->line;

    buf_truncate(line, 0);
    client_describe(line, conn, list->now_ms);
    buf_add_text(line, "\n");
    list->failed = line->failed ||
                   !client_lines_add(&list->lines, conn_session(conn)->id,
                                     line->data + line->start, buf_len(line));
}

static bool list_visit(struct conn *conn, void *ctx)
{
    struct list *list = ctx;

    pthread_mutex_lock(&list->lock);
    if (!list->failed && client_is(conn, list->type))
        list_add(list, conn);
    pthread_mutex_unlock(&list->lock);
    return true;
}

/* The line at that place of the reply; NULL: none, such a client is not there.
 */
static const struct client_line *line_at(const struct list *list, size_t i)
{
    if (list->ids == NULL)
        return &list->lines.lines[i];
    return client_lines_find(&list->lines, list->ids[i]);
}

static size_t places(const struct list *list)
{
    return list->ids == NULL ? list->lines.count : list->id_count;
}

static void list_measure(struct list *list, size_t *steps)
{
    for (; list->measured < places(list) && *steps > 0; (*steps)--) {
        const struct client_line *line = line_at(list, list->measured++);
        list->len += line == NULL ? 0 : line->len;
    }
}

static enum command_result list_begin(struct call *call, struct list *list)
{
    size_t steps = SLICE_LINES;

    if (list->failed)
        return call_error(call, "OOM the list does not fit into the memory "
                                "that clients may use");
    client_lines_sort(&list->lines, &steps);
    list_measure(list, &steps);
    if (steps == 0)
        return COMMAND_AGAIN;
    if (list->len >
        (size_t)atomic_load(&call->server->limits.output_limit_bytes))
        return call_error(call, "OOM the list is longer than output-limit");
    reply_verbatim_begin(&call->reply, list->len);
    list->begun = true;
    return COMMAND_AGAIN;
}

/* Lines of all clients, or those that were asked for in that order; some at a
 * time. */
static enum command_result list_reply(struct call *call, struct list *list)
{
    struct buf *out = call->reply.out;
    size_t enough = less_of(SLICE_BYTES, conn_room(call->conn));
    size_t steps = SLICE_LINES;

    if (!list->begun)
        return list_begin(call, list);
    for (size_t bytes = 0; list->next < places(list); list->next++) {
        const struct client_line *line;
        if (bytes > enough || steps-- == 0)
            return COMMAND_AGAIN;
        line = line_at(list, list->next);
        if (line == NULL)
            continue;
        buf_add(out, line->text, line->len);
        bytes += line->len;
    }
    buf_add_text(out, "\r\n");
    return COMMAND_DONE;
}

/* Fills in list->ids; false: an error was answered. */
static bool parse_ids(struct call *call, struct list *list)
{
    size_t count = call->argc - 3;

    if (count > LIST_IDS_MAX) {
        reply_errorf(&call->reply, "ERR more than %d client IDs", LIST_IDS_MAX);
        return false;
    }
    list->ids = malloc(count * sizeof *list->ids);
    if (list->ids == NULL) {
        reply_error(&call->reply, ERROR_NO_ROOM);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct arg arg = call->argv[3 + i];
        int64_t id;

        if (!text_to_int(arg.ptr, arg.len, &id)) {
            reply_error(&call->reply, "ERR Invalid client ID");
            return false;
        }
        list->ids[i] = (uint64_t)id;
    }
    list->id_count = count;
    return true;
}

static bool parse_list(struct call *call, struct list *list,
                       enum client_type *type)
{
    const struct arg *argv = call->argv;

    *type = CLIENT_ANY;
    if (call->argc == 2)
        return true;
    if (call->argc == 4 && text_is(argv[2].ptr, argv[2].len, "type"))
        return client_parse_type(call, argv[3], type);
    if (call->argc > 3 && text_is(argv[2].ptr, argv[2].len, "id"))
        return parse_ids(call, list);
    reply_error(&call->reply, "ERR syntax error");
    return false;
}

enum command_result cmd_client_list(struct call *call)
{
    struct list *list = ask_ctx(call);
    enum client_type type;

    if (list != NULL)
        return list_reply(call, list);
    list = calloc(1, sizeof *list);
    if (list == NULL) {
        reply_error(&call->reply, ERROR_NO_ROOM);
        return COMMAND_DONE;
    }
    pthread_mutex_init(&list->lock, NULL);
    list->now_ms = call->now_ms;
    client_lines_init(&list->lines, call->server->pool);
    if (parse_list(call, list, &type)) {
        list->type = type;
        if (type != CLIENT_OTHER)
            return ask_conns(call, list_visit, list, list_free);
        reply_verbatim(&call->reply, "", 0);
    }
    list_free(list);
    return COMMAND_DONE;
}
