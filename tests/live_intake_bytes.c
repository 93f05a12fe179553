/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many clients' pipelines at one look of one worker, by the byte: of every
 * length around that of the read buffer, cut anywhere, at random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/rng.h"
#include "tests/still.h"

enum { MOST = 48, BUFFER = 65536, TEXT = 8192 };

/* One client: what it sends, and what it must hear. */
struct stream {
    int fd;
    char *bytes, *replies;
    size_t len, sent, replies_len;
};

static struct stream streams[MOST];

static void append(char **to, size_t *len, const void *bytes, size_t more)
{
    *to = realloc(*to, *len + more + 1);
    assert_non_null(*to);
    memcpy(*to + *len, bytes, more);
    *len += more;
}

static void add(struct stream *stream, const char *requests)
{
    size_t len;
    char *bytes = still_requests(requests, &len);
    append(&stream->bytes, &stream->len, bytes, len);
    free(bytes);
}

static void hears(struct stream *stream, const char *reply)
{
    append(&stream->replies, &stream->replies_len, reply, strlen(reply));
}

static void send_some(struct stream *stream, size_t len)
{
    if (len > stream->len - stream->sent)
        len = stream->len - stream->sent;
    assert_true(live_send(stream->fd, stream->bytes + stream->sent, len));
    stream->sent += len;
}

static void open_streams(const struct live *live, size_t count)
{
    for (size_t i = 0; i < count; i++)
        streams[i] = (struct stream){.fd = live_socket(live)};
}

static void check(const struct stream *stream)
{
    char *heard = malloc(stream->replies_len + 1);
    assert_non_null(heard);
    size_t len = live_read(stream->fd, heard, stream->replies_len);
    size_t same = 0;
    while (same < len && heard[same] == stream->replies[same])
        same++;
    if (same < stream->replies_len) {
        size_t from = same < 100 ? 0 : same - 100;
        print_error("client %td, at %zu of %zu:\nexpected %.200s\ngot      "
                    "%.*s\n",
                    stream - streams, same, stream->replies_len,
                    stream->replies + from,
                    (int)(len - from < 200 ? len - from : 200), heard + from);
        fail();
    }
    free(heard);
}

/* They are answered what they must be, and no more than that. */
static void close_streams(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct stream *stream = &streams[i];
        stream->replies = realloc(stream->replies, stream->replies_len + 1);
        stream->replies[stream->replies_len] = '\0';
        check(stream);
        stream->sent = stream->len;
        stream->replies_len = 0;
        add(stream, "PING");
        send_some(stream, SIZE_MAX);
        hears(stream, "+PONG\r\n");
        check(stream);
        close(stream->fd);
        free(stream->bytes);
        free(stream->replies);
    }
}

/* -------------------------------------------------------------- pipelines */

static void forty_pipelines(void **state)
{
    enum { CLIENTS = 40, EACH = 60 };
    open_streams(*state, CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        for (int k = 0; k < EACH; k++) {
            char text[TEXT];
            snprintf(text, sizeof text,
                     "SET k%d:%d v%d; GET k%d:%d; INCR n%d; GET none%d", i, k,
                     i * k, i, k, i, k);
            add(&streams[i], text);
            int digits = snprintf(text, sizeof text, "v%d", i * k);
            snprintf(text, sizeof text, "+OK\r\n$%d\r\nv%d\r\n:%d\r\n$-1\r\n",
                     digits, i * k, k + 1);
            hears(&streams[i], text);
        }
    }
    /* One request of each at a look, then all that are left. */
    for (int look = 0; look < 4; look++) {
        still_begin(*state);
        for (int i = 0; i < CLIENTS; i++)
            send_some(&streams[i], look < 3 ? 31 : SIZE_MAX);
        still_end(*state);
    }
    close_streams(CLIENTS);
}

/* ---------------------------------------------------------------- lengths */

/* Echoes of exactly that many bytes; the rest are requests of nothing. */
static void fill(struct stream *stream, struct rng *rng, size_t len)
{
    char text[64];
    for (;;) {
        size_t most = rng_chance(rng, 100) ? 9000 : 60;
        size_t echo = 3 + rng_below(rng, most);
        size_t head = (size_t)snprintf(text, sizeof text,
                                       "*2\r\n$4\r\nECHO\r\n$%zu\r\n", echo);
        if (stream->len + head + echo + 2 > len)
            break;
        snprintf(text, sizeof text, "ECHO %c*%zu", 'a' + (int)(echo % 26),
                 echo);
        add(stream, text);
        snprintf(text, sizeof text, "$%zu\r\n", echo);
        hears(stream, text);
        append(&stream->replies, &stream->replies_len,
               stream->bytes + stream->len - echo - 2, echo + 2);
    }
    while (stream->len + 4 <= len && rng_chance(rng, 900))
        append(&stream->bytes, &stream->len, "*0\r\n", 4);
    while (stream->len < len)
        append(&stream->bytes, &stream->len, "\n", 1);
}

