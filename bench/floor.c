/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floor: a server that only moves bytes.  It parses nothing and stores
 * nothing: the second byte of a request tells GET from SET, their lengths are
 * known beforehand, and the answers are canned.  What it costs is what the
 * kernel takes for this traffic, whatever a server does with it.
 *
 * Long values that a server holds are not in the processor's caches when they
 * are asked for: with --values there are as many, which lie apart, and each
 * answer is one of them at random, sent by itself from where it lies.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/args.h"
#include "bench/keys.h"
#include "bench/loop.h"
#include "bench/wire.h"

enum { BUFFER = 1 << 20 };

struct floor {
    size_t get_len, set_len; /* of requests */
    char *value_replies;     /* to GET, one after the other */
    size_t value_reply_len;
    uint64_t values; /* how many; 0: one, which is copied */
    uint64_t random;
    char *in, *out;
};

struct link {
    struct loop_link base;
    bool began;  /* the first byte of a request was the last one read */
    size_t skip; /* bytes of a request still to come */
};

static const char set_reply[] = "+OK\r\n";

/* Hops from request to request; *out: where answers end that are to be sent
 * in one go. */
static bool answer(struct floor *floor, struct link *link, size_t len,
                   char **out)
{
    const char *in = floor->in, *end = in + len;
    while (in < end) {
        size_t left = (size_t)(end - in);
        if (link->skip > 0) {
            size_t step = link->skip < left ? link->skip : left;
            link->skip -= step;
            in += step;
            continue;
        }
        if (!link->began) {
            link->began = true;
            in++;
            continue;
        }
        bool get = *in++ == '2';
        link->began = false;
        link->skip = (get ? floor->get_len : floor->set_len) - 2;
        const char *reply = get ? floor->value_replies : set_reply;
        size_t reply_len = get ? floor->value_reply_len : sizeof set_reply - 1;
        if (get && floor->values > 0) {
            reply += keys_below(&floor->random, floor->values) * reply_len;
            if (!loop_send(&link->base, reply, reply_len))
                return false;
            continue;
        }
        memcpy(*out, reply, reply_len);
        *out += reply_len;
    }
    return true;
}

/* Answers are small beside socket buffers here, so they are sent in one go. */
static bool serve(struct loop_link *base, void *ctx)
{
    struct floor *floor = ctx;
    struct link *link = (struct link *)base;
    size_t replies = BUFFER / (floor->value_reply_len + sizeof set_reply);
    size_t most = link->skip + (replies > 0 ? replies : 1) * floor->get_len;
    ssize_t len = read(base->fd, floor->in, most < BUFFER ? most : BUFFER);
    if (len <= 0)
        return len < 0 && errno == EAGAIN;
    char *out = floor->out;
    return answer(floor, link, (size_t)len, &out) &&
           loop_send(base, floor->out, (size_t)(out - floor->out));
}

/* All replies, made one after the other. */
static void prepare(struct floor *floor, size_t value_bytes)
{
    char head[32];
    size_t head_len = (size_t)sprintf(head, "$%zu\r\n", value_bytes);
    uint64_t count = floor->values > 0 ? floor->values : 1;
    floor->value_reply_len = head_len + value_bytes + 2;
    floor->value_replies = malloc(count * floor->value_reply_len);
    if (floor->value_replies == NULL)
        abort();
    for (char *reply = floor->value_replies; count > 0; count--) {
        memcpy(reply, head, head_len);
        memset(reply + head_len, 'v', value_bytes);
        memcpy(reply + head_len + value_bytes, "\r\n", 2);
        reply += floor->value_reply_len;
    }
}

int main(int argc, char **argv)
{
    uint64_t port = 0, value_bytes = 100, values = 0;
    const struct args_row rows[] = {
        {"port", &port, NULL, "where to listen"},
        {"value", &value_bytes, NULL, "bytes of the value it answers"},
        {"values", &values, NULL, "different ones, sent uncopied; 0: one"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "floor: answers GET and SET without looking", argc, argv);

    args_within("port", port, 0, 65535);
    args_within("value", value_bytes, 0, WIRE_VALUE_MAX);
    args_within("values", values, 0, 1000000);

    struct wire wire;
    wire_init(&wire, WIRE_RESP, value_bytes, 0);
    struct floor floor = {.get_len = wire.get.len,
                          .set_len = wire.set.len,
                          .values = values,
                          .random = 1};
    prepare(&floor, value_bytes);
    floor.in = malloc(BUFFER);
    floor.out = malloc(2 * BUFFER);
    loop_run((int)port, sizeof(struct link), serve, &floor);
    perror("floor");
    return 1;
}
