/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * INCREX: adds to a number, within bounds, and sets when it expires.  By whole
 * numbers, or by numbers with a fraction.
 */

#include "call_edit.h"

#include <float.h>
#include <math.h>

#include "changes.h"
#include "expire.h"

enum by { BY_ONE, BY_INT, BY_FLOAT };

struct demand {
    enum by by;
    size_t step_arg, lower_arg, upper_arg; /* 0: not given */
    bool saturate, persist, only_new_expiry, must_be_new, must_exist;
    struct expire_option expiry;
    /* The numbers, in the type of `by`. */
    int64_t step, lower, upper;
    long double step_f, lower_f, upper_f;
    int64_t expires_at_ms;
};

/* ----------------------------------------------------------------- options */

/* An option with something behind it that was not given before. */
static bool takes(struct call *call, size_t *i, const char *word, size_t *place)
{
    if (*place || !arg_is(&call->argv[*i], word) || *i + 1 >= call->argc)
        return false;
    *place = ++*i;
    return true;
}

static bool flag(const struct arg *arg, const char *word, bool *given)
{
    if (*given || !arg_is(arg, word))
        return false;
    return *given = true;
}

/* False: it is not an option, or not here. */
static bool parse_option(struct call *call, size_t *i, struct demand *demand)
{
    const struct arg *arg = &call->argv[*i];
    if (demand->by == BY_ONE && takes(call, i, "byint", &demand->step_arg)) {
        demand->by = BY_INT;
        return true;
    }
    if (demand->by == BY_ONE && takes(call, i, "byfloat", &demand->step_arg)) {
        demand->by = BY_FLOAT;
        return true;
    }
    if (takes(call, i, "lbound", &demand->lower_arg) ||
        takes(call, i, "ubound", &demand->upper_arg) ||
        flag(arg, "saturate", &demand->saturate) ||
        flag(arg, "enx", &demand->only_new_expiry))
        return true;
    if (!demand->must_exist && flag(arg, "nx", &demand->must_be_new))
        return true;
    if (!demand->must_be_new && flag(arg, "xx", &demand->must_exist))
        return true;
    if (demand->expiry.word || demand->persist)
        return false; /* each once, and only one of them */
    return flag(arg, "persist", &demand->persist) ||
           expire_option(call, i, &demand->expiry);
}

/* False: an error was replied. */
static bool whole_number(struct call *call, size_t arg, const char *name,
                         int64_t *number)
{
    if (!arg || text_to_int(call->argv[arg].ptr, call->argv[arg].len, number))
        return true;
    reply_errorf(&call->reply, "ERR %s is not an integer or out of range",
                 name);
    return false;
}

static bool fraction(struct call *call, size_t arg, const char *name,
                     long double *number)
{
    if (!arg || text_to_float(call->argv[arg].ptr, call->argv[arg].len, number))
        return true;
    reply_errorf(&call->reply, "ERR %s is not a valid float", name);
    return false;
}

/* False: an error was replied. */
static bool parse_numbers(struct call *call, struct demand *demand)
{
    bool crossed;
    if (demand->by == BY_FLOAT) {
        if (!fraction(call, demand->step_arg, "Increment", &demand->step_f))
            return false;
        if (isinf(demand->step_f)) {
            reply_error(&call->reply,
                        "ERR BYFLOAT increment cannot be Infinity");
            return false;
        }
        if (!fraction(call, demand->lower_arg, "LBOUND", &demand->lower_f) ||
            !fraction(call, demand->upper_arg, "UBOUND", &demand->upper_f))
            return false;
        crossed = demand->lower_f > demand->upper_f;
    } else {
        if (!whole_number(call, demand->step_arg, "Increment", &demand->step) ||
            !whole_number(call, demand->lower_arg, "LBOUND", &demand->lower) ||
            !whole_number(call, demand->upper_arg, "UBOUND", &demand->upper))
            return false;
        crossed = demand->lower > demand->upper;
    }
    if (crossed)
        reply_error(&call->reply, "ERR LBOUND can't be greater than UBOUND");
    return !crossed;
}

/* False: an error was replied. */
static bool parse(struct call *call, struct demand *demand)
{
    for (size_t i = 2; i < call->argc; i++) {
        if (parse_option(call, &i, demand))
            continue;
        reply_error(&call->reply, ERROR_SYNTAX);
        return false;
    }
    if (demand->only_new_expiry && demand->persist) {
        reply_error(&call->reply, ERROR_SYNTAX);
        return false;
    }
    if (demand->only_new_expiry && !demand->expiry.word) {
        reply_error(&call->reply, "ERR ENX flag requires an expiration");
        return false;
    }
    return parse_numbers(call, demand) &&
           (!demand->expiry.word ||
            expire_option_value(call, &demand->expiry, &demand->expires_at_ms));
}

/* --------------------------------------------------------------- arithmetic */

enum sum {
    SUM_STORE,
    SUM_OUTSIDE, /* of the bounds, which nothing is to be changed for */
    SUM_REFUSED, /* an error was replied */
};

