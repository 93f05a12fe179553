/* SPDX-License-Identifier: BSD-3-Clause */

/* Values compared with others, and DIGEST, DELEX and DELIFEQ. */

#include "comparison.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "call.h"
#include "call_look.h"
#include "changes.h"
#include "xxh3.h"

enum { DIGEST_DIGITS = 16 };

_Static_assert(sizeof(struct xxh3) <= CALL_LOOK_SUM, "a digest is a sum");

/* ----------------------------------------------------------------- options */

enum comparison_kind comparison_word(const struct arg *arg)
{
    return arg_is(arg, "ifeq")    ? COMPARE_EQUAL
           : arg_is(arg, "ifne")  ? COMPARE_DIFFERENT
           : arg_is(arg, "ifdeq") ? COMPARE_DIGEST
           : arg_is(arg, "ifdne") ? COMPARE_OTHER_DIGEST
                                  : COMPARE_NOTHING;
}

bool comparison_option(struct call *call, size_t *i,
                       struct comparison *comparison)
{
    enum comparison_kind kind = comparison_word(&call->argv[*i]);
    if (kind == COMPARE_NOTHING || *i + 1 >= call->argc ||
        (comparison->kind != COMPARE_NOTHING && comparison->kind != kind))
        return false;
    *comparison = (struct comparison){kind, ++*i};
    return true;
}

/* ----------------------------------------------------------------- digests */

static void add_to_digest(const struct call *call, void *sum, size_t at,
                          const char *bytes, size_t len)
{
    (void)call;
    (void)at;
    xxh3_add(sum, bytes, len);
}

/* False: COMMAND_LOOK. */
static bool digest_of(struct call *call, const struct cache_view *view,
                      struct xxh3 *sum)
{
    const struct call_look look = {0, view->len, add_to_digest, sum,
                                   sizeof *sum};
    xxh3_init(sum);
    return call_look(call, view, &look);
}

static void digits_of(const struct xxh3 *sum, char digits[DIGEST_DIGITS + 1])
{
    snprintf(digits, DIGEST_DIGITS + 1, "%016" PRIx64, xxh3_value(sum));
}

enum command_result cmd_digest(struct call *call)
{
    struct cache_view view;
    struct xxh3 sum;
    char digits[DIGEST_DIGITS + 1];
    if (!call_looked(call, &sum, sizeof sum)) {
        if (!call_need_string(call, CACHE_TOUCH | CACHE_COUNT, &view))
            return COMMAND_DONE;
        if (!digest_of(call, &view, &sum))
            return COMMAND_LOOK;
    }
    digits_of(&sum, digits);
    reply_bulk(&call->reply, digits, DIGEST_DIGITS);
    return COMMAND_DONE;
}

/* --------------------------------------------------------------- comparing */

struct difference {
    size_t arg; /* arguments may move while others have a turn */
    bool found;
};

static void find_difference(const struct call *call, void *sum, size_t at,
                            const char *bytes, size_t len)
{
    struct difference *difference = sum;
    const char *other = call->argv[difference->arg].ptr + at;
    if (!difference->found)
        difference->found = memcmp(bytes, other, len) != 0;
}

static enum comparison_result compare_bytes(struct call *call, size_t arg,
                                            const struct cache_view *view,
                                            bool *same)
{
    struct difference difference = {.arg = arg};
    const struct call_look look = {0, view->len, find_difference, &difference,
                                   sizeof difference};
    *same = false;
    if (view->len != call->argv[arg].len)
        return COMPARED_HOLDS;
    if (!call_look(call, view, &look))
        return COMPARED_LOOK;
    *same = !difference.found;
    return COMPARED_HOLDS;
}

static enum comparison_result compare_digest(struct call *call, size_t arg,
                                             const struct cache_view *view,
                                             bool *same)
{
    const struct arg *other = &call->argv[arg];
    struct xxh3 sum;
    char digits[DIGEST_DIGITS + 1];
    if (other->len != DIGEST_DIGITS) {
        reply_errorf(&call->reply,
                     "ERR must be exactly %d hexadecimal "
                     "characters",
                     DIGEST_DIGITS);
        return COMPARED_REFUSED;
    }
    if (!digest_of(call, view, &sum))
        return COMPARED_LOOK;
    digits_of(&sum, digits);
    *same = strncasecmp(digits, other->ptr, DIGEST_DIGITS) == 0;
    return COMPARED_HOLDS;
}

enum comparison_result comparison_of(struct call *call,
                                     const struct comparison *comparison,
                                     const struct cache_view *view)
{
    enum comparison_kind kind = comparison->kind;
    bool bytes = kind == COMPARE_EQUAL || kind == COMPARE_DIFFERENT, same;
    enum comparison_result result =
        bytes ? compare_bytes(call, comparison->arg, view, &same)
              : compare_digest(call, comparison->arg, view, &same);
    if (result != COMPARED_HOLDS)
        return result;
    return same != comparison_of_nothing(comparison) ? COMPARED_HOLDS
                                                     : COMPARED_FAILS;
}

/* ---------------------------------------------------------------- removing */

static enum command_result remove_if(struct call *call,
                                     const struct comparison *comparison,
                                     const struct cache_view *view)
{
    enum comparison_result result = COMPARED_HOLDS;
    if (comparison->kind != COMPARE_NOTHING)
        result = comparison_of(call, comparison, view);
    if (result == COMPARED_LOOK)
        return COMMAND_LOOK;
    if (result == COMPARED_REFUSED)
        return COMMAND_DONE;
    if (result == COMPARED_HOLDS) {
        cache_remove(&call->tx, call->session->db, &call->key);
        call_changed(call, &call->key, CHANGE_GENERIC, "del");
    }
    reply_int(&call->reply, result == COMPARED_HOLDS);
    return COMMAND_DONE;
}

enum command_result cmd_delex(struct call *call)
{
    struct comparison comparison = {COMPARE_NOTHING, 3};
    struct cache_view view;
    if (call->argc != 2 && call->argc != 4)
        return call_error(call,
                          "ERR wrong number of arguments for 'delex' command");
    if (!call_find(call, 0, &view)) {
        reply_int(&call->reply, 0);
        return COMMAND_DONE;
    }
    if (call->argc == 4) {
        if (view.type != CACHE_STRING)
            return call_error(call, "ERR Key should be of string type if "
                                    "conditions are specified");
        comparison.kind = comparison_word(&call->argv[2]);
        if (comparison.kind == COMPARE_NOTHING)
            return call_error(call, "ERR Invalid condition. Use IFEQ, IFNE, "
                                    "IFDEQ, or IFDNE");
    }
    return remove_if(call, &comparison, &view);
}

enum command_result cmd_delifeq(struct call *call)
{
    const struct comparison comparison = {COMPARE_EQUAL, 2};
    struct cache_view view;
    bool found;
    if (!call_find_string(call, 0, &view, &found))
        return COMMAND_DONE;
    if (found)
        return remove_if(call, &comparison, &view);
    reply_int(&call->reply, 0);
    return COMMAND_DONE;
}
