/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nobody sees half of what is one: some clients write the same value under many
 * keys, or remove them all, others look whether all are alike.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/call.h"
#include "tests/live.h"
#include "tests/sanitized.h"

enum { KEYS_MAX = CALL_ATOMIC_KEYS, KEY_LEN = 16 };

static char keys[KEYS_MAX][KEY_LEN];

/* What all of them are about. */
struct scene {
    struct live *live;
    size_t keys, value_len;
    unsigned rounds;      /* of each reader */
    atomic_uint readers;  /* that have not finished */
    atomic_uint differed; /* how often one saw keys that were not alike */
    atomic_uint broken;   /* replies that were no replies */
};

struct actor {
    struct scene *scene;
    bool (*act)(struct actor *actor, unsigned round);
    bool reads;
    redisContext *redis;
    const char **argv;
    size_t *lens;
    char *value;
    unsigned number;
    pthread_t thread;
};

/* --------------------------------------------------------------- requests */

static void set_arg(struct actor *actor, size_t i, const char *text, size_t len)
{
    actor->argv[i] = text;
    actor->lens[i] = len;
}

/* The command with all keys, each with the value if there is one. */
static redisReply *ask(struct actor *actor, const char *command, bool values)
{
    size_t n = 0;
    set_arg(actor, n++, command, strlen(command));
    for (size_t i = 0; i < actor->scene->keys; i++) {
        set_arg(actor, n++, keys[i], strlen(keys[i]));
        if (values)
            set_arg(actor, n++, actor->value, actor->scene->value_len);
    }
    return redisCommandArgv(actor->redis, (int)n, actor->argv, actor->lens);
}

/* The command once for each key, between MULTI and EXEC: EXEC's reply. */
static redisReply *ask_exec(struct actor *actor, const char *command,
                            bool values)
{
    redisReply *reply = NULL;
    redisAppendCommand(actor->redis, "MULTI");
    for (size_t i = 0; i < actor->scene->keys; i++) {
        set_arg(actor, 0, command, strlen(command));
        set_arg(actor, 1, keys[i], strlen(keys[i]));
        set_arg(actor, 2, actor->value, actor->scene->value_len);
        redisAppendCommandArgv(actor->redis, values ? 3 : 2, actor->argv,
                               actor->lens);
    }
    redisAppendCommand(actor->redis, "EXEC");
    for (size_t i = 0; i < actor->scene->keys + 2; i++) {
        freeReplyObject(reply);
        reply = NULL;
        if (redisGetReply(actor->redis, (void **)&reply) != REDIS_OK)
            return NULL;
    }
    return reply;
}

/* A value that is like no other. */
static void set_value(struct actor *actor, unsigned round)
{
    char head[24];
    snprintf(head, sizeof head, "%03u.%08u", actor->number, round);
    memcpy(actor->value, head, strlen(head));
}

static bool is(redisReply *reply, int type)
{
    bool well = reply && reply->type == type;
    freeReplyObject(reply);
    return well;
}

/* ----------------------------------------------------------------- writers */

static bool sets_all(struct actor *actor, unsigned round)
{
    set_value(actor, round);
    return is(ask(actor, "MSET", true), REDIS_REPLY_STATUS);
}

static bool sets_each(struct actor *actor, unsigned round)
{
    set_value(actor, round);
    return is(ask_exec(actor, "SET", true), REDIS_REPLY_ARRAY);
}

static bool removes_or_sets_new(struct actor *actor, unsigned round)
{
    set_value(actor, round);
    return round % 2 ? is(ask(actor, "DEL", false), REDIS_REPLY_INTEGER)
                     : is(ask(actor, "MSETNX", true), REDIS_REPLY_INTEGER);
}

/* The first key becomes the second, and that the first again. */
static bool renames(struct actor *actor, unsigned round)
{
    return is(redisCommand(actor->redis, "RENAME %s %s", keys[round % 2],
                           keys[(round + 1) % 2]),
              REDIS_REPLY_STATUS);
}