static void lengths_around_the_buffers(void **state)
{
    static const size_t lens[][5] = {
        {16384, 16384, 16384, 16384}, {16384, 16384, 16384, 16385, 16384},
        {49151, 16384, 16385},        {49152, 16384, 16384},
        {49153, 16384, 100},          {BUFFER},
        {BUFFER - 1, 14, 14},         {BUFFER + 1, 14, 14},
        {1000, BUFFER, 1000, BUFFER}, {1000, 71680, 14, 1000},
        {3 * BUFFER, 14, 2 * BUFFER}, {14, 300000, 14, 300000, 14},
    };
    struct rng rng = {test_seed()};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        size_t count = 0;
        while (count < 5 && lens[i][count])
            count++;
        open_streams(*state, count);
        for (size_t k = 0; k < count; k++)
            fill(&streams[k], &rng, lens[i][k]);
        still_begin(*state);
        for (size_t k = 0; k < count; k++)
            send_some(&streams[k], SIZE_MAX);
        still_end(*state);
        close_streams(count);
    }
}

/* ---------------------------------------------------------------- replies */

/* Short requests whose replies are about as long as what is put aside of one
 * client, and together longer than what is of all. */
static void replies_around_their_room(void **state)
{
    enum { CLIENTS = 12, ROOM = 16384, VALUE = 4000, REPLY = VALUE + 9 };
    char text[64], value[VALUE];
    memset(value, 'v', VALUE);
    open_streams(*state, CLIENTS);
    snprintf(text, sizeof text, "SET value v*%d", VALUE);
    add(&streams[0], text);
    hears(&streams[0], "+OK\r\n");
    send_some(&streams[0], SIZE_MAX);
    check(&streams[0]);
    streams[0].len = streams[0].sent = streams[0].replies_len = 0;
    for (int i = 0; i < CLIENTS; i++) {
        struct stream *stream = &streams[i];
        int left = ROOM - 1 + i % 3;
        for (; left >= REPLY; left -= REPLY) {
            add(stream, "GET value");
            hears(stream, "$4000\r\n");
            append(&stream->replies, &stream->replies_len, value, VALUE);
            hears(stream, "\r\n");
        }
        int echo = left - 8; /* of three digits */
        snprintf(text, sizeof text, "ECHO e*%d", echo);
        add(stream, text);
        snprintf(text, sizeof text, "$%d\r\n", echo);
        hears(stream, text);
        for (int k = 0; k < echo; k++)
            hears(stream, "e");
        hears(stream, "\r\n");
    }
    still_begin(*state);
    for (int i = 0; i < CLIENTS; i++)
        send_some(&streams[i], SIZE_MAX);
    still_end(*state);
    close_streams(CLIENTS);
}

/* ------------------------------------------------------------ long values */

static void a_long_value_cut_anywhere(void **state)
{
    enum { CLIENTS = 3, LONG = 100000, CUTS = 160 };
    struct rng rng = {test_seed()};
    for (size_t i = 0; i < CUTS; i++) {
        open_streams(*state, CLIENTS);
        for (int k = 0; k < CLIENTS; k++) {
            add(&streams[k],
                "SET a 1; SET b v*100000; STRLEN b; SET c w*5000; GETRANGE c "
                "4998 9999; MGET a a");
            hears(&streams[k], "+OK\r\n+OK\r\n:100000\r\n+OK\r\n$2\r\nww\r\n"
                               "*2\r\n$1\r\n1\r\n$1\r\n1\r\n");
        }
        /* The heads byte by byte, the rest anywhere; the others are cut
         * elsewhere. */
        size_t cut = i < 100 ? i : rng_below(&rng, streams[0].len);
        for (int look = 0; look < 3; look++) {
            still_begin(*state);
            send_some(&streams[0], look == 0 ? cut : SIZE_MAX);
            send_some(&streams[1], look == 1 ? SIZE_MAX : 1 + cut % 90);
            send_some(&streams[2], look == 2 ? SIZE_MAX : BUFFER - 5 + i % 10);
            still_end(*state);
        }
        close_streams(CLIENTS);
    }
}

/* ----------------------------------------------------------------- random */

