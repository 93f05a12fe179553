/* SPDX-License-Identifier: BSD-3-Clause */
/* GET /pprof/heap, for who has asked for it at the start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sanitized.h"
#include "tests/scrape.h"

static const char request[] = "GET /pprof/heap HTTP/1.1\r\nHost: x\r\n\r\n";

static void nobody_gets_it_unasked(void **state)
{
    char *answer = scrape_ask(*state, request);
    assert_int_equal(scrape_status(answer), 403);
    assert_string_equal(scrape_body(answer), "heap-profile is no\n");
    free(answer);
}

/* Stacks, and what their addresses belong to: the server, too. */
static void it_is_as_its_readers_want_it(void **state)
{
    char *answer = scrape_ask(*state, request);
    const char *body = scrape_body(answer);
    assert_int_equal(scrape_status(answer), 200);
    assert_int_equal(strncmp(body, "heap_v2/65536\n", 14), 0);
    assert_non_null(strstr(body, "\n@ 0x"));
    const char *maps = strstr(body, "\nMAPPED_LIBRARIES:\n");
    assert_non_null(maps);
    const char *name = strrchr(live_server(), '/');
    assert_non_null(name);
    assert_non_null(strstr(maps, name));
    assert_int_equal(body[strlen(body) - 1], '\n');
    free(answer);
}

/* The program was executed a second time for it. */
static void the_server_is_the_same(void **state)
{
    const struct scrape *scrape = *state;
    assert_int_equal(live_info(scrape->redis, "process_id"),
                     live_pid(scrape->live));
    assert_string_equal(live_text(scrape->redis, "PING"), "PONG");
}

/* Slabs are entries' memory, not the heap: there are 32 MiB of them. */
static void entries_are_not_in_it(void **state)
{
    static char value[16 * 1024];
    unsigned long long bytes;
    const struct scrape *scrape = *state;
    memset(value, 'v', sizeof value - 1);
    for (int i = 0; i < 2048; i++)
        assert_string_equal(live_text(scrape->redis, "SET %d %s", i, value),
                            "OK");
    char *answer = scrape_ask(scrape, request);
    assert_int_equal(
        sscanf(scrape_body(answer), "heap_v2/65536 t*: %*u: %llu", &bytes), 1);
    assert_in_range(bytes, 1, 16 << 20);
    free(answer);
}

int main(void)
{
    const struct CMUnitTest without[] = {
        cmocka_unit_test(nobody_gets_it_unasked),
    };
    const struct CMUnitTest with[] = {
        cmocka_unit_test(it_is_as_its_readers_want_it),
        cmocka_unit_test(the_server_is_the_same),
        cmocka_unit_test(entries_are_not_in_it),
    };
    int failed = cmocka_run_group_tests(without, scrape_setup, scrape_teardown);
    if (SANITIZED)
        puts("SKIPPED: the heap profile, the allocator is the sanitizer's");
    return failed + (SANITIZED
                         ? 0
                         : cmocka_run_group_tests(with, scrape_setup_profile,
                                                  scrape_teardown));
}