/* ----------------------------------------------------------------- readers */

static bool compare(struct actor *actor, redisReply *reply)
{
    bool well = reply && reply->type == REDIS_REPLY_ARRAY &&
                reply->elements == actor->scene->keys;
    for (size_t i = 1; well && i < reply->elements; i++) {
        const redisReply *a = reply->element[0], *b = reply->element[i];
        if (a->type != b->type || a->len != b->len ||
            (a->str && memcmp(a->str, b->str, a->len) != 0)) {
            atomic_fetch_add(&actor->scene->differed, 1);
            break;
        }
    }
    freeReplyObject(reply);
    return well;
}

static bool gets_all(struct actor *actor, unsigned round)
{
    (void)round;
    return compare(actor, ask(actor, "MGET", false));
}

static bool gets_each(struct actor *actor, unsigned round)
{
    (void)round;
    return compare(actor, ask_exec(actor, "GET", false));
}

static bool counts_all(struct actor *actor, unsigned round)
{
    redisReply *reply = ask(actor, round % 2 ? "EXISTS" : "TOUCH", false);
    bool well = reply && reply->type == REDIS_REPLY_INTEGER;
    if (well && reply->integer != 0 &&
        reply->integer != (long long)actor->scene->keys)
        atomic_fetch_add(&actor->scene->differed, 1);
    freeReplyObject(reply);
    return well;
}

/* Of two keys one is there. */
static bool finds_one(struct actor *actor, unsigned round)
{
    (void)round;
    redisReply *reply = ask(actor, "MGET", false);
    bool well = reply && reply->type == REDIS_REPLY_ARRAY;
    if (well && !reply->element[0]->str == !reply->element[1]->str)
        atomic_fetch_add(&actor->scene->differed, 1);
    freeReplyObject(reply);
    return well;
}

static bool counts_one(struct actor *actor, unsigned round)
{
    redisReply *reply = ask(actor, round % 2 ? "EXISTS" : "TOUCH", false);
    bool well = reply && reply->type == REDIS_REPLY_INTEGER;
    if (well && reply->integer != 1)
        atomic_fetch_add(&actor->scene->differed, 1);
    freeReplyObject(reply);
    return well;
}

/* ----------------------------------------------------------------- the play */

static void *play(void *ctx)
{
    struct actor *actor = ctx;
    struct scene *scene = actor->scene;
    for (unsigned round = 0;
         actor->reads ? round < scene->rounds : scene->readers > 0; round++)
        if (!actor->act(actor, round)) {
            atomic_fetch_add(&scene->broken, 1);
            break;
        }
    if (actor->reads)
        atomic_fetch_sub(&scene->readers, 1);
    return NULL;
}

static void begin(struct actor *actor, unsigned number)
{
    struct scene *scene = actor->scene;
    actor->number = number;
    actor->redis = live_connect(scene->live);
    actor->argv = calloc(2 * scene->keys + 3, sizeof *actor->argv);
    actor->lens = calloc(2 * scene->keys + 3, sizeof *actor->lens);
    actor->value = malloc(scene->value_len);
    assert_true(actor->argv && actor->lens && actor->value);
    memset(actor->value, 'v', scene->value_len);
    assert_int_equal(pthread_create(&actor->thread, NULL, play, actor), 0);
}

static void end(struct actor *actor)
{
    pthread_join(actor->thread, NULL);
    redisFree(actor->redis);
    free(actor->argv);
    free(actor->lens);
    free(actor->value);
}

static void run_actors(struct scene *scene, struct actor *actors,
                       unsigned count)
{
    scene->rounds = SANITIZED ? scene->rounds / 4 + 1 : scene->rounds;
    for (unsigned i = 0; i < count; i++)
        scene->readers += actors[i].reads;
    for (unsigned i = 0; i < count; i++) {
        actors[i].scene = scene;
        begin(&actors[i], i);
    }
    for (unsigned i = 0; i < count; i++)
        end(&actors[i]);
    assert_int_equal(scene->broken, 0);
    assert_int_equal(scene->differed, 0);
}

