/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers that cache and writers, all at once: when the writers have ended and
 * the readers have heard what they are told, no copy is an old one.
 *
 *   live_tracking_races [rounds]
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
#include <unistd.h>

#include "tests/live.h"
#include "tests/resp_reader.h"
#include "tests/rng.h"

enum {
    KEYS = 48,
    READERS = 5,
    WRITERS = 2,
    WRITES = 400,
    PATIENCE_MS = 60000,
    UNKNOWN = -1,
    NOTHING = -2, /* known to be not there */
};

struct talker {
    int fd;
    struct resp_reader reader;
    struct rng rng;
    bool optin;
    long long copies[KEYS];
};

static atomic_llong next_value;
static atomic_int writing;

/* ------------------------------------------------------------------ talking */

static void say(struct talker *t, const char *line)
{
    live_send(t->fd, line, strlen(line));
}

static void forget(struct talker *t, const struct resp *keys)
{
    if (keys->kind == '_') {
        for (int i = 0; i < KEYS; i++)
            t->copies[i] = UNKNOWN;
        return;
    }
    for (size_t i = 0; i < keys->count; i++)
        t->copies[atoi(keys->items[i].text + 2)] = UNKNOWN;
}

/* The next reply, NULL if a push came. */
static struct resp *hear(struct talker *t)
{
    struct resp *reply = resp_await(&t->reader, t->fd, PATIENCE_MS);
    if (!reply) {
        fprintf(stderr, "Nothing more was heard\n");
        abort();
    }
    if (reply->kind != '>')
        return reply;
    forget(t, &reply->items[1]);
    resp_free(reply);
    return NULL;
}

static struct resp *hear_reply(struct talker *t)
{
    struct resp *reply;
    while ((reply = hear(t)) == NULL)
        ;
    return reply;
}

static void ask_ok(struct talker *t, const char *line)
{
    say(t, line);
    struct resp *reply = hear_reply(t);
    if (reply->kind == '-')
        fail_msg("%s: %s", line, reply->text);
    resp_free(reply);
}

static long long value_of(const struct resp *reply)
{
    return reply->kind == '$' ? atoll(reply->text) : NOTHING;
}

/* -------------------------------------------------------- readers and writers
 */

/* Asks for some keys in one go, and keeps copies. */
static void read_some(struct talker *t)
{
    int keys[4], count = 1 + (int)rng_below(&t->rng, 4);
    bool many = rng_chance(&t->rng, 300);
    char text[500];
    size_t len = 0;
    for (int i = 0; i < count; i++)
        keys[i] = (int)rng_below(&t->rng, KEYS);
    if (many && t->optin)
        len += (size_t)sprintf(text + len, "CLIENT CACHING yes\r\n");
    if (many)
        len += (size_t)sprintf(text + len, "MGET");
    for (int i = 0; i < count; i++) {
        if (!many && t->optin)
            len += (size_t)sprintf(text + len, "CLIENT CACHING yes\r\n");
        len += (size_t)sprintf(text + len, many ? " k:%d" : "GET k:%d\r\n",
                               keys[i]);
    }
    sprintf(text + len, many ? "\r\n" : "%s", "");
    say(t, text);
    struct resp *all = NULL;
    for (int i = 0; i < count; i++) {
        if (t->optin && (i == 0 || !many))
            resp_free(hear_reply(t));
        if (many && i == 0)
            all = hear_reply(t);
        struct resp *one = many ? &all->items[i] : hear_reply(t);
        t->copies[keys[i]] = value_of(one);
        if (!many)
            resp_free(one);
    }
    resp_free(all);
}

static void *run_reader(void *ctx)
{
    struct talker *t = ctx;
    while (atomic_load(&writing) > 0)
        read_some(t);
    return NULL;
}

static void write_some(struct talker *t)
{
    char text[200];
    int key = (int)rng_below(&t->rng, KEYS), kind;
    long long value = atomic_fetch_add(&next_value, 2);
    kind = (int)rng_below(&t->rng, 1000);
    if (kind < 3)
        sprintf(text, "FLUSHALL\r\n");
    else if (kind < 100)
        sprintf(text, "DEL k:%d\r\n", key);
    else if (kind < 150)
        sprintf(text, "SET k:%d %lld PX 1\r\n", key, value);
    else if (kind < 250)
        sprintf(text, "MSET k:%d %lld k:%d %lld\r\n", key, value,
                (int)rng_below(&t->rng, KEYS), value + 1);
    else if (kind < 300)
        sprintf(text, "MULTI\r\nSET k:%d %lld\r\nINCR k:%d\r\nEXEC\r\n", key,
                value, key);
    else
        sprintf(text, "SET k:%d %lld\r\n", key, value);
    say(t, text);
    for (int i = 0; i < (kind >= 250 && kind < 300 ? 4 : 1); i++)
        resp_free(hear_reply(t));
}

