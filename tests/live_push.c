/* SPDX-License-Identifier: BSD-3-Clause */
/* What is pushed to clients: that all of it arrives where it is read, and that
 * it stays within memory where it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live.h"
#include "tests/sanitized.h"
#include "tests/talk.h"

enum { MB = 1 << 20 };

static void subscribe(redisContext *redis, const char *channel)
{
    redisReply *reply = redisCommand(redis, "SUBSCRIBE %s", channel);
    assert_string_equal(reply->element[0]->str, "subscribe");
    freeReplyObject(reply);
}

/* A socket that has subscribed and never reads again, with little room for
 * what it does not read. */
static int deaf_subscriber(const struct live *live, const char *channel)
{
    int fd = live_socket(live), small = 4096;
    char line[64], reply[64];
    int len = snprintf(line, sizeof line, "SUBSCRIBE %s\r\n", channel);
    size_t expected = strlen("*3\r\n$9\r\nsubscribe\r\n$4\r\n\r\n:1\r\n");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_true(live_send(fd, line, (size_t)len));
    expected += strlen(channel);
    assert_true(live_read(fd, reply, expected) == expected);
    return fd;
}

static void publish(redisContext *redis, int from, int to, size_t len)
{
    char *message = malloc(len);
    redisReply *reply;
    memset(message, 'm', len);
    for (int i = from; i < to; i++) {
        char number[16];
        int digits = snprintf(number, sizeof number, "%08d", i);
        memcpy(message, number, (size_t)digits);
        redisAppendCommand(redis, "PUBLISH loud %b", message, len);
    }
    for (int i = from; i < to; i++) {
        assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
        assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
        freeReplyObject(reply);
    }
    free(message);
}

struct listener {
    pthread_t thread;
    redisContext *redis;
    int count;
    int heard; /* messages, in order */
};

static void *listen_to_all(void *ctx)
{
    struct listener *listener = ctx;
    redisReply *reply;
    while (listener->heard < listener->count &&
           redisGetReply(listener->redis, (void **)&reply) == REDIS_OK) {
        bool next = atoi(reply->element[2]->str) == listener->heard;
        freeReplyObject(reply);
        if (!next)
            break;
        listener->heard++;
    }
    if (listener->heard < listener->count)
        printf("heard %d: %s\n", listener->heard, listener->redis->errstr);
    return NULL;
}

static void start_listening(struct listener *listener, const struct live *live,
                            int count)
{
    *listener = (struct listener){.redis = live_connect(live), .count = count};
    subscribe(listener->redis, "loud");
    pthread_create(&listener->thread, NULL, listen_to_all, listener);
}

static void stop_listening(struct listener *listener)
{
    pthread_join(listener->thread, NULL);
    assert_int_equal(listener->heard, listener->count);
    redisFree(listener->redis);
}

/* Many do not read: they are closed and counted, who reads gets everything in
 * order, nobody loses a key, and memory stays within the budget.  What one gets
 * in all is less than its share, so that it may be slow. */
