/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients that ask for more at once than there is memory for are slowed down
 * and get it all. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
// cmocka wants the above first
#include <cmocka.h>

#include "tests/still.h"

enum { CLIENTS = 50, REQUESTS = 100, VALUE = 10000, ROUNDS = 5 };

static void readers_are_slowed_down_and_not_closed(void **state)
{
    (void)state;
    static char value[VALUE], request[REQUESTS * 7 + 1];
    enum { REPLY = sizeof "$10000\r\n" - 1 + VALUE + 2 };
    struct live *live =
        live_start("--maxmemory", "64mb", "--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    memset(value, 'v', VALUE);
    freeReplyObject(redisCommand(redis, "SET k %b", value, (size_t)VALUE));
    for (int i = 0; i < REQUESTS; i++)
        memcpy(request + (size_t)i * 7, "GET k\r\n", 7);
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = live_socket(live);
    char *replies = malloc((size_t)REPLY * REQUESTS);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLIENTS; i++)
            assert_true(live_send(fds[i], request, (size_t)REQUESTS * 7));
        for (int i = 0; i < CLIENTS; i++)
            assert_int_equal(
                live_read(fds[i], replies, (size_t)REPLY * REQUESTS),
                (size_t)REPLY * REQUESTS);
    }
    assert_int_equal(live_info(redis, "ebb_client_closed_memory"), 0);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    free(replies);
    redisFree(redis);
    live_stop(live);
}

enum {
    CROWD = 250,
    CROWD_REQUESTS = 1000, /* as many as a turn has, and of little output */
    CROWD_ROUNDS = 5, /* until the loop asks for as many events at a time */
};

/* All of them send this while the server stands still, so that it finds them
 * all at once. */
static void send_at_once(struct live *live, const int *fds, const char *text,
                         size_t len)
{
    still_begin(live);
    for (int i = 0; i < CROWD; i++)
        assert_true(live_send(fds[i], text, len));
}

/* If every turn were a full one, all of the others' requests would be run
 * before the last client's.  To run three quarters of them, the server would
 * have to be done with all of them in two milliseconds. */
static void who_asks_for_little_does_not_wait_for_all_others(void **state)
{
    (void)state;
    static const char get[] = "GET k\r\n", reply[] = "$1\r\nv\r\n";
    enum { LEN = sizeof get - 1, REPLY = sizeof reply - 1 };
    static char request[CROWD_REQUESTS * LEN], replies[CROWD_REQUESTS * REPLY];
    static char expected[sizeof replies];
    struct live *live =
        live_start("--maxmemory", "256mb", "--maxmemory-clients", "100mb",
                   "--threads", "1", NULL);
    redisContext *redis = live_connect(live), *late = live_connect(live);
    freeReplyObject(redisCommand(redis, "SET k v"));
    freeReplyObject(redisCommand(late, "PING"));
    for (int i = 0; i < CROWD_REQUESTS; i++) {
        memcpy(request + (size_t)i * LEN, get, LEN);
        memcpy(expected + (size_t)i * REPLY, reply, REPLY);
    }
    int fds[CROWD];
    for (int i = 0; i < CROWD; i++)
        fds[i] = live_socket(live);
    for (int round = 0; round < CROWD_ROUNDS; round++) {
        send_at_once(live, fds, "PING\r\n", 6);
        still_end(live);
        for (int i = 0; i < CROWD; i++)
            assert_int_equal(live_read(fds[i], replies, 7), 7);
    }
    long long before = live_info(redis, "total_commands_processed");
    send_at_once(live, fds, request, sizeof request);
    redisAppendCommand(late, "INFO stats");
    int done = 0;
    redisBufferWrite(late, &done);
    still_end(live);
    redisReply *info;
    assert_int_equal(redisGetReply(late, (void **)&info), REDIS_OK);
    const char *field = "total_commands_processed:";
    long long run = atoll(strstr(info->str, field) + strlen(field)) - before;
    assert_in_range(run, CROWD / 2, CROWD * CROWD_REQUESTS / 4 * 3);
    freeReplyObject(info);
    /* And all get everything. */
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(live_read(fds[i], replies, sizeof replies),
                         sizeof replies);
        assert_memory_equal(replies, expected, sizeof replies);
        close(fds[i]);
    }
    redisFree(late);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_are_slowed_down_and_not_closed),
        cmocka_unit_test(who_asks_for_little_does_not_wait_for_all_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
