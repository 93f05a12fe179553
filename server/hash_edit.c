/* SPDX-License-Identifier: BSD-3-Clause */
/* Planning how a hash changes. */

#include "hash_edit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"

/* --------------------------------------------------------------- requests */

/* Room for the parts of many names.  False: an error was replied. */
static bool make_room(struct hash_edit *edit, struct call *call)
{
    size_t parts = 4 * edit->names.count + 2;
    size_t heads =
        2 * PACKED_NUMBER_MAX * edit->names.count + PACKED_NUMBER_MAX;
    size_t bytes = parts * sizeof *edit->parts + heads;
    struct pool *pool = call->server->pool;
    if (pool_used(pool) + bytes <= pool_limit(pool))
        edit->parts = malloc(bytes);
    if (!edit->parts) {
        reply_error(&call->reply, ERROR_NO_ROOM);
        return false;
    }
    edit->heads = (char *)(edit->parts + parts);
    edit->charged = bytes;
    pool_charge(pool, bytes);
    return true;
}

static bool has_pairs(const struct hash_verb *verb)
{
    return verb->what == HASH_SET || verb->what == HASH_SET_NEW;
}

/* False: an error was replied. */
static bool check(struct call *call, const struct hash_verb *verb)
{
    size_t step = has_pairs(verb) ? 2 : 1;
    if (step == 2 && call->argc % 2 != 0) {
        reply_errorf(&call->reply,
                     "ERR wrong number of arguments for '%s' command",
                     call->command->name);
        return false;
    }
    for (size_t i = 2; verb->what != HASH_REMOVE && i < call->argc; i += step)
        if (call->argv[i].len > HASH_NAME_MAX) {
            reply_errorf(&call->reply,
                         "ERR field is too long, at most %d bytes",
                         HASH_NAME_MAX);
            return false;
        }
    return true;
}

bool hash_edit_init(struct hash_edit *edit, struct call *call,
                    const struct hash_verb *verb)
{
    edit->verb = verb;
    edit->parts = NULL;
    edit->heads = NULL;
    edit->charged = 0;
    if (verb->parse && !verb->parse(call, edit))
        return false;
    if (!check(call, verb) ||
        !hash_names_init(&edit->names, call, 2, has_pairs(verb) ? 2 : 1))
        return false;
    if (verb->what == HASH_COMPUTE)
        edit->names.count = 1; /* the other argument is the step */
    if (edit->names.count > HASH_EDIT_FEW && !make_room(edit, call)) {
        hash_names_free(&edit->names);
        return false;
    }
    return true;
}

void hash_edit_free(struct hash_edit *edit)
{
    if (edit->charged)
        pool_give(edit->names.call->server->pool, edit->charged);
    edit->charged = 0;
    hash_names_free(&edit->names);
    free(edit->parts);
    edit->parts = NULL;
}

/* ------------------------------------------------------------------ parts */

static struct call_part *parts_of(struct hash_edit *edit)
{
    return edit->parts ? edit->parts : edit->few_parts;
}

const struct call_part *hash_edit_parts(const struct hash_edit *edit)
{
    return edit->parts ? edit->parts : edit->few_parts;
}

static void add_part(struct hash_edit *edit, struct call_part part)
{
    edit->len += part.len;
    if (part.len > 0)
        parts_of(edit)[edit->part_count++] = part;
}

/* The old one up to there stays, from where it was last changed. */
static void keep_until(struct hash_edit *edit, size_t end)
{
    add_part(edit, (struct call_part){.from = CALL_OLD,
                                      .at = edit->kept,
                                      .len = end - edit->kept});
}

static char *head_room(struct hash_edit *edit)
{
    return (edit->heads ? edit->heads : edit->few_heads) + edit->head_len;
}

static void add_head(struct hash_edit *edit, size_t name_len, size_t value_len)
{
    char *head = head_room(edit);
    size_t len = packed_put_lengths(head, name_len, value_len);
    edit->head_len += len;
    add_part(edit,
             (struct call_part){.from = CALL_TEXT, .text = head, .len = len});
}

static void add_argument(struct hash_edit *edit, size_t arg)
{
    add_part(edit, (struct call_part){.from = CALL_ARGUMENT,
                                      .arg = arg,
                                      .len = edit->names.call->argv[arg].len});
}

/* A field with its new value. */
static void add_field(struct hash_edit *edit, const struct hash_name *name)
{
    const struct arg *argv = edit->names.call->argv;
    size_t value = hash_names_at(&edit->names, name->last)->arg + 1;
    bool computed = edit->verb->what == HASH_COMPUTE;
    add_head(edit, argv[name->arg].len,
             computed ? edit->text_len : argv[value].len);
    add_argument(edit, name->arg);
    if (computed)
        add_part(edit, (struct call_part){.from = CALL_TEXT,
                                          .text = edit->text,
                                          .len = edit->text_len});
    else
        add_argument(edit, value);
}

