/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients that do not read what is pushed to them: that they cost others
 * nothing, and are those who go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/loud.h"
#include "tests/sanitized.h"

enum { MB = 1 << 20, MOST = 100000 }; /* messages until something happens */

static void open_deaf(const struct live *live, int *deaf, size_t count)
{
    for (size_t i = 0; i < count; i++)
        deaf[i] = loud_deaf(live, "loud");
}

/* The end of a server that has deaf clients. */
static void stop(struct live *live, redisContext *redis, const int *deaf,
                 size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(deaf[i]);
    redisFree(redis);
    live_stop(live);
}

/* Publishes until no more clients are subscribed than that. */
static void publish_until(redisContext *redis, size_t len, long long clients)
{
    for (int i = 0; live_info(redis, "pubsub_clients") > clients; i++) {
        loud_publish(redis, i, i + 1, len);
        assert_true(i < MOST);
    }
}

/* Many do not read: they are closed and counted, who reads gets everything in
 * order, nobody loses a key, and memory stays within the budget. */
static void subscribers_that_do_not_read(void **state)
{
    (void)state;
    enum { DEAF = 60, MESSAGES = 700, LEN = 4000, STEP = 50, KEYS = 1000 };
    struct live *live =
        live_start("--maxmemory", "256mb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    struct loud_listener listeners[3];
    int deaf[DEAF];
    for (int i = 0; i < KEYS; i++)
        freeReplyObject(redisCommand(redis, "SET k%d v", i));
    open_deaf(live, deaf, DEAF);
    for (int i = 0; i < 3; i++)
        loud_listen(&listeners[i], live, MESSAGES);
    live_peak_reset(live);
    for (int i = 0; i < MESSAGES; i += STEP) {
        loud_publish(redis, i, i + STEP, LEN);
        for (int k = 0; k < 3; k++)
            loud_await(&listeners[k], i + STEP);
    }
    for (int i = 0; i < 3; i++)
        loud_end(&listeners[i]);
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
    stop(live, redis, deaf, DEAF);
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
    open_deaf(live, deaf, DEAF);
    loud_subscribe(reader, "loud");
    for (int i = 0; i < MESSAGES; i++) {
        struct pollfd there = {.fd = reader->fd, .events = POLLIN};
        int turns = 0;
        loud_publish(redis, i, i + 1, LEN);
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
    redisFree(reader);
    redisFree(other);
    stop(live, redis, deaf, DEAF);
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
        LEN = 60000,
    };
    struct live *live =
        live_start("--maxmemory", "64mb", "--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    char id[32], little[LITTLE] = {0};
    int deaf[DEAF], quiet;
    snprintf(id, sizeof id, "%lld", live_int(redis, "CLIENT ID") + 1);
    quiet = loud_deaf(live, "quiet");
    for (int i = 0; live_unsent(redis, id) < BEHIND; i++) {
        assert_int_equal(
            live_int(redis, "PUBLISH quiet %b", little, (size_t)LITTLE), 1);
        assert_true(i < MOST);
    }
    open_deaf(live, deaf, DEAF);
    publish_until(redis, LEN, 1);
    assert_int_equal(live_int(redis, "PUBLISH quiet x"), 1);
    close(quiet);
    stop(live, redis, deaf, DEAF);
}

/* Of those who do not read, one that asked not to be evicted goes last. */
static void who_asked_not_to_be_evicted(void **state)
{
    (void)state;
    enum { DEAF = 20, LEN = 4000 };
    static const char wish[] = "CLIENT NO-EVICT ON\r\nSUBSCRIBE loud\r\n";
    struct live *live =
        live_start("--maxmemory", "64mb", "--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    int deaf[DEAF];
    char id[32], ok[5];
    snprintf(id, sizeof id, "%lld", live_int(redis, "CLIENT ID") + DEAF + 1);
    open_deaf(live, deaf, DEAF);
    /* Who comes last is told first, and so is the first to stand still. */
    int last = live_narrow_socket(live);
    assert_true(live_send(last, wish, sizeof wish - 1));
    assert_int_equal(live_read(last, ok, sizeof ok), sizeof ok);
    live_await_info(redis, "pubsub_clients", DEAF + 1, DEAF + 1);
    publish_until(redis, LEN, 1);
    assert_non_null(strstr(live_text(redis, "CLIENT LIST ID %s", id), "sub=1"));
    publish_until(redis, LEN, 0);
    close(last);
    stop(live, redis, deaf, DEAF);
}

/* Those of another worker who do not read, and are told nothing more, go for
 * what is pushed on this one, after half a second.  Ten of this worker's own go
 * meanwhile; two thousand would before the others do by chance. */
static void those_of_another_worker(void **state)
{
    (void)state;
    enum { DEAF = 20, LITTLE = 4000, LEN = 60000, GONE_MOST = 1000 };
    struct live *live =
        live_start("--maxmemory", "64mb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    int deaf[DEAF], between[DEAF], gone = 0;
    for (int i = 0; i < DEAF; i++) {
        deaf[i] = loud_deaf(live, "loud");
        between[i] = live_socket(live);
    }
    publish_until(redis, LITTLE, DEAF - 1);
    long long left = live_info(redis, "pubsub_clients");
    assert_true(left > DEAF / 2);
    /* Their worker has most clients now: others come to the other one. */
    for (int i = 0; i < DEAF; i++)
        close(between[i]);
    live_await_info(redis, "connected_clients", 0, DEAF + 1);
    char *message = calloc(1, LEN);
    int fd = loud_deaf(live, "new");
    for (int i = 0; live_info(redis, "pubsub_clients") > left / 2; i++) {
        if (live_int(redis, "PUBLISH new %b", message, (size_t)LEN) == 0) {
            close(fd);
            fd = loud_deaf(live, "new");
            assert_true(++gone < GONE_MOST);
        }
        assert_true(i < MOST);
    }
    free(message);
    close(fd);
    stop(live, redis, deaf, DEAF);
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
    open_deaf(live, deaf, DEAF);
    for (int i = 0; i < MESSAGES; i++)
        freeReplyObject(
            redisCommand(redis, "PUBLISH loud %b", value, (size_t)LEN));
    live_await_info(redis, "ebb_client_push_bytes", 0, 0);
    for (int i = 0; i < WAITING; i++)
        redisFree(waiting[i]);
    free(value);
    stop(live, redis, deaf, DEAF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subscribers_that_do_not_read),
        cmocka_unit_test(nobody_waits),
        cmocka_unit_test(who_is_behind_by_little),
        cmocka_unit_test(who_asked_not_to_be_evicted),
        cmocka_unit_test(those_of_another_worker),
        cmocka_unit_test(transactions_that_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
