/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Commands that list the fields of a hash: all, those that match a pattern, or
 * some at random.  Which ones is known before the reply begins, since it begins
 * with their count:
 *
 *   hash -> choose: a bit for each field -> list: the reply, a slice a turn
 */

#include "hash.h"

#include <string.h>

#include "platform.h"
#include "scan_options.h"

enum {
    MATCH_STEPS = 64 * 1024, /* before others have a turn */
    PICKS_MAX = 1 << 20,     /* with repetitions, by one HRANDFIELD */
};

enum shape { NAMES = 1, VALUES = 2, BOTH = NAMES | VALUES };

struct list {
    struct call *call;
    struct hash hash;
    struct packed_walk walk; /* what is still to be chosen, or replied */
    size_t number;           /* of the field that is next */
    enum shape shape;
    bool nested; /* each with its value is an array */
    bool choosing;
    bool some;    /* only those that are chosen */
    size_t count; /* of these */
    struct text_glob glob;
    uint64_t chosen[HASH_FIELDS_MAX / 64];
};

static void rewind_list(struct list *list)
{
    list->walk = packed_begin(&list->hash.packed);
    list->number = 0;
}

/* Looks at the key; false: an error was replied. */
static bool open_list(struct list *list, struct call *call, enum shape shape)
{
    if (!hash_open(call, &list->hash))
        return false;
    list->call = call;
    list->shape = shape;
    list->nested = list->choosing = list->some = false;
    list->count = 0;
    if (hash_exists(&list->hash)) {
        rewind_list(list);
        list->count = list->walk.left;
    }
    return true;
}

static void free_list(void *state)
{
    struct list *list = state;
    hash_close(&list->hash);
    hash_unkeep(list->call, list, sizeof *list);
}

/* Goes on in another turn. */
static enum command_result keep_list(struct list *list, struct call *call)
{
    if (call->state)
        return COMMAND_AGAIN;
    list = hash_keep(call, list, sizeof *list, free_list);
    hash_bind(&list->hash);
    list->walk.packed = &list->hash.packed;
    call->owned_bytes = call_old_pinned(&list->hash.old);
    return COMMAND_AGAIN;
}

/* The reply was the last of it. */
static enum command_result end_list(struct list *list, struct call *call)
{
    if (!call->state)
        hash_close(&list->hash);
    return COMMAND_DONE;
}

static bool is_chosen(const struct list *list, size_t number)
{
    return !list->some || (list->chosen[number / 64] >> number % 64 & 1);
}

static void choose(struct list *list, size_t number)
{
    list->chosen[number / 64] |= UINT64_C(1) << number % 64;
    list->count++;
}

static void choose_none(struct list *list)
{
    list->some = true;
    list->count = 0;
    memset(list->chosen, 0, sizeof list->chosen);
}

static void reply_field(struct list *list, struct call *call,
                        const struct packed_field *field)
{
    struct hash *hash = &list->hash;
    if (list->nested)
        reply_array(&call->reply, 2);
    if (list->shape & NAMES)
        hash_reply(call, hash, field->name, field->name_len);
    if (list->shape & VALUES)
        hash_reply(call, hash, field->value, field->value_len);
}

/* Replies with a slice of those that are chosen. */
static enum command_result reply_list(struct list *list, struct call *call)
{
    struct packed_field field;
    size_t enough = call_replied(call) + hash_room(call);
    for (size_t i = 0; list->count > 0; i++) {
        if (i == HASH_SLICE_FIELDS || call_replied(call) > enough)
            return keep_list(list, call);
        packed_next(&list->walk, &field);
        if (!is_chosen(list, list->number++))
            continue;
        reply_field(list, call, &field);
        list->count--;
    }
    return end_list(list, call);
}

static enum command_result list_all(struct call *call, enum shape shape)
{
    struct list fresh;
    if (call->state)
        return reply_list(call->state, call);
    if (!open_list(&fresh, call, shape))
        return COMMAND_DONE;
    if (shape == BOTH)
        reply_map(&call->reply, fresh.count);
    else
        reply_array(&call->reply, fresh.count);
    return reply_list(&fresh, call);
}

