/* SPDX-License-Identifier: BSD-3-Clause */

/* Commands that change hashes; hash_store.c does it. */

#include "hash_store.h"

#include <math.h>

static void reply_added(struct call *call, const struct hash_edit *edit)
{
    reply_int(&call->reply, (int64_t)edit->added);
}

static void reply_removed(struct call *call, const struct hash_edit *edit)
{
    reply_int(&call->reply, (int64_t)edit->removed);
}

static void reply_well(struct call *call, const struct hash_edit *edit)
{
    (void)edit;
    reply_ok(&call->reply);
}

enum command_result cmd_hset(struct call *call)
{
    static const struct hash_verb verb = {
        .what = HASH_SET, .event = "hset", .reply = reply_added};
    return hash_store(call, &verb);
}

enum command_result cmd_hmset(struct call *call)
{
    static const struct hash_verb verb = {
        .what = HASH_SET, .event = "hset", .reply = reply_well};
    return hash_store(call, &verb);
}

enum command_result cmd_hsetnx(struct call *call)
{
    static const struct hash_verb verb = {
        .what = HASH_SET_NEW, .event = "hset", .reply = reply_added};
    return hash_store(call, &verb);
}

enum command_result cmd_hdel(struct call *call)
{
    static const struct hash_verb verb = {
        .what = HASH_REMOVE, .event = "hdel", .reply = reply_removed};
    return hash_store(call, &verb);
}

/* --------------------------------------------------------------- numbers */

static bool parse_integer(struct call *call, struct hash_edit *edit)
{
    return call_int(call, 3, &edit->step.integer);
}

static const char *add_integer(struct hash_edit *edit, const char *old,
                               size_t len)
{
    int64_t number = 0;
    if (old && !text_to_int(old, len, &number))
        return "ERR hash value is not an integer";
    if (__builtin_add_overflow(number, edit->step.integer, &edit->sum.integer))
        return "ERR increment or decrement would overflow";
    edit->text_len = text_of_int(edit->sum.integer, edit->text);
    return NULL;
}

static void reply_integer(struct call *call, const struct hash_edit *edit)
{
    reply_int(&call->reply, edit->sum.integer);
}

enum command_result cmd_hincrby(struct call *call)
{
    static const struct hash_verb verb = {.what = HASH_COMPUTE,
                                          .event = "hincrby",
                                          .parse = parse_integer,
                                          .compute = add_integer,
                                          .reply = reply_integer};
    return hash_store(call, &verb);
}

static bool parse_real(struct call *call, struct hash_edit *edit)
{
    const struct arg *arg = &call->argv[3];
    const char *error = NULL;
    if (!text_to_float(arg->ptr, arg->len, &edit->step.real))
        error = ERROR_NOT_FLOAT;
    else if (isinf(edit->step.real))
        error = "ERR value is NaN or Infinity";
    if (error)
        reply_error(&call->reply, error);
    return !error;
}

static const char *add_real(struct hash_edit *edit, const char *old, size_t len)
{
    long double number = 0;
    if (old && !text_to_float(old, len, &number))
        return "ERR hash value is not a float";
    number += edit->step.real;
    if (isnan(number) || isinf(number))
        return "ERR increment would produce NaN or Infinity";
    edit->text_len = text_of_float(number, edit->text);
    return NULL;
}

static void reply_text(struct call *call, const struct hash_edit *edit)
{
    reply_bulk(&call->reply, edit->text, edit->text_len);
}

enum command_result cmd_hincrbyfloat(struct call *call)
{
    static const struct hash_verb verb = {.what = HASH_COMPUTE,
                                          .event = "hincrbyfloat",
                                          .parse = parse_real,
                                          .compute = add_real,
                                          .reply = reply_text};
    return hash_store(call, &verb);
}
