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

enum { VALUE_MOST = 2000, MOST = 20000, MORE = 50 };

static size_t request(char to[64], int number)
{
    return (size_t)snprintf(to, 64, "ECHO %08d\r\nGET k\r\n", number);
}

static size_t reply(char to[VALUE_MOST + 64], int number, const char *value)
{
    return (size_t)snprintf(to, VALUE_MOST + 64, "$8\r\n%08d\r\n$%zu\r\n%s\r\n",
                            number, strlen(value), value);
}

static void check_reply(int fd, int number, const char *value)
{
    char wanted[VALUE_MOST + 64], got[VALUE_MOST + 64];
    size_t len = reply(wanted, number, value);
    assert_int_equal(live_read(fd, got, len), len);
    assert_memory_equal(got, wanted, len);
}

/* True: of the first reply that the kernel did not take whole it took a part.
 */
static bool read_late(const struct live *live, size_t value_len)
{
    redisContext *redis = live_connect(live);
    int fd = live_narrow_socket(live), on = 1;
    char line[64], id[32], value[VALUE_MOST + 1] = "", one[VALUE_MOST + 64];
    /* Requests are not kept back until others are acknowledged. */
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on),
                     0);
    for (size_t i = 0; i < value_len; i++)
        value[i] = (char)('a' + i % 26);
    assert_string_equal(live_text(redis, "SET k %s", value), "OK");
    snprintf(id, sizeof id, "%lld", live_int(redis, "CLIENT ID") + 1);
    size_t reply_len = reply(one, 0, value);
    long long first = 0;
    int count = 0, end = MOST;
    for (; count < end; count++) {
        size_t len = request(line, count);
        assert_true(live_send(fd, line, len));
        /* When the other has its reply, that was read, and by itself. */
        if (end < MOST || (first = live_unsent(redis, id)) <= 0)
            continue;
        end = count + MORE;
    }
    assert_in_range(first, 1, reply_len);
    for (int i = 0; i < count; i++)
        check_reply(fd, i, value);
    close(fd);
    redisFree(redis);
    return (size_t)first < reply_len;
}

/* Where the kernel's room ends depends on the kernel: not with the end of
 * replies of all of these lengths. */
static void every_reply_comes_in_order(void **state)
{
    static const size_t lens[] = {80, 300, 700, 1000, 1300, 1500, 1777, 2000};
    struct live *live = live_start("--threads", "1", NULL);
    unsigned in_part = 0;
    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
        in_part += read_late(live, lens[i]);
    printf("of %u lengths a part was taken\n", in_part);
    assert_true(in_part > 0);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reply_comes_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
