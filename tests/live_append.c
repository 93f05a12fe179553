/* SPDX-License-Identifier: BSD-3-Clause */
/* APPEND to a long value in a live server: others are served meanwhile, and
 * see what it holds; whoever goes in the middle leaves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/answer.h"
#include "tests/live.h"
#include "tests/sanitized.h"
#include "tests/talk.h"

enum { MB = 1 << 20, LONG = SANITIZED ? 24 * MB : 64 * MB, TRIES = 100 };

struct world {
    struct live *live;
    redisContext *other;
    long long cells; /* bytes in use with the value, and no APPEND */
};

static struct world world_new(void)
{
    struct world world = {
        .live = live_start("--maxmemory", "256mb", "--threads", "1", NULL)};
    char *value = malloc(LONG);
    memset(value, 'v', LONG);
    world.other = live_connect(world.live);
    answer_is_ok(redisCommand(world.other, "SET k %b", value, (size_t)LONG));
    free(value);
    world.cells = live_info(world.other, "allocator_allocated");
    return world;
}

static void world_free(struct world *world)
{
    redisFree(world->other);
    live_stop(world->live);
}

static bool answered(const struct talk *talk)
{
    struct pollfd poll_fd = {.fd = talk->fd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 1;
}

/* What CLIENT LIST says of that client. */
static long long memory_of(struct world *world, long long id)
{
    const char *line = live_text(world->other, "CLIENT LIST ID %lld", id);
    const char *field = strstr(line, " tot-mem=");
    assert_non_null(field);
    return strtoll(field + strlen(" tot-mem="), NULL, 10);
}

/* A client in the middle of an APPEND, and its id.  One that is done before it
 * was seen there is tried again. */
static struct talk talk_in_the_middle(struct world *world, long long *id)
{
    for (int i = 0; i < TRIES; i++) {
        struct talk talk = talk_open(world->live);
        struct resp *reply = talk_ask(&talk, "CLIENT ID");
        *id = reply->integer;
        resp_free(reply);
        assert_true(memory_of(world, *id) < LONG);
        assert_true(live_send(talk.fd, "APPEND k x\r\n", 12));
        while (!answered(&talk))
            if (memory_of(world, *id) >= LONG && !answered(&talk))
                return talk;
        talk_close(&talk);
        char *value = malloc(LONG);
        memset(value, 'v', LONG);
        answer_is_ok(
            redisCommand(world->other, "SET k %b", value, (size_t)LONG));
        free(value);
    }
    fail_msg("no APPEND was seen in the middle");
    return (struct talk){0};
}

static void nothing_is_left(struct world *world)
{
    live_await_info(world->other, "connected_clients", 1, 1);
    live_await_info(world->other, "allocator_allocated", world->cells - MB,
                    world->cells + MB);
}

static void others_are_served_meanwhile(void **state)
{
    (void)state;
    struct world world = world_new();
    long long id;
    struct talk talk = talk_in_the_middle(&world, &id);
    char text[32];
    snprintf(text, sizeof text, ":%d\r\n", LONG + 1);
    struct resp *reply = resp_await(&talk.reader, talk.fd, 60000);
    assert_non_null(reply);
    assert_int_equal(reply->raw_len, strlen(text));
    assert_memory_equal(reply->raw, text, strlen(text));
    resp_free(reply);
    assert_int_equal(live_int(world.other, "STRLEN k"), LONG + 1);
    assert_true(memory_of(&world, id) < LONG);
    talk_close(&talk);
    world_free(&world);
}

static void a_client_that_goes_leaves_nothing(void **state)
{
    (void)state;
    struct world world = world_new();
    long long id;
    struct talk talk = talk_in_the_middle(&world, &id);
    talk_close(&talk);
    nothing_is_left(&world);
    world_free(&world);
}

static void a_client_that_is_killed_leaves_nothing(void **state)
{
    (void)state;
    struct world world = world_new();
    long long id;
    struct talk talk = talk_in_the_middle(&world, &id);
    assert_int_equal(live_int(world.other, "CLIENT KILL ID %lld", id), 1);
    struct resp *reply = resp_await(&talk.reader, talk.fd, 60000);
    bool done = reply != NULL;
    resp_free(reply);
    talk_close(&talk);
    nothing_is_left(&world);
    assert_int_equal(live_int(world.other, "STRLEN k"), LONG + done);
    world_free(&world);
}

static void a_value_that_is_deleted_meanwhile_is_begun_anew(void **state)
{
    (void)state;
    struct world world = world_new();
    long long id;
    struct talk talk = talk_in_the_middle(&world, &id);
    bool middle = live_int(world.other, "DEL k") == 1 && !answered(&talk);
    struct resp *reply = resp_await(&talk.reader, talk.fd, 60000);
    assert_non_null(reply);
    if (middle)
        assert_int_equal(reply->integer, 1);
    resp_free(reply);
    talk_close(&talk);
    world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_served_meanwhile),
        cmocka_unit_test(a_client_that_goes_leaves_nothing),
        cmocka_unit_test(a_client_that_is_killed_leaves_nothing),
        cmocka_unit_test(a_value_that_is_deleted_meanwhile_is_begun_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
