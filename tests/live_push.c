/* SPDX-License-Identifier: BSD-3-Clause */
/* What is pushed to clients: that all of it arrives where it is read.  Where it
 * is not: live_deaf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/loud.h"
#include "tests/sanitized.h"
#include "tests/talk.h"

enum { MB = 1 << 20 };

/* Faster than they can be brought: publishers wait, nothing is lost. */
static void publishers_that_hurry(void **state)
{
    (void)state;
    enum { MESSAGES = 5000, LEN = 1000, STEP = 5000, LISTENERS = 3 };
    struct live *live =
        live_start("--maxmemory", "1gb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    struct loud_listener listeners[LISTENERS];
    for (int i = 0; i < LISTENERS; i++)
        loud_listen(&listeners[i], live, MESSAGES);
    for (int i = 0; i < MESSAGES; i += STEP)
        loud_publish(redis, i, i + STEP, LEN);
    for (int i = 0; i < LISTENERS; i++)
        loud_end(&listeners[i]);
    if (!SANITIZED)
        assert_true(live_peak(live) <= 1024 * MB);
    redisFree(redis);
    live_stop(live);
}

/* More than a worker brings to at one time, of which some leave meanwhile. */
static void many_subscribers(void **state)
{
    enum { CLIENTS = 600 };
    static redisContext *clients[CLIENTS];
    redisContext *redis = live_connect(*state);
    redisReply *reply;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = live_connect(*state);
        loud_subscribe(clients[i], "loud");
    }
    for (int i = 0; i < 20; i++)
        redisAppendCommand(redis, "PUBLISH loud %08d", i);
    int done = 0;
    while (!done)
        assert_int_equal(redisBufferWrite(redis, &done), REDIS_OK);
    for (int i = 0; i < CLIENTS; i += 3)
        redisFree(clients[i]);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
        assert_in_range(reply->integer, CLIENTS / 3 * 2, CLIENTS);
        freeReplyObject(reply);
    }
    for (int i = 0; i < CLIENTS; i++) {
        if (i % 3 == 0)
            continue;
        for (int m = 0; m < 20; m++) {
            assert_int_equal(redisGetReply(clients[i], (void **)&reply),
                             REDIS_OK);
            assert_int_equal(atoi(reply->element[2]->str), m);
            freeReplyObject(reply);
        }
        redisFree(clients[i]);
    }
    redisFree(redis);
}

/* Replies that are made in slices, and values that are sent from where they
 * lie, have no message within. */
static void messages_keep_out_of_replies(void **state)
{
    enum { KEYS = 30000, ROUNDS = 30, LEN = 300000 };
    redisContext *redis = live_connect(*state);
    struct talk talk = talk_open(*state);
    char *value = calloc(1, LEN);
    talk_says(&talk, "HELLO 3", NULL);
    talk_says(&talk, "SUBSCRIBE loud",
              ">3\r\n$9\r\nsubscribe\r\n$4\r\nloud\r\n:1");
    for (int i = 0; i < KEYS; i++)
        redisAppendCommand(redis, "SET key:%d v", i);
    redisAppendCommand(redis, "SET long %b", value, (size_t)LEN);
    for (int i = 0; i <= KEYS; i++) {
        redisReply *reply;
        assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
        freeReplyObject(reply);
    }
    int messages = 0, replies = 0, published = 0;
    for (int round = 0; round < ROUNDS; round++) {
        static const char lines[] = "KEYS key:*\r\nGET long\r\nPING\r\n";
        assert_true(live_send(talk.fd, lines, sizeof lines - 1));
        loud_publish(redis, published, published + 20, 100);
        published += 20;
        for (int got = 0; got < 3;) {
            struct resp *reply = resp_await(&talk.reader, talk.fd, 60000);
            assert_non_null(reply);
            if (reply->kind == '>') {
                assert_int_equal(atoi(reply->items[2].text), messages++);
            } else {
                assert_true(got == 0   ? reply->count == KEYS
                            : got == 1 ? reply->len == LEN
                                       : resp_is(reply, '+', "PONG"));
                got++;
                replies++;
            }
            resp_free(reply);
        }
    }
    for (; messages < published; messages++) {
        struct resp *reply = resp_await(&talk.reader, talk.fd, 60000);
        assert_non_null(reply);
        assert_int_equal(atoi(reply->items[2].text), messages);
        resp_free(reply);
    }
    assert_int_equal(replies, 3 * ROUNDS);
    assert_string_equal(live_text(redis, "FLUSHALL"), "OK");
    talk_close(&talk);
    free(value);
    redisFree(redis);
}

/* One message of any length is brought to who reads; of two, the second one is
 * too much for who does not. */
static void messages_that_are_long(void **state)
{
    enum { LEN = 400000 }; /* of a pool of 3.2 MiB */
    redisContext *redis = live_connect(*state), *reader = live_connect(*state);
    redisReply *reply;
    loud_subscribe(reader, "loud");
    for (int i = 0; i < 5; i++) {
        loud_publish(redis, i, i + 1, LEN);
        assert_int_equal(redisGetReply(reader, (void **)&reply), REDIS_OK);
        assert_int_equal(reply->element[2]->len, LEN);
        freeReplyObject(reply);
    }
    redisFree(reader);
    redisFree(redis);
}

/* Half of the pool is there for connections: messages need not wait for what
 * never changes. */
static void connections_that_fill_the_pool(void **state)
{
    (void)state;
    enum { CLIENTS = 815, MESSAGES = 200 }; /* of 819 */
    struct live *live =
        live_start("--maxmemory", "64mb", "--maxmemory-clients", "1mb", NULL);
    static int idle[CLIENTS];
    redisContext *redis = live_connect(live);
    struct loud_listener listener;
    for (int i = 0; i < CLIENTS; i++)
        idle[i] = live_socket(live);
    live_await_info(redis, "connected_clients", CLIENTS + 1, CLIENTS + 1);
    loud_listen(&listener, live, MESSAGES);
    for (int i = 0; i < MESSAGES; i++)
        loud_publish(redis, i, i + 1, 1000);
    loud_end(&listener);
    for (int i = 0; i < CLIENTS; i++)
        close(idle[i]);
    redisFree(redis);
    live_stop(live);
}

/* Stops while messages are on their way. */
static void stopping_meanwhile(void **state)
{
    (void)state;
    struct live *live =
        live_start("--threads", "2", "--stop-timeout", "1", NULL);
    redisContext *redis = live_connect(live);
    int deaf[4];
    for (int i = 0; i < 4; i++)
        deaf[i] = loud_deaf(live, "loud");
    char message[1000];
    memset(message, 'm', sizeof message);
    for (int i = 0; i < 2000; i++)
        redisAppendCommand(redis, "PUBLISH loud %b", message, sizeof message);
    int done = 0;
    while (!done)
        assert_int_equal(redisBufferWrite(redis, &done), REDIS_OK);
    live_stop(live);
    for (int i = 0; i < 4; i++)
        close(deaf[i]);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publishers_that_hurry),
        cmocka_unit_test(many_subscribers),
        cmocka_unit_test(messages_keep_out_of_replies),
        cmocka_unit_test(messages_that_are_long),
        cmocka_unit_test(connections_that_fill_the_pool),
        cmocka_unit_test(stopping_meanwhile),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
