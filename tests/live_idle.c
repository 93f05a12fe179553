/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker with nothing to do gives memory back, and has what it needs when
 * somebody comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/exposition.h"
#include "tests/scrape.h"
#include "tests/talk.h"

enum { IDLE_S = 3 }; /* more than after which it gives back */

/* The main thread tells that, so that no worker has anything to do. */
static double uptime_s(const struct scrape *scrape)
{
    double value = 0;
    char why[EXPOSITION_WHY_MAX];
    char *answer =
        scrape_ask(scrape, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    struct exposition *e =
        exposition_read(scrape_body(answer), strlen(scrape_body(answer)), why);
    assert_non_null(e);
    assert_true(exposition_value(e, "ebb_uptime_seconds", "", &value));
    exposition_free(e);
    free(answer);
    return value;
}

static void all_are_answered_after_an_idle_while(void **state)
{
    enum { CLIENTS = 3 };
    const struct scrape *scrape = *state;
    struct talk talks[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        talks[i] = talk_open(scrape->live);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < CLIENTS; i++) {
            talk_says(&talks[i], "SET a 1", "+OK");
            talk_says(&talks[i], "GET a", "$1\r\n1");
        }
        double from = uptime_s(scrape);
        while (uptime_s(scrape) < from + IDLE_S)
            ;
    }
    for (int i = 0; i < CLIENTS; i++) {
        talk_says(&talks[i], "PING", "+PONG");
        talk_close(&talks[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_are_answered_after_an_idle_while,
                                        scrape_setup, scrape_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
