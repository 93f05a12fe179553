/* SPDX-License-Identifier: BSD-3-Clause */
/* Publishing to who reads and who does not; see loud.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/loud.h"

void loud_subscribe(redisContext *redis, const char *channel)
{
    redisReply *reply = redisCommand(redis, "SUBSCRIBE %s", channel);
    assert_string_equal(reply->element[0]->str, "subscribe");
    freeReplyObject(reply);
}

int loud_deaf(const struct live *live, const char *channel)
{
    int fd = live_narrow_socket(live);
    char line[64], reply[64];
    int len = snprintf(line, sizeof line, "SUBSCRIBE %s\r\n", channel);
    size_t expected = strlen("*3\r\n$9\r\nsubscribe\r\n$4\r\n\r\n:1\r\n");
    assert_true(live_send(fd, line, (size_t)len));
    expected += strlen(channel);
    assert_true(live_read(fd, reply, expected) == expected);
    return fd;
}

void loud_publish(redisContext *redis, int from, int to, size_t len)
{
    char *message = malloc(len);
    redisReply *reply;
    memset(message, 'm', len);
    for (int i = from; i < to; i++) {
        char number[16];
        int digits = snprintf(number, sizeof number, "%08d", i);
        memcpy(message, number, (size_t)digits);
        redisAppendCommand(redis, "PUBLISH loud %b", message, len);
    }
    for (int i = from; i < to; i++) {
        assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
        assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
        freeReplyObject(reply);
    }
    free(message);
}

static void *listen_to_all(void *ctx)
{
    struct loud_listener *listener = ctx;
    redisReply *reply;
    while (listener->heard < listener->count &&
           redisGetReply(listener->redis, (void **)&reply) == REDIS_OK) {
        bool next = atoi(reply->element[2]->str) == listener->heard;
        freeReplyObject(reply);
        if (!next)
            break;
        listener->heard++;
    }
    if (listener->heard < listener->count)
        printf("heard %d: %s\n", listener->heard, listener->redis->errstr);
    listener->ended = true;
    return NULL;
}

void loud_await(const struct loud_listener *listener, int count)
{
    while (listener->heard < count && !listener->ended)
        sched_yield();
}

void loud_listen(struct loud_listener *listener, const struct live *live,
                 int count)
{
    *listener =
        (struct loud_listener){.redis = live_connect(live), .count = count};
    loud_subscribe(listener->redis, "loud");
    pthread_create(&listener->thread, NULL, listen_to_all, listener);
}

void loud_end(struct loud_listener *listener)
{
    pthread_join(listener->thread, NULL);
    assert_int_equal(listener->heard, listener->count);
    redisFree(listener->redis);
}
