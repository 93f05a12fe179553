/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on hashes against a list of fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/hash.h"
#include "tests/rng.h"
#include "tests/server_kit.h"

enum { NAMES = 60, ARGS = 24, VALUE_MAX = 15000 };

/* What the hash should hold: fields in the order they came. */
struct shadow {
    struct shadow_field {
        unsigned name;
        char *value;
        size_t len;
    } fields[NAMES];
    size_t count;
};

struct world {
    struct server_kit kit;
    struct rng rng;
    struct shadow shadow;
    struct arg argv[ARGS];
    char texts[ARGS][24];
    size_t argc;
    char *values[ARGS]; /* to be freed, of the arguments */
};

static struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof *world);
    server_kit_init(&world->kit);
    world->rng.state = test_seed();
    return world;
}

static void world_free(struct world *world)
{
    for (size_t i = 0; i < world->shadow.count; i++)
        free(world->shadow.fields[i].value);
    server_kit_release(&world->kit);
    free(world);
}

/* --------------------------------------------------------------- requests */

static void begin(struct world *world, const char *name)
{
    for (size_t i = 0; i < ARGS; i++)
        free(world->values[i]);
    memset(world->values, 0, sizeof world->values);
    world->argv[0] = (struct arg){name, strlen(name)};
    world->argv[1] = (struct arg){"key", 3};
    world->argc = 2;
}

static void add_text(struct world *world, const char *format, long long number)
{
    size_t i = world->argc++;
    int len = snprintf(world->texts[i], sizeof world->texts[i], format, number);
    world->argv[i] = (struct arg){world->texts[i], (size_t)len};
}

static unsigned add_name(struct world *world)
{
    unsigned name = (unsigned)rng_below(&world->rng, NAMES);
    add_text(world, "name %lld", name);
    return name;
}

static const struct arg *add_value(struct world *world)
{
    size_t len = rng_chance(&world->rng, 100)
                     ? rng_skewed(&world->rng, VALUE_MAX)
                     : rng_below(&world->rng, 30);
    size_t i = world->argc++;
    world->values[i] = rng_bytes(len);
    world->argv[i] = (struct arg){world->values[i], len};
    return &world->argv[i];
}

/* Runs the request; its reply must be this. */
static void assert_replies(struct world *world, const struct buf *wanted)
{
    struct buf out = {0};
    struct call call =
        server_kit_call(&world->kit, world->argv, world->argc, &out);
    server_kit_run(&call);
    assert_int_equal(buf_len(&out), buf_len(wanted));
    if (buf_len(wanted) > 0)
        assert_memory_equal(out.data + out.start, wanted->data + wanted->start,
                            buf_len(wanted));
    buf_release(&out);
}

static void assert_replies_int(struct world *world, int64_t wanted)
{
    struct buf text = {0};
    struct reply reply = {&text, 2};
    reply_int(&reply, wanted);
    assert_replies(world, &text);
    buf_release(&text);
}

/* ----------------------------------------------------------------- shadow */

static struct shadow_field *shadow_find(struct shadow *shadow, unsigned name)
{
    for (size_t i = 0; i < shadow->count; i++)
        if (shadow->fields[i].name == name)
            return &shadow->fields[i];
    return NULL;
}

/* True: it is a new one. */
static bool shadow_set(struct shadow *shadow, unsigned name,
                       const struct arg *value)
{
    struct shadow_field *field = shadow_find(shadow, name);
    bool is_new = !field;
    if (is_new)
        field = &shadow->fields[shadow->count++];
    else
        free(field->value);
    field->name = name;
    field->value = malloc(value->len + 1);
    memcpy(field->value, value->ptr, value->len);
    field->len = value->len;
    return is_new;
}

static bool shadow_remove(struct shadow *shadow, unsigned name)
{
    struct shadow_field *field = shadow_find(shadow, name);
    if (!field)
        return false;
    free(field->value);
    size_t i = (size_t)(field - shadow->fields);
    memmove(field, field + 1, (--shadow->count - i) * sizeof *field);
    return true;
}

