/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One look of a worker at many clients for whom there is not enough memory:
 * some have a transaction, others a request that has come in part.  Requests
 * are refused, clients may be closed; each of the others is answered to all
 * that it asks, and to nothing else.
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

#include "tests/resp_reader.h"
#include "tests/still.h"

enum { CLIENTS = 40, EACH = 5, QUEUED = 36, ROUNDS = 8, PATIENCE_MS = 60000 };

#define TELLS "SET b w*4000; GET b; MSET c w*4000 d w*4000 e w*4000 f w*4000"

struct client {
    int fd;
    char *bytes; /* of the second look, and how many */
    size_t len, half, replies;
};

static void begin(struct client *client, const struct live *live, bool queues)
{
    size_t len;
    client->fd = live_socket(live);
    char *bytes = still_requests(queues ? "MULTI" : "PING", &len);
    live_send(client->fd, bytes, len);
    free(bytes);
    for (int i = 0; queues && i < QUEUED; i++) {
        bytes = still_requests("SET a v*2000", &len);
        live_send(client->fd, bytes, len);
        free(bytes);
    }
    client->bytes = still_requests(
        queues ? "INCR n; EXEC; PING" : TELLS "; PING", &client->len);
    client->half = queues ? client->len : client->len - 2000;
    client->replies = queues ? 1 + QUEUED + 3 : 5;
}

/* False: it was closed. */
static bool is_answered(struct client *client)
{
    struct resp_reader reader = {0};
    struct resp *reply = NULL;
    size_t heard = 0;
    for (; heard < client->replies; heard++) {
        reply = resp_await(&reader, client->fd, PATIENCE_MS);
        if (!reply)
            break;
        if (reply->kind == '-' && strncmp(reply->text, "OOM", 3) != 0 &&
            strncmp(reply->text, "EXECABORT", 9) != 0)
            fail_msg("reply %zu: %s", heard, reply->text);
        if (heard + 1 == client->replies)
            assert_string_equal(reply->text, "PONG");
        resp_free(reply);
    }
    resp_release(&reader);
    return heard == client->replies;
}

static void play(const struct live *live, redisContext *boss, size_t *closed)
{
    struct client clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        begin(&clients[i], live, i % EACH == 0);
    live_int(boss, "DBSIZE");
    still_begin(live);
    for (int i = 0; i < CLIENTS; i++)
        live_send(clients[i].fd, clients[i].bytes, clients[i].half);
    still_end(live);
    live_int(boss, "DBSIZE");
    for (int i = 0; i < CLIENTS; i++) {
        struct client *client = &clients[i];
        live_send(client->fd, client->bytes + client->half,
                  client->len - client->half);
        if (!is_answered(client))
            ++*closed;
        close(client->fd);
        free(client->bytes);
    }
}

static void there_is_not_enough(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", "--maxmemory", "64mb",
                                   "--maxmemory-clients", "1mb", NULL);
    redisContext *boss = live_connect(live);
    size_t closed = 0;
    for (int round = 0; round < ROUNDS; round++)
        play(live, boss, &closed);
    print_message("closed %zu, OOM %lld\n", closed,
                  live_info(boss, "total_error_replies"));
    assert_true(closed < (size_t)CLIENTS * ROUNDS);
    assert_true(live_info(boss, "total_error_replies") > 0);
    redisFree(boss);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_is_not_enough)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