enum command_result cmd_hgetall(struct call *call)
{
    return list_all(call, BOTH);
}

enum command_result cmd_hkeys(struct call *call)
{
    return list_all(call, NAMES);
}

enum command_result cmd_hvals(struct call *call)
{
    return list_all(call, VALUES);
}

/* ----------------------------------------------------------------- HSCAN */

/* True: all fields were held against the pattern. */
static bool match_slice(struct list *list, const struct arg *pattern,
                        char *scratch)
{
    struct packed *packed = &list->hash.packed;
    struct packed_field field;
    size_t steps = MATCH_STEPS;
    for (size_t i = 0; i < HASH_SLICE_FIELDS; i++) {
        struct packed_walk here = list->walk;
        if (!packed_next(&list->walk, &field))
            return true;
        const char *name =
            packed_bytes(packed, field.name, field.name_len, scratch);
        enum text_match match =
            text_glob_some(&list->glob, pattern->ptr, pattern->len, name,
                           field.name_len, false, &steps);
        if (match == TEXT_MORE) {
            list->walk = here;
            return false;
        }
        if (match == TEXT_YES)
            choose(list, list->number);
        list->number++;
        list->glob = (struct text_glob){0};
    }
    return false;
}

__attribute__((noinline)) static bool match_in_pieces(struct list *list,
                                                      const struct arg *pattern)
{
    char scratch[HASH_NAME_MAX];
    return match_slice(list, pattern, scratch);
}

static enum command_result scan_list(struct list *list, struct call *call,
                                     const struct arg *pattern)
{
    if (list->choosing) {
        bool all = list->hash.packed.bytes ? match_slice(list, pattern, NULL)
                                           : match_in_pieces(list, pattern);
        if (!all)
            return keep_list(list, call);
        list->choosing = false;
        rewind_list(list);
    }
    if (list->number == 0 && list->walk.left > 0) {
        reply_array(&call->reply, 2);
        reply_bulk_text(&call->reply, "0");
        reply_array(&call->reply, 2 * list->count);
    }
    return reply_list(list, call);
}

static enum command_result scan_nothing(struct call *call)
{
    reply_array(&call->reply, 2);
    reply_bulk_text(&call->reply, "0");
    reply_array(&call->reply, 0);
    return COMMAND_DONE;
}

/* All of them at once: the next cursor is always 0. */
enum command_result cmd_hscan(struct call *call)
{
    struct list fresh, *list = call->state;
    struct scan_options options;
    uint64_t cursor;
    if (list)
        return scan_options(call, 3, false, &options)
                   ? scan_list(list, call, options.pattern)
                   : COMMAND_DONE;
    if (!scan_cursor(call, 2, &cursor) || !open_list(&fresh, call, BOTH))
        return COMMAND_DONE;
    if (!hash_exists(&fresh.hash))
        return scan_nothing(call);
    if (!scan_options(call, 3, false, &options))
        return end_list(&fresh, call);
    if (options.pattern) {
        choose_none(&fresh);
        fresh.choosing = true;
        fresh.glob = (struct text_glob){0};
    }
    return scan_list(&fresh, call, options.pattern);
}

/* ------------------------------------------------------------ HRANDFIELD */

static uint64_t random_start(const struct call *call)
{
    const struct platform *platform = call->server->platform;
    uint64_t random;
    if (!platform->random(platform->ctx, &random, sizeof random))
        random = (uint64_t)call->now_ms;
    return random;
}

static uint64_t random_below(uint64_t *random, uint64_t limit)
{
    *random =
        *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*random >> 32) % limit;
}

/* Each of the fields is as likely to be among the `wanted`. */
static void choose_some(struct list *list, size_t wanted, uint64_t random)
{
    size_t left = list->count;
    choose_none(list);
    for (size_t i = 0; list->count < wanted; i++, left--)
        if (random_below(&random, left) < wanted - list->count)
            choose(list, i);
}

/* Repetitions: where the fields begin, and how many are still wanted. */
struct picks {
    struct list list;
    uint64_t random;
    size_t left, fields;
    uint32_t begin[HASH_FIELDS_MAX];
};

