/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands to a live server, and the numbers of its INFO. */

#include "tests/live.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_MS = 60000 };

static redisReply *ask_with(redisContext *redis, const char *format,
                            va_list args)
{
    redisReply *reply = redisvCommand(redis, format, args);
    if (!reply) {
        fprintf(stderr, "live: no reply to '%s': %s\n", format, redis->errstr);
        exit(1);
    }
    return reply;
}

redisReply *live_ask(redisContext *redis, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = ask_with(redis, format, args);
    va_end(args);
    return reply;
}

const char *live_text(redisContext *redis, const char *format, ...)
{
    static char text[1 << 16];
    va_list args;
    va_start(args, format);
    redisReply *reply = ask_with(redis, format, args);
    va_end(args);
    snprintf(text, sizeof text, "%s", reply->str ? reply->str : "(nil)");
    freeReplyObject(reply);
    return text;
}

long long live_int(redisContext *redis, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = ask_with(redis, format, args);
    va_end(args);
    if (reply->type != REDIS_REPLY_INTEGER) {
        fprintf(stderr, "live: '%s' is answered with '%s'\n", format,
                reply->str ? reply->str : "no integer");
        exit(1);
    }
    long long value = reply->integer;
    freeReplyObject(reply);
    return value;
}

long long live_info(redisContext *redis, const char *field)
{
    redisReply *reply = redisCommand(redis, "INFO everything");
    const char *at = reply && reply->str ? reply->str : "";
    size_t len = strlen(field);
    while (at && !(strncmp(at, field, len) == 0 && at[len] == ':')) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    if (!at) {
        fprintf(stderr, "live: INFO has no %s\n", field);
        exit(1);
    }
    long long value = strtoll(at + len + 1, NULL, 10);
    freeReplyObject(reply);
    return value;
}

long long live_unsent(redisContext *redis, const char *id)
{
    const char *line = live_text(redis, "CLIENT LIST ID %s", id);
    const char *at = strstr(line, " omem=");
    return at ? atoll(at + strlen(" omem=")) : -1;
}

void live_without_slowlog(redisContext *redis)
{
    freeReplyObject(live_ask(redis, "CONFIG SET slowlog-log-slower-than -1"));
    freeReplyObject(live_ask(redis, "SLOWLOG RESET"));
}

void live_await_info(redisContext *redis, const char *field, long long least,
                     long long most)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    long long value = 0;
    for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 10) {
        value = live_info(redis, field);
        if (value >= least && value <= most)
            return;
        nanosleep(&pause, NULL);
    }
    fprintf(stderr, "live: %s stays at %lld\n", field, value);
    exit(1);
}