static const char *const vocabulary[] = {
    "GET k1",
    "GET k2",
    "SET k1 a",
    "SET k2 b*300",
    "SET k2 c*9000",
    "SET k3 d*20000",
    "STRLEN k3",
    "GETRANGE k3 5 9",
    "INCR n",
    "APPEND k1 x",
    "SETRANGE k2 4000 yyyyy",
    "DEL k1 k2",
    "MSET k1 1 k2 z*5000 k4 4",
    "MGET k1 k4 none",
    "KEYS k1",
    "DBSIZE",
    "EXISTS k1 k2 k3",
    "GETDEL k4",
    "TYPE k1",
    "PING",
    "ECHO e*100",
    "NOSUCH a b",
    "GET",
    "MULTI",
    "EXEC",
    "EXEC",
    "DISCARD",
    "WATCH k1",
    "CLIENT REPLY SKIP",
    "CLIENT REPLY OFF; INCR n; KEYS k2; CLIENT REPLY ON",
    "CLIENT KILL ID 999999999",
    "DEBUG SLEEP 0.001",
    "SCAN 0 MATCH none COUNT 100000",
};

enum { WORDS = sizeof vocabulary / sizeof *vocabulary };

static void write_stream(struct stream *stream, struct rng *rng)
{
    size_t count = 1 + rng_skewed(rng, 100);
    for (size_t i = 0; i < count; i++) {
        const char *text = vocabulary[rng_below(rng, WORDS)];
        if (rng_chance(rng, 900) || strpbrk(text, "*;")) {
            add(stream, text);
            continue;
        }
        append(&stream->bytes, &stream->len, text, strlen(text));
        append(&stream->bytes, &stream->len, "\r\n", 2);
    }
    add(stream, "CLIENT REPLY ON; DISCARD; ECHO over");
}

/* What one client alone hears to it, a few bytes at a time. */
static void learn(const struct live *live, struct stream *stream, unsigned db)
{
    static const char over[] = "$4\r\nover\r\n";
    struct stream alone = {.fd = live_socket(live)};
    char text[32];
    snprintf(text, sizeof text, "SELECT %u; FLUSHDB", db);
    add(&alone, text);
    append(&alone.bytes, &alone.len, stream->bytes, stream->len);
    while (alone.sent < alone.len)
        send_some(&alone, alone.sent % 50 ? 50 - alone.sent % 50 : 7);
    while (stream->replies_len < sizeof over - 1 ||
           memcmp(stream->replies + stream->replies_len - (sizeof over - 1),
                  over, sizeof over - 1) != 0) {
        char byte;
        assert_int_equal(live_read(alone.fd, &byte, 1), 1);
        append(&stream->replies, &stream->replies_len, &byte, 1);
    }
    close(alone.fd);
    free(alone.bytes);
}

static void at_random(void **state)
{
    enum { CLIENTS = 7, ROUNDS = 40 };
    struct rng rng = {test_seed()};
    redisContext *boss = live_connect(*state);
    for (size_t rounds = test_number("ROUNDS", ROUNDS); rounds > 0; rounds--) {
        open_streams(*state, CLIENTS);
        size_t left = 0;
        for (unsigned i = 0; i < CLIENTS; i++) {
            char text[32];
            write_stream(&streams[i], &rng);
            learn(*state, &streams[i], 8 + i);
            struct stream with = {.fd = streams[i].fd,
                                  .replies = streams[i].replies,
                                  .replies_len = streams[i].replies_len};
            snprintf(text, sizeof text, "SELECT %u; FLUSHDB", 1 + i);
            add(&with, text);
            append(&with.bytes, &with.len, streams[i].bytes, streams[i].len);
            free(streams[i].bytes);
            streams[i] = with;
            left += with.len;
        }
        while (left > 0) {
            bool pause = rng_chance(&rng, 200);
            if (pause)
                live_text(boss, "CLIENT PAUSE 60000 WRITE");
            still_begin(*state);
            left = 0;
            for (unsigned i = 0; i < CLIENTS; i++) {
                if (rng_chance(&rng, 900))
                    send_some(&streams[i], rng_skewed(&rng, 100000));
                left += streams[i].len - streams[i].sent;
            }
            still_end(*state);
            if (pause)
                live_text(boss, "CLIENT UNPAUSE");
        }
        close_streams(CLIENTS);
    }
    redisFree(boss);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forty_pipelines),
        cmocka_unit_test(lengths_around_the_buffers),
        cmocka_unit_test(replies_around_their_room),
        cmocka_unit_test(a_long_value_cut_anywhere),
        cmocka_unit_test(at_random),
    };
    return cmocka_run_group_tests(tests, live_setup_debug, live_teardown);
}
