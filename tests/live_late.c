/* SPDX-License-Identifier: BSD-3-Clause */
/* A client that asks one by one and reads late: short replies that the kernel
 * takes in part, or not at all, come all the same, and in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/live.h"

enum { REQUESTS = 600, VALUE = 1500 };

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
    int fd = live_socket(live), small = 4096;
    char line[64], value[VALUE + 1] = "";
    assert_int_equal(
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    for (int i = 0; i < VALUE; i++)
        value[i] = (char)('a' + i % 26);
    assert_string_equal(live_text(redis, "SET k %s", value), "OK");
    for (int i = 0; i < REQUESTS; i++) {
        size_t len = request(line, i);
        assert_true(live_send(fd, line, len));
        /* When the other has its reply, that was read, and by itself. */
        assert_string_equal(live_text(redis, "PING"), "PONG");
    }
    for (int i = 0; i < REQUESTS; i++)
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
