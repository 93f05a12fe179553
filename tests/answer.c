/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks replies and frees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/answer.h"

static void is_kind(const redisReply *reply, int type, const char *text)
{
    assert_non_null(reply);
    if (reply->type != type)
        fail_msg("%s instead of %s", reply->str ? reply->str : "no text", text);
    assert_string_equal(reply->str, text);
}

void answer_is_ok(redisReply *reply)
{
    is_kind(reply, REDIS_REPLY_STATUS, "OK");
    freeReplyObject(reply);
}

void answer_is_bytes(redisReply *reply, const char *bytes, size_t len)
{
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    assert_int_equal(reply->len, len);
    assert_true(memcmp(reply->str, bytes, len) == 0);
    freeReplyObject(reply);
}

void answer_is_error(redisReply *reply, const char *text)
{
    is_kind(reply, REDIS_REPLY_ERROR, text);
    freeReplyObject(reply);
}

void answers_are_ok(redisContext *redis, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        redisReply *reply;
        assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
        answer_is_ok(reply);
    }
}
