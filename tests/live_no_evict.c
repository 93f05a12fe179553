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

static void send_head(int fd, size_t len)
{
    char head[64];
    int size = snprintf(head, sizeof head, "*2\r\n$4\r\nECHO\r\n$%zu\r\n", len);
    assert_true(live_send(fd, head, (size_t)size));
}

/* More of its value, but for the last byte; what the server does not read now
 * is not sent. */
static void send_some(int fd, size_t *sent)
{
    ssize_t n = send(fd, zeros, SMALL - 1 - *sent, MSG_DONTWAIT);
    *sent += n > 0 ? (size_t)n : 0;
}

/* Others hold what they were let have, until a request of somebody's is given
 * up. */
static void crowd(struct live *live, redisContext *redis, int fds[SMALLS])
{
    enum { TURNS = 100000 };
    size_t sent[SMALLS] = {0};
    for (int i = 0; i < SMALLS; i++) {
        fds[i] = live_socket(live);
        send_head(fds[i], SMALL);
    }
    for (int turn = 0; live_info(redis, "total_error_replies") == 0; turn++) {
        assert_true(turn < TURNS);
        for (int i = 0; i < SMALLS; i++)
            send_some(fds[i], &sent[i]);
    }
}

static void disperse(const int fds[SMALLS])
{
    for (int i = 0; i < SMALLS; i++)
        close(fds[i]);
}

/* All of it but its last byte. */
static struct talk begin_large(struct live *live, redisContext *redis,
                               const char *wish)
{
    struct talk talk = talk_open(live);
    talk_says(&talk, wish, "+OK");
    send_head(talk.fd, LARGE);
    assert_true(live_send(talk.fd, zeros, LARGE - 1));
    live_await_info(redis, "ebb_client_pool_used_bytes", LARGE - 1, 256 * MB);
    return talk;
}

static void who_asked_for_it_stays(void **state)
{
    (void)state;
    struct live *live = start();
    redisContext *redis = live_connect(live);
    int fds[SMALLS];
    struct talk talk = begin_large(live, redis, "CLIENT NO-EVICT ON");
    crowd(live, redis, fds);
    disperse(fds);
    /* A reply needs memory, too. */
    live_await_info(redis, "connected_clients", 2, 2);
    assert_true(live_send(talk.fd, "\0\r\n", 3));
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
    struct talk talk = begin_large(live, redis, "CLIENT NO-EVICT OFF");
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