static void run(void **state, size_t key_count, size_t value_len,
                unsigned rounds)
{
    struct scene scene = {.live = *state,
                          .keys = key_count,
                          .value_len = value_len,
                          .rounds = rounds};
    struct actor actors[] = {
        {.act = sets_all},
        {.act = sets_each},
        {.act = removes_or_sets_new},
        {.act = gets_all, .reads = true},
        {.act = gets_each, .reads = true},
        {.act = counts_all, .reads = true},
    };
    redisContext *redis = live_connect(*state);
    live_text(redis, "FLUSHALL");
    redisFree(redis);
    run_actors(&scene, actors, sizeof actors / sizeof *actors);
}

static void two_keys_are_one(void **state)
{
    run(state, 2, 20, 4000);
}

static void a_transaction_of_keys_is_one(void **state)
{
    run(state, 100, 20, 300);
}

/* More than one transaction can have. */
static void several_transactions_are_one(void **state)
{
    run(state, 3 * CALL_SLICE_KEYS, 20, 40);
}

/* More than one transaction may reply. */
static void long_replies_are_one(void **state)
{
    run(state, 40, 12000, 100);
}

static void a_rename_is_one(void **state)
{
    struct scene scene = {
        .live = *state, .keys = 2, .value_len = 20, .rounds = 4000};
    struct actor actors[] = {
        {.act = renames},
        {.act = finds_one, .reads = true},
        {.act = counts_one, .reads = true},
    };
    redisContext *redis = live_connect(*state);
    live_text(redis, "FLUSHALL");
    live_text(redis, "SET %s 1", keys[0]);
    redisFree(redis);
    run_actors(&scene, actors, sizeof actors / sizeof *actors);
}

/* ------------------------------------------------------------------- WATCH */

enum { COUNTERS = 4, COUNT = SANITIZED ? 50 : 300 };

/* Adds to a number as clients do that have no INCR. */
static void *count_up(void *ctx)
{
    redisContext *redis = live_connect(ctx);
    for (int done = 0; done < COUNT;) {
        freeReplyObject(redisCommand(redis, "WATCH number"));
        redisReply *reply = redisCommand(redis, "GET number");
        long long number = reply->str ? atoll(reply->str) : 0;
        freeReplyObject(reply);
        freeReplyObject(redisCommand(redis, "MULTI"));
        freeReplyObject(redisCommand(redis, "SET number %lld", number + 1));
        reply = redisCommand(redis, "EXEC");
        done += reply->type == REDIS_REPLY_ARRAY;
        freeReplyObject(reply);
    }
    redisFree(redis);
    return NULL;
}

static void no_update_is_lost(void **state)
{
    pthread_t threads[COUNTERS];
    redisContext *redis = live_connect(*state);
    live_text(redis, "SET number 0");
    for (int i = 0; i < COUNTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, *state),
                         0);
    for (int i = 0; i < COUNTERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atoi(live_text(redis, "GET number")), COUNTERS * COUNT);
    redisFree(redis);
}

/* Four threads: more than there are connections that could share one. */
static int setup(void **state)
{
    for (size_t i = 0; i < KEYS_MAX; i++)
        snprintf(keys[i], KEY_LEN, "key:%zu", i);
    *state = live_start("--threads", "4", "--maxmemory", "1gb", NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_keys_are_one),
        cmocka_unit_test(a_transaction_of_keys_is_one),
        cmocka_unit_test(several_transactions_are_one),
        cmocka_unit_test(long_replies_are_one),
        cmocka_unit_test(a_rename_is_one),
        cmocka_unit_test(no_update_is_lost),
    };
    return cmocka_run_group_tests(tests, setup, live_teardown);
}