static void *run_writer(void *ctx)
{
    struct talker *t = ctx;
    for (int i = 0; i < WRITES; i++)
        write_some(t);
    atomic_fetch_sub(&writing, 1);
    return NULL;
}

/* ------------------------------------------------------------------ the test
 */

static void open_talker(struct talker *t, const struct live *live,
                        uint64_t seed, const char *mode)
{
    char line[200];
    *t = (struct talker){.fd = live_socket(live), .rng = {seed}};
    for (int i = 0; i < KEYS; i++)
        t->copies[i] = UNKNOWN;
    if (!mode)
        return;
    ask_ok(t, "HELLO 3\r\n");
    snprintf(line, sizeof line, "CLIENT TRACKING on %s\r\n", mode);
    ask_ok(t, line);
    t->optin = strcmp(mode, "OPTIN") == 0;
}

static void close_talker(struct talker *t)
{
    close(t->fd);
    resp_release(&t->reader);
}

/* What is there now; what is told comes, or the test ends. */
static void check_copies(struct talker *t, const long long truth[KEYS])
{
    for (int i = 0; i < KEYS; i++)
        while (t->copies[i] != UNKNOWN && t->copies[i] != truth[i])
            assert_null(hear(t));
}

/* When nothing is about to expire any more. */
static void learn_truth(struct talker *t, long long truth[KEYS])
{
    char line[80];
    for (int i = 0; i < KEYS; i++) {
        long long left_ms;
        do {
            sprintf(line, "GET k:%d\r\nPTTL k:%d\r\n", i, i);
            say(t, line);
            struct resp *value = hear_reply(t), *ttl = hear_reply(t);
            truth[i] = value_of(value);
            left_ms = ttl->integer;
            resp_free(value);
            resp_free(ttl);
        } while (left_ms >= 0 || (left_ms == -2) != (truth[i] == NOTHING));
    }
}

static void play(struct talker readers[READERS], struct talker writers[WRITERS])
{
    pthread_t threads[READERS + WRITERS];
    atomic_store(&writing, WRITERS);
    for (int i = 0; i < READERS; i++)
        pthread_create(&threads[i], NULL, run_reader, &readers[i]);
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&threads[READERS + i], NULL, run_writer, &writers[i]);
    for (int i = 0; i < READERS + WRITERS; i++)
        pthread_join(threads[i], NULL);
}

static int rounds = 40;

static void no_copy_is_old(const char *most_keys)
{
    static const char *const modes[READERS] = {"", "BCAST", "NOLOOP", "OPTIN",
                                               "BCAST PREFIX k:1 PREFIX k:2 "
                                               "PREFIX k:3 PREFIX k:4 PREFIX "
                                               "k:5 PREFIX k:6 PREFIX k:7 "
                                               "PREFIX k:8 PREFIX k:9 PREFIX "
                                               "k:0"};
    struct live *live =
        live_start("--maxmemory", "64mb", "--threads", "3",
                   "--tracking-table-max-keys", most_keys, NULL);
    struct talker readers[READERS], writers[WRITERS], checker;
    long long truth[KEYS];
    uint64_t seed = test_seed();
    for (int i = 0; i < READERS; i++)
        open_talker(&readers[i], live, seed + (uint64_t)i, modes[i]);
    for (int i = 0; i < WRITERS; i++)
        open_talker(&writers[i], live, seed + 100 + (uint64_t)i, NULL);
    open_talker(&checker, live, seed, NULL);
    for (int round = 0; round < rounds; round++) {
        play(readers, writers);
        learn_truth(&checker, truth);
        for (int i = 0; i < READERS; i++)
            check_copies(&readers[i], truth);
    }
    for (int i = 0; i < READERS; i++)
        close_talker(&readers[i]);
    for (int i = 0; i < WRITERS; i++)
        close_talker(&writers[i]);
    close_talker(&checker);
    live_stop(live);
}

static void with_all_keys_remembered(void **state)
{
    (void)state;
    no_copy_is_old("1000000");
}

static void with_few_keys_remembered(void **state)
{
    (void)state;
    no_copy_is_old("8");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_all_keys_remembered),
        cmocka_unit_test(with_few_keys_remembered),
    };
    if (argc > 1)
        rounds = atoi(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
