/* SPDX-License-Identifier: BSD-3-Clause */
/* A client that asks one by one and reads late: short replies that the kernel
 * does not take come all the same, and in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/live.h"

enum { VALUE = 1500, MOST = 20000, MORE = 50 };

static size_t request(char to[64], int number)
{
    return (size_t)snprintf(to, 64, "ECHO %08d\r\nGET k\r\n", number);
}

static void check_reply(int fd, int number, const char *value)
{
    char wanted[VALUE + 64], got[VALUE + 64];
    size_t len =
        (size_t)snprintf(wanted, sizeof wanted, "$8\r\n%08d\r\n$%d\r\n%s\r\n",
                         number, VALUE, value);
    assert_int_equal(live_read(fd, got, len), len);
    assert_memory_equal(got, wanted, len);
}

static void every_reply_comes_in_order(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    int fd = live_socket(live), small = 4096, on = 1;
    char line[64], id[32], value[VALUE + 1] = "";
    assert_int_equal(
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    /* Requests are not kept back until others are acknowledged. */
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on),
                     0);
    for (int i = 0; i < VALUE; i++)
        value[i] = (char)('a' + i % 26);
    assert_string_equal(live_text(redis, "SET k %s", value), "OK");
    snprintf(id, sizeof id, "%lld", live_int(redis, "CLIENT ID") + 1);
    int count = 0, end = MOST;
    for (; count < end; count++) {
        size_t len = request(line, count);
        assert_true(live_send(fd, line, len));
        /* When the other has its reply, that was read, and by itself. */
        if (live_unsent(redis, id) > 0 && end == MOST)
            end = count + MORE;
    }
    assert_true(end < MOST);
    for (int i = 0; i < count; i++)
        check_reply(fd, i, value);
    close(fd);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reply_comes_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
