/* SPDX-License-Identifier: BSD-3-Clause */
/* How much is remembered of what clients cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/track_prefixes.h"
#include "tests/crowd.h"

static void as_many_prefixes_as_may_be(void **state)
{
    struct crowd *f = *state;
    struct console *t = &f->others[0];
    static char line[TRACK_PREFIXES_CLIENT * 20 + TRACK_PREFIX_MAX + 100];
    size_t len = (size_t)sprintf(line, "CLIENT TRACKING on BCAST");
    for (int i = 0; i < TRACK_PREFIXES_CLIENT; i++)
        len += (size_t)sprintf(line + len, " PREFIX p:%d:", i);
    assert_string_equal(console_ask(t, line), "+OK");
    assert_string_equal(console_ask(t, "CLIENT TRACKING on BCAST PREFIX q"),
                        "-ERR no memory, or more than 128 prefixes of this "
                        "client or 4096 of all");
    console_ask(t, "CLIENT TRACKING off");
    sprintf(line + len, " PREFIX more");
    assert_string_equal(console_ask(t, line),
                        "-ERR at most 128 prefixes of 1024 bytes");
    sprintf(line, "CLIENT TRACKING on BCAST PREFIX %0*d", TRACK_PREFIX_MAX, 1);
    assert_string_equal(console_ask(t, line), "+OK");
    sprintf(line, "CLIENT TRACKING on BCAST PREFIX %0*d", TRACK_PREFIX_MAX + 1,
            1);
    assert_string_equal(console_ask(t, line),
                        "-ERR at most 128 prefixes of 1024 bytes");
    assert_int_equal(crowd_info(f, "tracking_total_prefixes"), 1);
    crowd_reset(f);
}

/* The keys that were told, of those called k:0 to k:(count - 1), until there
 * are `least` of them; everything counts as told once that was said. */
static size_t hear_keys(struct console *t, bool *told, size_t count,
                        size_t least)
{
    size_t heard = 0;
    while (heard < least) {
        const char *text = console_hear(t), *at = strstr(text, "[\"k:");
        if (strcmp(text, ALL_INVALID) == 0) {
            memset(told, true, count);
            return count;
        }
        if (!at)
            fail_msg("heard %s", text);
        size_t number = strtoul(at + 4, NULL, 10);
        assert_true(number < count && !told[number]);
        told[number] = true;
        heard++;
    }
    return heard;
}

static void one_key_too_many(void **state)
{
    enum { KEYS = 1000, MOST = 100 };
    struct crowd *f = *state;
    struct console *t = &f->others[0];
    bool told[KEYS] = {0};
    char line[100];
    console_ask(&f->me, "CONFIG SET tracking-table-max-keys 100");
    console_ask(t, "HELLO 3");
    console_ask(t, "CLIENT TRACKING on");
    for (int i = 0; i < KEYS; i++) {
        snprintf(line, sizeof line, "GET k:%d", i);
        console_say(t, line);
    }
    size_t replies = 0, heard = 0;
    while (replies < KEYS || heard < KEYS - MOST) {
        if (strcmp(console_hear(t), "nil") == 0) {
            replies++;
            continue;
        }
        const char *at = strstr(t->shown, "[\"k:");
        assert_non_null(at);
        told[strtoul(at + 4, NULL, 10)] = true;
        heard++;
    }
    assert_int_equal(crowd_info(f, "tracking_total_keys"), MOST);
    /* A lower limit holds soon. */
    console_ask(&f->me, "CONFIG SET tracking-table-max-keys 10");
    heard += hear_keys(t, told, KEYS, MOST - 10);
    assert_int_equal(crowd_info(f, "tracking_total_keys"), 10);
    for (int i = 0; i < KEYS; i++) {
        snprintf(line, sizeof line, "SET k:%d 1", i);
        console_ask(&f->me, line);
    }
    heard += hear_keys(t, told, KEYS, 10);
    assert_int_equal(heard, KEYS);
    console_ask(&f->me, "CONFIG SET tracking-table-max-keys 1000000");
    console_ask(&f->me, "FLUSHALL");
    console_tells(t, ALL_INVALID);
    crowd_reset(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_prefixes_as_may_be),
        cmocka_unit_test(one_key_too_many),
    };
    return cmocka_run_group_tests(tests, crowd_setup, crowd_teardown);
}
