/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT NO-EVICT: when clients' buffers run out, somebody else gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live.h"
#include "tests/talk.h"

enum { MB = 1 << 20, LARGE = 2 * MB, SMALL = MB, SMALLS = 6 };

static char zeros[LARGE];

/* The pool is 12.8 MiB. */
static struct live *start(void)
{
    return live_start("--maxmemory", "256mb", "--threads", "1", NULL);
}

/* Sends a request of `len` bytes but for its last; what the server does not
 * read now is not sent. */
static size_t begin_request(int fd, size_t len)
{
    char head[64];
    int size = snprintf(head, sizeof head, "*2\r\n$4\r\nECHO\r\n$%zu\r\n", len);
    assert_true(live_send(fd, head, (size_t)size));
    size_t sent = 0;
    ssize_t n;
    while (sent < len - 1 &&
           (n = send(fd, zeros, len - 1 - sent, MSG_DONTWAIT)) > 0)
        sent += (size_t)n;
    return sent;
}

/* Others hold what they were let have, until a request of somebody's is given
 * up. */
static void crowd(struct live *live, redisContext *redis, int fds[SMALLS])
{
    for (int i = 0; i < SMALLS; i++) {
        fds[i] = live_socket(live);
        begin_request(fds[i], SMALL);
    }
    live_await_info(redis, "total_error_replies", 1, SMALLS + 1);
}

static void disperse(const int fds[SMALLS])
{
    for (int i = 0; i < SMALLS; i++)
        close(fds[i]);
}

static struct talk begin_large(struct live *live, redisContext *redis,
                               const char *wish, size_t *sent)
{
    struct talk talk = talk_open(live);
    talk_says(&talk, wish, "+OK");
    *sent = begin_request(talk.fd, LARGE);
    live_await_info(redis, "ebb_client_pool_used_bytes", (long long)*sent,
                    256 * MB);
    return talk;
}

static void who_asked_for_it_stays(void **state)
{
    (void)state;
    struct live *live = start();
    redisContext *redis = live_connect(live);
    int fds[SMALLS];
    size_t sent;
    struct talk talk = begin_large(live, redis, "CLIENT NO-EVICT ON", &sent);
    crowd(live, redis, fds);
    disperse(fds);
    /* A reply needs memory, too. */
    live_await_info(redis, "connected_clients", 2, 2);
    assert_true(live_send(talk.fd, zeros, LARGE - sent));
    assert_true(live_send(talk.fd, "\r\n", 2));
    struct resp *reply = resp_await(&talk.reader, talk.fd, 60000);
    assert_non_null(reply);
    assert_int_equal(reply->len, LARGE);
    resp_free(reply);
    talk_close(&talk);
    redisFree(redis);
    live_stop(live);
}

/* Without it the largest gives; so that the above shows something. */
static void who_took_it_back_gives_first(void **state)
{
    (void)state;
    struct live *live = start();
    redisContext *redis = live_connect(live);
    int fds[SMALLS];
    size_t sent;
    struct talk talk = begin_large(live, redis, "CLIENT NO-EVICT OFF", &sent);
    crowd(live, redis, fds);
    struct resp *reply = resp_await(&talk.reader, talk.fd, 60000);
    assert_non_null(reply);
    assert_int_equal(reply->kind, '-');
    resp_free(reply);
    talk_close(&talk);
    disperse(fds);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asked_for_it_stays),
        cmocka_unit_test(who_took_it_back_gives_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
