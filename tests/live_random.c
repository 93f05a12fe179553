/* SPDX-License-Identifier: BSD-3-Clause */
/* RANDOMKEY of a live server: finds what there is, however little. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "tests/live.h"
#include "tests/talk.h"

enum {
    MANY = 100000,
    BATCH = 100,
    FEW = 8,     /* keys that each must be picked */
    TRIES = 4000 /* not one of FEW in so many: 1 in 10^230 */
};

static void test_a_sparse_database(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    struct talk talk = talk_open(live);
    for (int i = 0; i < MANY; i += BATCH) {
        char line[4000];
        int len = snprintf(line, sizeof line, "MSET");
        for (int j = 0; j < BATCH; j++)
            len += snprintf(line + len, sizeof line - (size_t)len, " key:%d v",
                            i + j);
        talk_says(&talk, line, "+OK");
    }
    talk_says(&talk, "SELECT 7", "+OK");
    talk_says(&talk, "RANDOMKEY", "$-1");
    talk_says(&talk, "SET alone 1", "+OK");
    for (int i = 0; i < 20; i++)
        talk_says(&talk, "RANDOMKEY", "$5\r\nalone");
    talk_says(&talk, "PEXPIREAT alone 1", ":1");
    talk_says(&talk, "RANDOMKEY", "$-1");
    talk_close(&talk);
    live_stop(live);
}

static void test_each_key_has_its_turn(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    struct talk talk = talk_open(live);
    unsigned seen = 0;
    for (int i = 0; i < FEW; i++)
        resp_free(talk_ask(&talk, "SET %d v", i));
    for (int i = 0; i < TRIES && seen != (1u << FEW) - 1; i++) {
        struct resp *reply = talk_ask(&talk, "RANDOMKEY");
        assert_int_equal(reply->raw_len, strlen("$1\r\n0\r\n"));
        assert_in_range(reply->raw[4], '0', '0' + FEW - 1);
        seen |= 1u << (reply->raw[4] - '0');
        resp_free(reply);
    }
    assert_int_equal(seen, (1u << FEW) - 1);
    talk_close(&talk);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sparse_database),
        cmocka_unit_test(test_each_key_has_its_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
