/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CALL_EDIT_H
#define CALL_EDIT_H

/*
 * Commands that make a new value of their key from the old one: APPEND,
 * SETRANGE, INCRBYFLOAT.  Each says what the new value is made of; a short one
 * is put together under the lock, a long one outside of it, as call_make.h
 * tells.
 *
 *   lock -> find -> plan -> short: store -> stored -> unlock
 *                    '----> long:  unlock, make, lock, plan, store ...
 */

#include "call.h"
#include "call_make.h"

enum { CALL_EDIT_TEXT = TEXT_FLOAT_MAX }; /* the longest of CALL_TEXT */

/* The new value. */
struct call_edit {
    struct call_part parts[CALL_PARTS];
    size_t count;
    size_t len;            /* of all parts */
    int64_t expires_at_ms; /* of the old value, unless the plan changes it */
    const void *ctx;       /* as it was given to call_edit */
    int64_t number;        /* these are the command's own */
    long double fraction;
    const char *told; /* another event, or NULL */
    char text[CALL_EDIT_TEXT];
};

static inline void call_edit_add(struct call_edit *edit, struct call_part part)
{
    if (part.len > 0)
        edit->parts[edit->count++] = part;
    edit->len += part.len;
}

struct call_editor {
    /*
     * With the transaction open; `old` is NULL if there is no such key.  False:
     * nothing is to be stored, and it has replied.  May be called several
     * times.
     */
    bool (*plan)(struct call *call, const struct cache_view *old,
                 struct call_edit *edit);
    /* It was stored: tells who listens, and replies. */
    void (*stored)(struct call *call, const struct call_edit *edit);
};

/* Runs such a command, whose row has COMMAND_OWN_TX and one key. */
enum command_result
call_edit(struct call *call, const struct call_editor *editor, const void *ctx);

#endif
