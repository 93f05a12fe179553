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

#include "tests/live.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_are_slowed_down_and_not_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