static void subscribers_that_do_not_read(void **state)
{
    (void)state;
    enum { DEAF = 60, MESSAGES = 700, LEN = 4000, STEP = 50, KEYS = 1000 };
    struct live *live =
        live_start("--maxmemory", "256mb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    struct listener listeners[3];
    int deaf[DEAF];
    for (int i = 0; i < KEYS; i++)
        freeReplyObject(redisCommand(redis, "SET k%d v", i));
    for (int i = 0; i < DEAF; i++)
        deaf[i] = deaf_subscriber(live, "loud");
    for (int i = 0; i < 3; i++)
        start_listening(&listeners[i], live, MESSAGES);
    live_peak_reset(live);
    for (int i = 0; i < MESSAGES; i += STEP)
        publish(redis, i, i + STEP, LEN);
    for (int i = 0; i < 3; i++)
        stop_listening(&listeners[i]);
    live_await_info(redis, "ebb_client_push_bytes", 0, 0);
    live_await_info(redis, "pubsub_clients", 0, DEAF / 2);
    /* Counted when that is decided, gone a little later. */
    while (live_info(redis, "ebb_client_closed_output") +
               live_info(redis, "ebb_client_closed_memory") +
               live_info(redis, "pubsub_clients") !=
           DEAF)
        ;
    assert_int_equal(live_int(redis, "DBSIZE"), KEYS);
    if (!SANITIZED)
        assert_true(live_peak(live) <= 256 * MB);
    for (int i = 0; i < DEAF; i++)
        close(deaf[i]);
    redisFree(redis);
    live_stop(live);
}

/* Faster than they can be brought: publishers wait, nothing is lost. */
static void publishers_that_hurry(void **state)
{
    (void)state;
    enum { MESSAGES = 5000, LEN = 1000, STEP = 5000, LISTENERS = 3 };
    struct live *live =
        live_start("--maxmemory", "1gb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    struct listener listeners[LISTENERS];
    for (int i = 0; i < LISTENERS; i++)
        start_listening(&listeners[i], live, MESSAGES);
    for (int i = 0; i < MESSAGES; i += STEP)
        publish(redis, i, i + STEP, LEN);
    for (int i = 0; i < LISTENERS; i++)
        stop_listening(&listeners[i]);
    if (!SANITIZED)
        assert_true(live_peak(live) <= 1024 * MB);
    redisFree(redis);
    live_stop(live);
}

/* Nobody waits for who does not read: a message comes to who does within some
 * turns of another client, which shares the only worker. */
static void nobody_waits(void **state)
{
    (void)state;
    enum { DEAF = 20, MESSAGES = 60, LEN = 60000, TURNS_MOST = 500 };
    struct live *live =
        live_start("--maxmemory", "64mb", "--threads", "1", NULL);
    redisContext *redis = live_connect(live), *other = live_connect(live);
    redisContext *reader = live_connect(live);
    redisReply *reply;
    int deaf[DEAF];
    for (int i = 0; i < DEAF; i++)
        deaf[i] = deaf_subscriber(live, "loud");
    subscribe(reader, "loud");
    for (int i = 0; i < MESSAGES; i++) {
        struct pollfd there = {.fd = reader->fd, .events = POLLIN};
        int turns = 0;
        publish(redis, i, i + 1, LEN);
        while (poll(&there, 1, 0) == 0) {
            freeReplyObject(redisCommand(other, "GET k"));
            assert_in_range(++turns, 1, TURNS_MOST);
        }
        assert_int_equal(redisGetReply(reader, (void **)&reply), REDIS_OK);
        assert_int_equal(atoi(reply->element[2]->str), i);
        freeReplyObject(reply);
    }
    assert_int_equal(live_info(redis, "ebb_client_closed_output") +
                         live_info(redis, "ebb_client_closed_memory"),
                     DEAF);
    assert_int_equal(live_info(redis, "pubsub_clients"), 1);
    for (int i = 0; i < DEAF; i++)
        close(deaf[i]);
    redisFree(reader);
    redisFree(other);
    redisFree(redis);
    live_stop(live);
}

/* Bytes that the only client of that channel has not read, beside what the
 * system keeps. */
static long long unsent_of(redisContext *redis, const char *id)
{
    const char *line = live_text(redis, "CLIENT LIST ID %s", id);
    const char *at = strstr(line, " omem=");
    return at ? atoll(at + strlen(" omem=")) : -1;
}

/* Who is behind by less than its share stays, even if nobody has stood still
 * for longer. */
static void who_is_behind_by_little(void **state)
{
    (void)state;
    enum {
        DEAF = 20,
        LITTLE = 500,
        BEHIND = 8000, /* of a share of some 19000 */
        MOST = 100000,
        LEN = 60000,
    };
    struct live *live =
        live_start("--maxmemory", "64mb", "--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    char id[32], little[LITTLE] = {0};
    int deaf[DEAF], quiet;
    snprintf(id, sizeof id, "%lld", live_int(redis, "CLIENT ID") + 1);
    quiet = deaf_subscriber(live, "quiet");
    for (int i = 0; unsent_of(redis, id) < BEHIND; i++) {
        assert_int_equal(
            live_int(redis, "PUBLISH quiet %b", little, (size_t)LITTLE), 1);
        assert_true(i < MOST);
    }
    for (int i = 0; i < DEAF; i++)
        deaf[i] = deaf_subscriber(live, "loud");
    for (int i = 0; live_info(redis, "pubsub_clients") > 1; i++) {
        publish(redis, i, i + 1, LEN);
        assert_true(i < MOST);
    }
    assert_int_equal(live_int(redis, "PUBLISH quiet x"), 1);
    for (int i = 0; i < DEAF; i++)
        close(deaf[i]);
    close(quiet);
    redisFree(redis);
    live_stop(live);
}

/* Those of another worker who do not read, and are told nothing more, go for
 * what is pushed on this one. */
static void those_of_another_worker(void **state)
{
    (void)state;
    enum { DEAF = 20, MOST = 100000, LITTLE = 4000, LEN = 60000 };
    struct live *live =
        live_start("--maxmemory", "64mb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    int deaf[DEAF], between[DEAF];
    for (int i = 0; i < DEAF; i++) {
        deaf[i] = deaf_subscriber(live, "loud");
        between[i] = live_socket(live);
    }
    for (int i = 0; live_info(redis, "pubsub_clients") == DEAF; i++) {
        publish(redis, i, i + 1, LITTLE);
        assert_true(i < MOST);
    }
    long long left = live_info(redis, "pubsub_clients");
    assert_true(left > DEAF / 2);
    /* Their worker has most clients now: others come to the other one. */
    for (int i = 0; i < DEAF; i++)
        close(between[i]);
    live_await_info(redis, "connected_clients", 0, DEAF + 1);
    char *message = calloc(1, LEN);
    int fd = deaf_subscriber(live, "new");
    for (int i = 0; live_info(redis, "pubsub_clients") > left / 2; i++) {
        if (live_int(redis, "PUBLISH new %b", message, (size_t)LEN) == 0) {
            close(fd);
            fd = deaf_subscriber(live, "new");
        }
        assert_true(i < MOST);
    }
    free(message);
    close(fd);
    for (int i = 0; i < DEAF; i++)
        close(deaf[i]);
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
        subscribe(clients[i], "loud");
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
    resp_free(talk_ask(&talk, "HELLO 3"));
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
        publish(redis, published, published + 20, 100);
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
    subscribe(reader, "loud");
    for (int i = 0; i < 5; i++) {
        publish(redis, i, i + 1, LEN);
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
    struct listener listener;
    for (int i = 0; i < CLIENTS; i++)
        idle[i] = live_socket(live);
    live_await_info(redis, "connected_clients", CLIENTS + 1, CLIENTS + 1);
    start_listening(&listener, live, MESSAGES);
    for (int i = 0; i < MESSAGES; i++)
        publish(redis, i, i + 1, 1000);
    stop_listening(&listener);
    for (int i = 0; i < CLIENTS; i++)
        close(idle[i]);
    redisFree(redis);
    live_stop(live);
}

/* Clients between MULTI and EXEC hold memory without a turn: they are looked
 * at with the others when messages need room, and may be those who go. */
static void transactions_that_wait(void **state)
{
    (void)state;
    enum { WAITING = 8, QUEUED = 100, DEAF = 20, MESSAGES = 400, LEN = 4000 };
    struct live *live = live_start("--maxmemory", "64mb", "--maxmemory-clients",
                                   "8mb", "--threads", "1", NULL);
    redisContext *redis = live_connect(live), *waiting[WAITING];
    char *value = calloc(1, LEN);
    int deaf[DEAF];
    for (int i = 0; i < WAITING; i++) {
        waiting[i] = live_connect(live);
        freeReplyObject(redisCommand(waiting[i], "MULTI"));
        for (int n = 0; n < QUEUED; n++)
            freeReplyObject(
                redisCommand(waiting[i], "SET k %b", value, (size_t)LEN));
    }
    for (int i = 0; i < DEAF; i++)
        deaf[i] = deaf_subscriber(live, "loud");
    for (int i = 0; i < MESSAGES; i++)
        freeReplyObject(
            redisCommand(redis, "PUBLISH loud %b", value, (size_t)LEN));
    live_await_info(redis, "ebb_client_push_bytes", 0, 0);
    for (int i = 0; i < DEAF; i++)
        close(deaf[i]);
    for (int i = 0; i < WAITING; i++)
        redisFree(waiting[i]);
    free(value);
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
        deaf[i] = deaf_subscriber(live, "loud");
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
        cmocka_unit_test(subscribers_that_do_not_read),
        cmocka_unit_test(publishers_that_hurry),
        cmocka_unit_test(nobody_waits),
        cmocka_unit_test(who_is_behind_by_little),
        cmocka_unit_test(those_of_another_worker),
        cmocka_unit_test(many_subscribers),
        cmocka_unit_test(messages_keep_out_of_replies),
        cmocka_unit_test(messages_that_are_long),
        cmocka_unit_test(connections_that_fill_the_pool),
        cmocka_unit_test(transactions_that_wait),
        cmocka_unit_test(stopping_meanwhile),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
