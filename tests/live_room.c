/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pipeline whose replies use up the room that a client has for them goes on
 * when they are sent, however few they are: memory of a reply before may be
 * kept for it, and fill all the room with hardly anything in it.
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

#include "tests/live.h"

enum {
    SHORT = 4000,  /* copied to the output */
    LONG = 20656,  /* sent from where it lies */
    WARM = 20,     /* short ones that make an output as long as is kept */
    BEHIND = 20,   /* short ones behind a long one */
    FRAMED = 10,   /* bytes beside a value: $4000, $20656 and line ends */
    LEAST_MB = 16, /* budgets: how much room there is goes by that */
    MOST_MB = 48,
    STEP_MB = 4,
};

static size_t add(char *to, const char *key, unsigned times)
{
    size_t len = 0;
    for (unsigned i = 0; i < times; i++)
        len += (size_t)sprintf(to + len, "GET %s\r\n", key);
    return len;
}

/* Asks for these in one go, and reads as many bytes. */
static void ask(int fd, unsigned shorts, unsigned longs, unsigned behind)
{
    static char requests[4096], replies[(WARM + BEHIND) * SHORT * 2];
    size_t len = add(requests, "s", shorts);
    len += add(requests + len, "l", longs);
    len += add(requests + len, "s", behind);
    size_t wanted = (shorts + behind) * (SHORT + FRAMED - 1) +
                    longs * (size_t)(LONG + FRAMED);
    assert_true(live_send(fd, requests, len));
    assert_int_equal(live_read(fd, replies, wanted), wanted);
}

static void check_with(unsigned megabytes, const char *threads)
{
    char budget[16], value[LONG + 1] = "";
    snprintf(budget, sizeof budget, "%umb", megabytes);
    struct live *live =
        live_start("--maxmemory", budget, "--threads", threads, NULL);
    redisContext *redis = live_connect(live);
    memset(value, 'x', LONG);
    assert_string_equal(live_text(redis, "SET l %s", value), "OK");
    value[SHORT] = 0;
    assert_string_equal(live_text(redis, "SET s %s", value), "OK");
    int fd = live_socket(live);
    for (unsigned before = 1; before <= 5; before++) {
        ask(fd, WARM, 0, 0);
        ask(fd, before, 1, BEHIND);
    }
    close(fd);
    redisFree(redis);
    live_stop(live);
}

static void a_pipeline_goes_on_when_its_room_is_sent(void **state)
{
    (void)state;
    for (unsigned mb = LEAST_MB; mb <= MOST_MB; mb += STEP_MB) {
        check_with(mb, "1");
        check_with(mb, "4");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipeline_goes_on_when_its_room_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
