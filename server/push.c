/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes that several clients share, on their way between threads. */

#include "push.h"

#include <stdlib.h>
#include <string.h>

#include "platform.h"
#include "pool.h"
#include "protocol/text.h"
#include "server.h"
#include "worker.h"

void push_account(struct server *server, ptrdiff_t bytes)
{
    if (bytes > 0)
        pool_charge(server->pool, (size_t)bytes);
    else
        pool_give(server->pool, (size_t)-bytes);
    atomic_fetch_add_explicit(&server->push_bytes, (size_t)bytes,
                              memory_order_relaxed);
}

void push_work(struct server *server, ptrdiff_t bytes)
{
    atomic_fetch_add_explicit(&server->push_work, (size_t)bytes,
                              memory_order_relaxed);
}

bool push_crowded(const struct server *server)
{
    size_t share = pool_limit(server->pool) / 8;
    if (atomic_load_explicit(&server->push_work, memory_order_relaxed) >
        PUSH_WORK)
        return true;
    return atomic_load_explicit(&server->push_bytes, memory_order_relaxed) >
           (share < PUSH_CROWD ? share : PUSH_CROWD);
}

static size_t size_of(size_t len)
{
    return sizeof(struct push) + len;
}

struct push *push_new(struct server *server, size_t len)
{
    size_t size = size_of(len);
    if (!pool_demand(server->pool, size))
        return NULL;
    struct push *push = malloc(size);
    if (!push) {
        pool_give(server->pool, size);
        return NULL;
    }
    push->server = server;
    push->len = len;
    atomic_init(&push->refs, 1);
    atomic_fetch_add_explicit(&server->push_bytes, size, memory_order_relaxed);
    return push;
}

void push_ref(struct push *push)
{
    atomic_fetch_add_explicit(&push->refs, 1, memory_order_relaxed);
}

void push_unref(struct push *push)
{
    if (!push ||
        atomic_fetch_sub_explicit(&push->refs, 1, memory_order_acq_rel) != 1)
        return;
    push_account(push->server, -(ptrdiff_t)size_of(push->len));
    free(push);
}

/* ------------------------------------------------------------------ bytes */

size_t push_header_size(size_t number)
{
    return 1 + text_digits(number) + 2;
}

char *push_put_header(char *to, char type, size_t number)
{
    size_t digits = text_digits(number);
    *to++ = type;
    text_put_digits(to, number, digits);
    memcpy(to + digits, "\r\n", 2);
    return to + digits + 2;
}

size_t push_bulk_size(size_t len)
{
    return push_header_size(len) + len + 2;
}

char *push_put_bulk(char *to, const char *bytes, size_t len)
{
    to = push_put_header(to, '$', len);
    if (len > 0)
        memcpy(to, bytes, len);
    memcpy(to + len, "\r\n", 2);
    return to + len + 2;
}
