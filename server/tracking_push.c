/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What clients are told, and where to:
 *
 *   RESP3                          >2 "invalidate" [keys]
 *   RESP2, when it is redirected   *3 "message" "__redis__:invalidate" [keys]
 *     to, and subscribed to something
 *
 * A null instead of the keys says that everything has changed.
 */

#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "protocol/text.h"
#include "pubsub.h"
#include "tracking_core.h"

static const char head[] = ">2\r\n$10\r\ninvalidate\r\n";
static const char message_head[] =
    "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n";

enum {
    HEAD = sizeof head - 1,
    MESSAGE_HEAD = sizeof message_head - 1,
};

/* ----------------------------------------------------------------- making */

static char *put(char *to, const void *bytes, size_t len)
{
    memcpy(to, bytes, len);
    return to + len;
}

struct push *tracking_push_key(struct server *server, const char *key,
                               size_t len)
{
    struct push *push =
        push_new(server, HEAD + push_header_size(1) + push_bulk_size(len));
    if (!push)
        return NULL;
    char *to = push_put_header(put(push->bytes, head, HEAD), '*', 1);
    push_put_bulk(to, key, len);
    return push;
}

/* The keys of a round that begin with a prefix lie side by side: the first. */
static size_t first_of(const struct round *round,
                       const struct track_prefix *prefix)
{
    size_t low = 0, high = round->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct told_key *key = round->keys[middle];
        if (track_compare(key->bytes, key->len, prefix->bytes, prefix->len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool begins(const struct told_key *key,
                   const struct track_prefix *prefix)
{
    return key->len >= prefix->len &&
           memcmp(key->bytes, prefix->bytes, prefix->len) == 0;
}

struct push *tracking_push_keys(struct server *server,
                                const struct round *round,
                                const struct track_prefix *prefix,
                                uint64_t except, bool *none)
{
    size_t first = first_of(round, prefix), end = first, count = 0, size = 0;
    for (; end < round->count && begins(round->keys[end], prefix); end++) {
        const struct told_key *key = round->keys[end];
        if (except != 0 && key->by == except)
            continue;
        size += push_bulk_size(key->len);
        count++;
    }
    *none = count == 0;
    if (count == 0)
        return NULL;
    struct push *push = push_new(server, HEAD + push_header_size(count) + size);
    if (!push)
        return NULL;
    char *to = push_put_header(put(push->bytes, head, HEAD), '*', count);
    for (size_t i = first; i < end; i++)
        if (except == 0 || round->keys[i]->by != except)
            to = push_put_bulk(to, round->keys[i]->bytes, round->keys[i]->len);
    return push;
}

/* Of which there is always one: not the pool's. */
static struct push *own_push(struct server *server, const char *a, size_t a_len,
                             const char *b, size_t b_len)
{
    struct push *push = malloc(sizeof *push + a_len + b_len);
    if (!push)
        return NULL;
    push->server = server;
    push->len = a_len + b_len;
    atomic_init(&push->refs, 1);
    put(put(push->bytes, a, a_len), b, b_len);
    return push;
}

static struct push *push_of(struct server *server, const char *a, size_t a_len,
                            const char *b, size_t b_len)
{
    struct push *push = push_new(server, a_len + b_len);
    if (push)
        put(put(push->bytes, a, a_len), b, b_len);
    return push;
}

bool tracking_make_all(struct tracking *tracking)
{
    struct server *server = tracking->server;
    tracking->all = own_push(server, head, HEAD, "_\r\n", 3);
    tracking->all_message =
        own_push(server, message_head, MESSAGE_HEAD, "$-1\r\n", 5);
    return tracking->all && tracking->all_message;
}

/* ---------------------------------------------------------------- sending */

/* To one that is redirected to; in RESP2 it hears of it only while it is
 * subscribed. */
static void push_to(struct tracking *tracking, struct conn *conn,
                    struct push *push)
{
    const struct session *session = conn_session(conn);
    if (session->resp == 3) {
        conn_push(conn, push);
        return;
    }
    if (!subscriber_listens(session->subscriber))
        return;
    struct push *message = NULL;
    if (push != tracking->all)
        message = push_of(tracking->server, message_head, MESSAGE_HEAD,
                          push->bytes + HEAD, push->len - HEAD);
    conn_push(conn, message ? message : tracking->all_message);
    push_unref(message);
}

/* The client that it is to be sent to is gone. */
static void tell_broken(struct tracker *tracker)
{
    static const char broken[] = ">2\r\n$21\r\ntracking-redir-broken\r\n:";
    char text[sizeof broken + TEXT_INT_MAX + 2];
    size_t len = sizeof broken - 1;
    tracker->mode |= TRACKING_BROKEN;
    if (conn_session(tracker->conn)->resp != 3)
        return;
    memcpy(text, broken, len);
    len += text_of_int((int64_t)tracker->redirect.client, text + len);
    struct push *push =
        push_of(tracker->tracking->server, text, len, "\r\n", 2);
    if (push)
        conn_push(tracker->conn, push);
    push_unref(push);
}

/* A push on its way to another worker's client, or the answer that there is no
 * such client. */
struct hop {
    struct tracking *tracking;
    struct push *push;
    uint64_t from, to;
    unsigned from_worker;
};

static void hop_free(void *ctx)
{
    struct hop *hop = ctx;
    push_account(hop->tracking->server, -(ptrdiff_t)sizeof *hop);
    push_unref(hop->push);
    free(hop);
}

static void hop_back(struct worker *worker, void *ctx)
{
    struct hop *hop = ctx;
    struct conn *conn = worker_conn(worker, hop->from);
    struct tracker *tracker = conn ? conn_session(conn)->tracker : NULL;
    if (tracker && tracker->redirect.client == hop->to)
        tell_broken(tracker);
    hop_free(hop);
}

static void hop_arrive(struct worker *worker, void *ctx)
{
    struct hop *hop = ctx;
    struct conn *conn = worker_conn(worker, hop->to);
    if (!conn) {
        worker_post_owned(&worker->server->workers[hop->from_worker], hop_back,
                          hop, hop_free);
        return;
    }
    push_to(hop->tracking, conn, hop->push);
    hop_free(hop);
    if (worker_push_full(worker))
        worker_send_pushes(worker);
}

static void send_over(struct tracker *tracker, struct push *push)
{
    struct server *server = tracker->tracking->server;
    struct hop *hop = malloc(sizeof *hop);
    if (!hop)
        abort(); /* as mailbox_post does */
    *hop = (struct hop){
        .tracking = tracker->tracking,
        .push = push,
        .from = conn_session(tracker->conn)->id,
        .to = tracker->redirect.client,
        .from_worker = tracker->worker->id,
    };
    push_ref(push);
    push_account(server, (ptrdiff_t)sizeof *hop);
    worker_post_owned(&server->workers[tracker->redirect.worker], hop_arrive,
                      hop, hop_free);
}

void tracking_push(struct tracker *tracker, struct push *push)
{
    struct tracking_redirect to = tracker->redirect;
    if (to.client == 0) {
        if (conn_session(tracker->conn)->resp == 3)
            conn_push(tracker->conn, push);
        return;
    }
    if (to.worker != tracker->worker->id) {
        send_over(tracker, push);
        return;
    }
    struct conn *conn = worker_conn(tracker->worker, to.client);
    if (conn)
        push_to(tracker->tracking, conn, push);
    else
        tell_broken(tracker);
}
