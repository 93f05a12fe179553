/* SPDX-License-Identifier: BSD-3-Clause */
/* Many connections to a server, and which of them are open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crowd.h"

static long long id_of(struct console *t)
{
    long long id = 0;

    assert_int_equal(sscanf(console_ask(t, "CLIENT ID"), ":%lld", &id), 1);
    return id;
}

int crowd_setup(void **state)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);

    assert_non_null(crowd);
    crowd->live = live_start("--threads", "3", "--maxmemory", "64mb", NULL);
    console_open(&crowd->me, crowd->live);
    crowd->my_id = id_of(&crowd->me);
    for (int i = 0; i < OTHERS; i++) {
        console_open(&crowd->others[i], crowd->live);
        crowd->ids[i] = id_of(&crowd->others[i]);
    }
    *state = crowd;
    return 0;
}

int crowd_teardown(void **state)
{
    struct crowd *crowd = *state;

    for (int i = 0; i < OTHERS; i++)
        console_close(&crowd->others[i]);
    console_close(&crowd->me);
    live_stop(crowd->live);
    free(crowd);
    return 0;
}

const char *crowd_ask_id(struct crowd *crowd, const char *format, long long id)
{
    char line[200];

    snprintf(line, sizeof line, format, id);
    return console_ask(&crowd->me, line);
}

static bool is_open(struct console *t)
{
    return strcmp(console_ask(t, "PING"), "+PONG") == 0;
}

void crowd_check_open(struct crowd *crowd, const bool open[OTHERS])
{
    for (int i = 0; i < OTHERS; i++)
        if (is_open(&crowd->others[i]) != open[i])
            fail_msg("connection %d is %s", i, open[i] ? "closed" : "open");
}

void crowd_reset(struct crowd *crowd)
{
    for (int i = 0; i < OTHERS; i++) {
        const char *answer = console_ask(&crowd->others[i], "RESET");
        while (strcmp(answer, "+RESET") != 0)
            answer = console_hear(&crowd->others[i]);
    }
}

long long crowd_info(struct crowd *crowd, const char *field)
{
    char line[100];
    long long value = -1;
    snprintf(line, sizeof line, "%s:", field);
    console_ask(&crowd->me, "INFO everything");
    const char *at = strstr(crowd->me.shown, line);
    assert_non_null(at);
    sscanf(at + strlen(line), "%lld", &value);
    return value;
}