static void free_picks(void *state)
{
    struct picks *picks = state;
    struct call *call = picks->list.call;
    hash_close(&picks->list.hash);
    hash_unkeep(call, picks, sizeof *picks);
}

static enum command_result reply_picks(struct picks *picks, struct call *call)
{
    struct list *list = &picks->list;
    size_t enough = call_replied(call) + hash_room(call);
    for (size_t i = 0; picks->left > 0; i++, picks->left--) {
        if (i == HASH_SLICE_FIELDS || call_replied(call) > enough)
            return COMMAND_AGAIN;
        struct packed_field field;
        struct packed_walk walk = {
            .packed = &list->hash.packed,
            .at = picks->begin[random_below(&picks->random, picks->fields)],
            .left = 1,
        };
        packed_next(&walk, &field);
        reply_field(list, call, &field);
    }
    return COMMAND_DONE;
}

static enum command_result pick(struct list *list, struct call *call,
                                size_t count, uint64_t random)
{
    struct picks fresh;
    struct packed_field field;
    fresh.list = *list;
    fresh.random = random;
    fresh.left = count;
    fresh.fields = 0;
    while (packed_next(&list->walk, &field))
        fresh.begin[fresh.fields++] = (uint32_t)field.begin;
    struct picks *picks = hash_keep(call, &fresh, sizeof fresh, free_picks);
    hash_bind(&picks->list.hash);
    call->owned_bytes = call_old_pinned(&list->hash.old);
    return reply_picks(picks, call);
}

/* HRANDFIELD key count [WITHVALUES].  False: an error was replied. */
static bool parse_random(struct call *call, int64_t *count)
{
    static const char out_of_range[] =
        "ERR value is out of range, value must between "
        "-9223372036854775807 and 9223372036854775807";
    bool pairs = call->argc == 4 && arg_is(&call->argv[3], "withvalues");
    const char *error = NULL;
    if (!call_int(call, 2, count))
        return false;
    if (*count == INT64_MIN)
        error = out_of_range;
    else if (call->argc > 3 && !pairs)
        error = ERROR_SYNTAX;
    else if (pairs && (*count > INT64_MAX / 2 || *count < -INT64_MAX / 2))
        error = "ERR value is out of range";
    if (error)
        reply_error(&call->reply, error);
    return !error;
}

static enum command_result too_many_picks(struct list *list, struct call *call)
{
    reply_errorf(
        &call->reply,
        "ERR value is out of range, at most %d fields with repetitions",
        PICKS_MAX);
    return end_list(list, call);
}

static enum command_result one_at_random(struct call *call)
{
    struct list list;
    if (!open_list(&list, call, NAMES))
        return COMMAND_DONE;
    if (!hash_exists(&list.hash)) {
        reply_null(&call->reply);
        return COMMAND_DONE;
    }
    choose_some(&list, 1, random_start(call));
    return reply_list(&list, call);
}

enum command_result cmd_hrandfield(struct call *call)
{
    struct list fresh;
    int64_t count;
    if (call->argc == 2)
        return one_at_random(call);
    if (!parse_random(call, &count))
        return COMMAND_DONE;
    if (call->state)
        return count < 0 ? reply_picks(call->state, call)
                         : reply_list(call->state, call);
    if (!open_list(&fresh, call, call->argc == 4 ? BOTH : NAMES))
        return COMMAND_DONE;
    bool pairs = fresh.shape == BOTH;
    if (count < -PICKS_MAX && hash_exists(&fresh.hash))
        return too_many_picks(&fresh, call);
    fresh.nested = pairs && call->reply.resp == 3;
    if (count >= 0 && (uint64_t)count < fresh.count)
        choose_some(&fresh, (size_t)count, random_start(call));
    size_t replies =
        count < 0 && fresh.count > 0 ? (size_t)-count : fresh.count;
    reply_array(&call->reply, replies << (pairs && !fresh.nested));
    if (count < 0 && fresh.count > 0)
        return pick(&fresh, call, replies, random_start(call));
    return reply_list(&fresh, call);
}