/* The whole of it, in its order. */
static void assert_same(struct world *world)
{
    struct shadow *shadow = &world->shadow;
    struct buf wanted = {0};
    struct reply reply = {&wanted, 2};
    reply_map(&reply, shadow->count);
    for (size_t i = 0; i < shadow->count; i++) {
        char name[24];
        snprintf(name, sizeof name, "name %u", shadow->fields[i].name);
        reply_bulk_text(&reply, name);
        reply_bulk(&reply, shadow->fields[i].value, shadow->fields[i].len);
    }
    begin(world, "hgetall");
    assert_replies(world, &wanted);
    buf_release(&wanted);
    begin(world, "hlen");
    struct cache_key key = cache_key_of(world->kit.server->cache, "key", 3);
    struct cache_tx tx;
    struct cache_view view;
    cache_begin(&tx, world->kit.server->cache, 1000, &key, 1);
    bool found = cache_find(&tx, 0, &key, 0, &view);
    assert_int_equal(found ? hash_count(&view) : 0, shadow->count);
    assert_true(!found || view.type == CACHE_HASH);
    cache_end(&tx);
}

/* --------------------------------------------------------------- commands */

static void set_some(struct world *world)
{
    int64_t added = 0;
    begin(world, "hset");
    for (uint64_t left = 1 + rng_below(&world->rng, ARGS / 2 - 1); left > 0;
         left--) {
        unsigned name = add_name(world);
        added += shadow_set(&world->shadow, name, add_value(world));
    }
    assert_replies_int(world, added);
}

static void set_new(struct world *world)
{
    begin(world, "hsetnx");
    unsigned name = add_name(world);
    const struct arg *value = add_value(world);
    bool is_new = !shadow_find(&world->shadow, name);
    if (is_new)
        shadow_set(&world->shadow, name, value);
    assert_replies_int(world, is_new);
}

static void remove_some(struct world *world)
{
    int64_t removed = 0;
    begin(world, "hdel");
    for (uint64_t left = 1 + rng_below(&world->rng, ARGS - 2); left > 0; left--)
        removed += shadow_remove(&world->shadow, add_name(world));
    assert_replies_int(world, removed);
}

static void count_up(struct world *world)
{
    char text[24];
    begin(world, "hset");
    unsigned name = add_name(world);
    add_text(world, "%lld", 40);
    int64_t is_new = shadow_set(&world->shadow, name, &world->argv[3]);
    assert_replies_int(world, is_new);
    begin(world, "hincrby");
    add_text(world, "name %lld", name);
    add_text(world, "%lld", (long long)rng_below(&world->rng, 100000));
    int64_t sum = 40 + atoll(world->argv[3].ptr);
    snprintf(text, sizeof text, "%lld", (long long)sum);
    struct arg value = {text, strlen(text)};
    shadow_set(&world->shadow, name, &value);
    assert_replies_int(world, sum);
}

static void get_some(struct world *world)
{
    struct buf wanted = {0};
    struct reply reply = {&wanted, 2};
    begin(world, "hmget");
    size_t count = 1 + rng_below(&world->rng, ARGS - 2);
    reply_array(&reply, count);
    while (count-- > 0) {
        struct shadow_field *field =
            shadow_find(&world->shadow, add_name(world));
        if (field)
            reply_bulk(&reply, field->value, field->len);
        else
            reply_null(&reply);
    }
    assert_replies(world, &wanted);
    buf_release(&wanted);
}

static void a_hash_is_its_fields_in_order(void **state)
{
    (void)state;
    struct world *world = world_new();
    for (unsigned i = 0; i < 6000; i++) {
        switch (rng_below(&world->rng, 7)) {
        case 0:
        case 1:
            set_some(world);
            break;
        case 2:
            set_new(world);
            break;
        case 3:
            remove_some(world);
            break;
        case 4:
            count_up(world);
            break;
        default:
            get_some(world);
        }
        assert_same(world);
        if (rng_chance(&world->rng, 10)) {
            begin(world, "hdel");
            while (world->shadow.count > 0 && world->argc < ARGS) {
                add_text(world, "name %lld", world->shadow.fields[0].name);
                shadow_remove(&world->shadow, world->shadow.fields[0].name);
            }
            if (world->argc > 2)
                assert_replies_int(world, (int64_t)world->argc - 2);
        }
    }
    begin(world, "end");
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_is_its_fields_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