/* In edit->number: the value, then what was added. */
static enum sum add_whole(struct call *call, const struct demand *demand,
                          const struct cache_view *old, int64_t *value,
                          int64_t *added)
{
    int64_t before = 0;
    if (old && !call_int_of(old, &before)) {
        reply_error(&call->reply, ERROR_NOT_INT);
        return SUM_REFUSED;
    }
    *value = before;
    *added = 0;
    int64_t after;
    bool beyond = __builtin_add_overflow(before, demand->step, &after);
    if (beyond)
        after = demand->step > 0 ? INT64_MAX : INT64_MIN;
    beyond = beyond || after < demand->lower || after > demand->upper;
    if (beyond && !demand->saturate)
        return SUM_OUTSIDE;
    after = after > demand->upper ? demand->upper : after;
    after = after < demand->lower ? demand->lower : after;
    if (__builtin_sub_overflow(after, before, added)) {
        reply_error(&call->reply, "ERR applied increment would overflow");
        return SUM_REFUSED;
    }
    *value = after;
    return SUM_STORE;
}

static enum sum add_fraction(struct call *call, const struct demand *demand,
                             const struct cache_view *old, long double *value,
                             long double *added)
{
    long double before = 0;
    if (old && !call_float_of(old, &before)) {
        reply_error(&call->reply, ERROR_NOT_FLOAT);
        return SUM_REFUSED;
    }
    if (isinf(before)) {
        reply_error(&call->reply, "ERR value cannot be Infinity");
        return SUM_REFUSED;
    }
    *value = before;
    *added = 0;
    long double after = before + demand->step_f;
    bool beyond =
        isinf(after) || after < demand->lower_f || after > demand->upper_f;
    if (beyond && !demand->saturate)
        return SUM_OUTSIDE;
    after = after > demand->upper_f ? demand->upper_f : after;
    after = after < demand->lower_f ? demand->lower_f : after;
    if (isinf(after - before)) {
        reply_error(&call->reply, "ERR applied increment would be Infinity");
        return SUM_REFUSED;
    }
    *value = after;
    *added = after - before;
    return SUM_STORE;
}

/* ------------------------------------------------------------- the command */

static void reply_fraction(struct call *call, long double number)
{
    char text[TEXT_FLOAT_MAX];
    reply_decimal(&call->reply, text, text_of_float(number, text));
}

static void answer(struct call *call, const struct demand *demand,
                   const struct call_edit *edit)
{
    reply_array(&call->reply, 2);
    if (demand->by == BY_FLOAT) {
        reply_decimal(&call->reply, edit->text, edit->len);
        reply_fraction(call, edit->fraction);
    } else {
        int64_t value = 0;
        text_to_int(edit->text, edit->len, &value);
        reply_int(&call->reply, value);
        reply_int(&call->reply, edit->number);
    }
}

/* What is to be stored, as text, and how much was added. */
static enum sum compute(struct call *call, const struct cache_view *old,
                        struct call_edit *edit)
{
    const struct demand *demand = edit->ctx;
    bool allowed =
        !(demand->must_be_new && old) && !(demand->must_exist && !old);
    struct demand same = *demand; /* nothing is added where it is forbidden */
    enum sum sum;
    size_t len;
    if (!allowed)
        same.step_f = same.step = 0;
    if (demand->by == BY_FLOAT) {
        long double value;
        sum = add_fraction(call, &same, old, &value, &edit->fraction);
        if (sum == SUM_REFUSED)
            return sum;
        len = text_of_float(value, edit->text);
    } else {
        int64_t value;
        sum = add_whole(call, &same, old, &value, &edit->number);
        if (sum == SUM_REFUSED)
            return sum;
        len = text_of_int(value, edit->text);
    }
    call_edit_add(edit, (struct call_part){
                            .from = CALL_TEXT, .text = edit->text, .len = len});
    return allowed ? sum : SUM_OUTSIDE;
}

static bool plan(struct call *call, const struct cache_view *old,
                 struct call_edit *edit)
{
    const struct demand *demand = edit->ctx;
    enum sum sum = compute(call, old, edit);
    if (sum == SUM_OUTSIDE)
        answer(call, demand, edit);
    if (sum != SUM_STORE)
        return false;
    edit->told = NULL;
    if (demand->persist && edit->expires_at_ms) {
        edit->expires_at_ms = 0;
        edit->told = "persist";
    } else if (demand->expiry.word &&
               !(demand->only_new_expiry && edit->expires_at_ms)) {
        edit->expires_at_ms = demand->expires_at_ms;
        edit->told = "expire";
        if (edit->expires_at_ms <= call->now_ms) {
            if (cache_remove(&call->tx, call->session->db, &call->key))
                call_changed(call, &call->key, CHANGE_GENERIC, "del");
            answer(call, demand, edit);
            return false;
        }
    }
    return true;
}

static void stored(struct call *call, const struct call_edit *edit)
{
    const struct demand *demand = edit->ctx;
    call_changed(call, &call->key, CHANGE_STRING,
                 demand->by == BY_FLOAT ? "incrbyfloat" : "incrby");
    if (edit->told)
        call_changed(call, &call->key, CHANGE_GENERIC, edit->told);
    answer(call, demand, edit);
}

enum command_result cmd_increx(struct call *call)
{
    static const struct call_editor increx = {plan, stored};
    struct demand demand = {.step = 1,
                            .lower = INT64_MIN,
                            .upper = INT64_MAX,
                            .lower_f = -LDBL_MAX,
                            .upper_f = LDBL_MAX};
    if (!parse(call, &demand))
        return COMMAND_DONE;
    return call_edit(call, &increx, &demand);
}