/* --------------------------------------------------------------- planning */

static const char *compute(struct hash_edit *edit, struct packed *old,
                           const struct packed_field *field)
{
    char scratch[TEXT_FLOAT_MAX];
    if (edit->verb->what != HASH_COMPUTE)
        return NULL;
    if (!old)
        return edit->verb->compute(edit, NULL, 0);
    size_t len =
        field->value_len < TEXT_FLOAT_MAX ? field->value_len : TEXT_FLOAT_MAX;
    return edit->verb->compute(
        edit, packed_bytes(old, field->value, len, scratch), len);
}

/* A field that is there and in the request. */
static const char *change(struct hash_edit *edit, struct packed *old,
                          const struct packed_field *field,
                          struct hash_name *name)
{
    name->found = true;
    if (edit->verb->what == HASH_SET_NEW)
        return NULL;
    keep_until(edit, field->begin);
    edit->kept = field->end;
    edit->changes = true;
    if (edit->verb->what == HASH_REMOVE) {
        edit->removed++;
        return NULL;
    }
    const char *error = compute(edit, old, field);
    if (!error)
        add_field(edit, name);
    return error;
}

static const char *change_old(struct hash_edit *edit, struct packed *old,
                              char *scratch)
{
    struct packed_walk walk = packed_begin(old);
    struct packed_field field;
    const char *error = NULL;
    while (!error && packed_next(&walk, &field)) {
        const char *ptr =
            packed_bytes(old, field.name, field.name_len, scratch);
        struct hash_name *name =
            hash_names_find(&edit->names, ptr, field.name_len);
        if (name)
            error = change(edit, old, &field, name);
    }
    return error;
}

/* Kept apart for the sake of its stack. */
__attribute__((noinline)) static const char *
change_old_in_pieces(struct hash_edit *edit, struct packed *old)
{
    char scratch[HASH_NAME_MAX];
    return change_old(edit, old, scratch);
}

/* The fields that are not there yet, in the order of the request. */
static const char *add_new(struct hash_edit *edit)
{
    for (size_t i = 0; i < edit->names.count; i++) {
        const struct hash_name *name = hash_names_at(&edit->names, i);
        if (name->first != i || name->found)
            continue;
        const char *error = compute(edit, NULL, NULL);
        if (error)
            return error;
        add_field(edit, name);
        edit->added++;
        edit->changes = true;
    }
    return NULL;
}

/* The number at the front. */
static void add_count(struct hash_edit *edit)
{
    struct call_part *front = parts_of(edit);
    char *head = head_room(edit);
    *front = (struct call_part){.from = CALL_TEXT,
                                .text = head,
                                .len = packed_put_number(head, edit->fields)};
    edit->len += front->len;
}

const char *hash_edit_plan(struct hash_edit *edit, struct packed *old)
{
    const char *error = NULL;
    edit->added = edit->removed = edit->len = edit->kept = edit->head_len = 0;
    edit->part_count = 1; /* for the number at the front */
    edit->changes = false;
    edit->fields = old ? packed_count(old, &edit->kept) : 0;
    for (size_t i = 0; i < edit->names.count; i++)
        hash_names_at(&edit->names, i)->found = false;
    if (old)
        error = old->bytes ? change_old(edit, old, NULL)
                           : change_old_in_pieces(edit, old);
    if (!error && old)
        keep_until(edit, old->len);
    if (!error && edit->verb->what != HASH_REMOVE)
        error = add_new(edit);
    if (error)
        return error;
    edit->fields = edit->fields + edit->added - edit->removed;
    add_count(edit);
    if (edit->fields > HASH_FIELDS_MAX)
        return "ERR hash would have too many fields, at most 4096";
    if (edit->len > HASH_BYTES_MAX)
        return "ERR hash would be too long, at most 67108864 bytes";
    return NULL;
}

void hash_edit_build(const struct hash_edit *edit, const char *old, char *to)
{
    const struct call_part *parts = hash_edit_parts(edit);
    for (size_t i = 0; i < edit->part_count; i++) {
        const struct call_part *part = &parts[i];
        const char *from = part->from == CALL_OLD ? old
                           : part->from == CALL_ARGUMENT
                               ? edit->names.call->argv[part->arg].ptr
                               : part->text;
        memcpy(to, from + part->at, part->len);
        to += part->len;
    }
}
