/* SPDX-License-Identifier: BSD-3-Clause */
/* Patterns that take long: others are served meanwhile, and answers are what
 * they would be at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/answer.h"
#include "tests/live.h"
#include "tests/talk.h"

enum { KEYS = 100, KEY = 3000, LONG_KEYS = 10, LONG_KEY = 60000 };

static char *letters(size_t len)
{
    char *text = malloc(len + 1);
    memset(text, 'a', len);
    text[len] = 0;
    return text;
}

/* So many keys of len letters, each with a number at its end. */
static void set_keys(redisContext *redis, int count, int len)
{
    char *key = letters((size_t)len);
    for (int i = 0; i < count; i++)
        redisAppendCommand(redis, "SET %s%d v", key, i);
    answers_are_ok(redis, (size_t)count);
    free(key);
}

/* In one piece, so that it is there before what others send after it. */
static void send_keys(int fd, const char *pattern)
{
    size_t len = strlen(pattern);
    char *request = malloc(len + 64);
    int size =
        sprintf(request, "*2\r\n$4\r\nKEYS\r\n$%zu\r\n%s\r\n", len, pattern);
    assert_true(live_send(fd, request, (size_t)size));
    free(request);
}

/* Each of the keys takes some 10^9 steps, and they lie in few buckets.  The one
 * worker answers others before it is through. */
static void others_are_served_meanwhile(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    redisContext *other = live_connect(live);
    set_keys(other, LONG_KEYS, LONG_KEY);
    struct talk talk = talk_open(live);
    struct resp *reply = talk_ask(&talk, "CLIENT ID");
    char *pattern = letters(LONG_KEY / 2);
    pattern[0] = '*';
    pattern[LONG_KEY / 2 - 1] = 'b';
    send_keys(talk.fd, pattern);
    for (int i = 0; i < 5; i++)
        assert_string_equal(live_text(other, "PING"), "PONG");
    struct pollfd poll_fd = {.fd = talk.fd, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 0), 0);
    assert_int_equal(
        live_int(other, "CLIENT KILL ID %lld", (long long)reply->integer), 1);
    resp_free(reply);
    live_await_info(other, "ebb_client_pool_used_bytes", 1, 64 << 10);
    talk_close(&talk);
    free(pattern);
    redisFree(other);
    live_stop(live);
}

static size_t scan_all(redisContext *redis, const char *pattern)
{
    char cursor[32] = "0";
    size_t count = 0;
    do {
        redisReply *reply =
            redisCommand(redis, "SCAN %s MATCH %s COUNT 7", cursor, pattern);
        assert_int_equal(reply->elements, 2);
        count += reply->element[1]->elements;
        snprintf(cursor, sizeof cursor, "%s", reply->element[0]->str);
        freeReplyObject(reply);
    } while (strcmp(cursor, "0") != 0);
    return count;
}

/* A key takes more than a slice here. */
static void every_key_is_found_once(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    set_keys(redis, KEYS, KEY);
    char pattern[2000];
    memset(pattern, 'a', sizeof pattern);
    pattern[0] = '*';
    strcpy(pattern + 1000, "[0-4]*");
    redisReply *reply = redisCommand(redis, "KEYS %s", pattern);
    /* 0 to 4 and 10 to 49 begin so. */
    assert_int_equal(reply->elements, 45);
    freeReplyObject(reply);
    assert_int_equal(scan_all(redis, pattern), 45);
    strcpy(pattern + 1000, "x");
    assert_int_equal(scan_all(redis, pattern), 0);
    redisFree(redis);
    live_stop(live);
}

static void patterns_of_names_are_short(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    const char *error = "ERR pattern is too long, at most 4096 bytes";
    char *pattern = letters(4097);
    answer_is_error(
        redisCommand(redis, "COMMAND LIST FILTERBY PATTERN %s", pattern),
        error);
    answer_is_error(redisCommand(redis, "CONFIG GET port %s", pattern + 4),
                    error);
    redisReply *reply = redisCommand(redis, "CONFIG GET port %s", pattern + 5);
    assert_int_equal(reply->elements, 2);
    freeReplyObject(reply);
    free(pattern);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_served_meanwhile),
        cmocka_unit_test(every_key_is_found_once),
        cmocka_unit_test(patterns_of_names_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
