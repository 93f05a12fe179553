/* SPDX-License-Identifier: BSD-3-Clause */

/* Values as rows of bits: GETBIT, SETBIT, BITCOUNT.  Bit 0 is the highest of
 * the first byte. */

#include "call_edit.h"

#include <string.h>

#include "call_look.h"
#include "changes.h"
#include "range.h"

/* False: an error was replied. */
static bool bit_offset(struct call *call, size_t *offset)
{
    const struct arg *arg = &call->argv[2];
    int64_t value, most = atomic_load(&call->server->limits.bulk_bytes);
    bool ok = text_to_int(arg->ptr, arg->len, &value) && value >= 0 &&
              value >> 3 < most;
    if (ok)
        *offset = (size_t)value;
    else
        call_error(call, "ERR bit offset is not an integer or out of range");
    return ok;
}

static uint8_t mask_of(size_t offset)
{
    return (uint8_t)(0x80 >> (offset & 7));
}

static bool bit_is_set(const struct cache_view *view, size_t offset)
{
    char byte;
    if (!view || offset >> 3 >= view->len)
        return false;
    cache_view_copy(view, offset >> 3, &byte, 1);
    return (byte & mask_of(offset)) != 0;
}

enum command_result cmd_getbit(struct call *call)
{
    struct cache_view view;
    size_t offset;
    bool found;
    if (!bit_offset(call, &offset) ||
        !call_find_typed(call, &call->key, CACHE_STRING,
                         CACHE_TOUCH | CACHE_COUNT, &view, &found))
        return COMMAND_DONE;
    reply_int(&call->reply, found && bit_is_set(&view, offset));
    return COMMAND_DONE;
}

/* ---------------------------------------------------------------- SETBIT */

/* False: an error was replied. */
static bool bit_arguments(struct call *call, size_t *offset, bool *on)
{
    const struct arg *arg = &call->argv[3];
    if (!bit_offset(call, offset))
        return false;
    *on = arg->len == 1 && *arg->ptr == '1';
    if (*on || (arg->len == 1 && *arg->ptr == '0'))
        return true;
    call_error(call, "ERR bit is not an integer or out of range");
    return false;
}

static void setbit_done(struct call *call, bool was)
{
    call_changed(call, &call->key, CHANGE_STRING, "setbit");
    reply_int(&call->reply, was);
}

static bool plan(struct call *call, const struct cache_view *old,
                 struct call_edit *edit)
{
    size_t offset, len = old ? old->len : 0;
    bool on;
    if (!bit_arguments(call, &offset, &on))
        return false;
    size_t byte = offset >> 3;
    bool was = bit_is_set(old, offset);
    struct call_part changed = {.from = byte < len ? CALL_OLD : CALL_ZEROS,
                                .at = byte,
                                .len = 1,
                                .clear = mask_of(offset),
                                .set = on ? mask_of(offset) : 0};
    edit->number = was;
    if (byte < len && was == on) {
        reply_int(&call->reply, was);
        return false;
    }
    if (byte < len && cache_view_is_long(old)) {
        char bits;
        cache_view_copy(old, byte, &bits, 1);
        call_change_bits(&bits, 1, changed.clear, changed.set);
        if (cache_patch(old, byte, &bits, 1)) {
            setbit_done(call, was);
            return false;
        }
    }
    call_edit_add(edit, (struct call_part){.from = CALL_OLD,
                                           .len = byte < len ? byte : len});
    if (byte > len)
        call_edit_add(
            edit, (struct call_part){.from = CALL_ZEROS, .len = byte - len});
    call_edit_add(edit, changed);
    if (byte + 1 < len)
        call_edit_add(edit, (struct call_part){.from = CALL_OLD,
                                               .at = byte + 1,
                                               .len = len - byte - 1});
    return true;
}

static void stored(struct call *call, const struct call_edit *edit)
{
    setbit_done(call, edit->number);
}

enum command_result cmd_setbit(struct call *call)
{
    static const struct call_editor setbit = {plan, stored};
    size_t offset;
    bool on;
    if (!bit_arguments(call, &offset, &on))
        return COMMAND_DONE;
    return call_edit(call, &setbit, NULL);
}

/* -------------------------------------------------------------- BITCOUNT */

static void count(const struct call *call, void *sum, size_t at,
                  const char *bytes, size_t len)
{
    uint64_t bits = 0, word;
    (void)call;
    (void)at;
    for (; len >= sizeof word; len -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        bits += (unsigned)__builtin_popcountll(word);
    }
    for (; len > 0; len--)
        bits += (unsigned)__builtin_popcount((unsigned char)*bytes++);
    *(uint64_t *)sum += bits;
}

/* The bits that are counted. */
struct bits {
    struct range bytes;
    uint8_t before, after; /* of the first and last byte those that are not */
};

/* False: an error, or 0, was replied. */
static bool bits_of(struct call *call, size_t len, struct bits *bits)
{
    int64_t start = 0, end = -1;
    bool by_bit = false;
    *bits = (struct bits){{0, len}, 0, 0};
    if (call->argc == 2 && len > 0)
        return true;
    if (call->argc != 2 &&
        (!call_int(call, 2, &start) || !call_int(call, 3, &end)))
        return false;
    /* In this order: an empty range hides a wrong unit. */
    if (call->argc == 5 && !(start < 0 && end < 0 && start > end)) {
        by_bit = arg_is(&call->argv[4], "bit");
        if (!by_bit && !arg_is(&call->argv[4], "byte")) {
            call_error(call, ERROR_SYNTAX);
            return false;
        }
    }
    struct range range;
    if (!range_of(&range, start, end, by_bit ? len << 3 : len)) {
        reply_int(&call->reply, 0);
        return false;
    }
    bits->bytes = range;
    if (by_bit) {
        size_t last = range.start + range.len - 1;
        bits->bytes.start = range.start >> 3;
        bits->bytes.len = (last >> 3) - bits->bytes.start + 1;
        bits->before = (uint8_t) ~(0xff >> (range.start & 7));
        bits->after = (uint8_t)(0x7f >> (last & 7));
    }
    return true;
}

/* How many of the bits that are not counted are set. */
static int64_t beside(const struct cache_view *view, const struct bits *bits)
{
    char first, last;
    cache_view_copy(view, bits->bytes.start, &first, 1);
    cache_view_copy(view, bits->bytes.start + bits->bytes.len - 1, &last, 1);
    return __builtin_popcount((unsigned char)first & bits->before) +
           __builtin_popcount((unsigned char)last & bits->after);
}

enum command_result cmd_bitcount(struct call *call)
{
    struct cache_view view;
    struct bits bits;
    uint64_t sum = 0;
    bool found;
    if (!call_find_typed(call, &call->key, CACHE_STRING,
                         CACHE_TOUCH | CACHE_COUNT, &view, &found))
        return COMMAND_DONE;
    if (!found) {
        reply_int(&call->reply, 0);
        return COMMAND_DONE;
    }
    if (call->argc == 3 || call->argc > 5)
        return call_error(call, ERROR_SYNTAX);
    if (!bits_of(call, view.len, &bits))
        return COMMAND_DONE;
    struct call_look look = {bits.bytes.start, bits.bytes.len, count, &sum,
                             sizeof sum};
    if (!call_look(call, &view, &look))
        return COMMAND_LOOK;
    reply_int(&call->reply, (int64_t)sum - beside(&view, &bits));
    return COMMAND_DONE;
}
