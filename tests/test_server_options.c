/* SPDX-License-Identifier: BSD-3-Clause */
/* Options while the server runs: all or none, stored and applied together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "server/acl.h"
#include "server/governor.h"
#include "server/log.h"
#include "server/notify.h"
#include "server/options.h"
#include "server/platform.h"
#include "server/pool.h"
#include "server/server.h"
#include "server/slowlog.h"
#include "server/tracking.h"

#include "protocol/parse.h"
#include "tests/tree.h"

#define MB (1 << 20)

static size_t resident(void *ctx)
{
    (void)ctx;
    return 24 * MB;
}

/* The machine's files are below root, if that is not "". */
static char root[TREE_ROOT_MAX];

static uint64_t memory(void *ctx)
{
    (void)ctx;
    return governor_machine_bytes(root);
}

static struct platform platform;

static int start(void **state)
{
    struct cache_options cache = {.shards = 4, .address_bytes = 256 * MB};
    struct server *server = calloc(1, sizeof *server);

    platform = platform_linux;
    platform.resident = resident;
    platform.memory = memory;
    conf_init(&server->conf);
    server->log = log_new("/dev/null", LOG_WARNING);
    server->cache = cache_new(&cache);
    server->pool = pool_new(4 * MB);
    server->governor =
        governor_new(server->cache, server->pool, &platform, NULL, 2);
    server->acl = acl_new(&server->acl_version);
    server->notify = notify_new(server);
    server->tracking = tracking_new(server);
    server->options = options_new(server);
    server->slowlog = slowlog_new(server->pool);
    ticks_init(&server->ticks);
    assert_non_null(server->log);
    assert_non_null(server->cache);
    assert_non_null(server->options);
    options_apply_all(server);
    *state = server;
    return 0;
}

static int stop(void **state)
{
    struct server *server = *state;

    options_free(server->options);
    slowlog_free(server->slowlog);
    tracking_free(server->tracking);
    notify_free(server->notify);
    acl_free(server->acl);
    governor_free(server->governor);
    pool_free(server->pool);
    cache_free(server->cache);
    log_free(server->log);
    free(server);
    return 0;
}

/* CONFIG SET with words up to a NULL: the error, or "". */
static const char *set(struct server *server, const char *const *words)
{
    static char why[OPTIONS_WHY_MAX];
    struct arg pairs[16];
    const char *error;
    size_t count = 0;

    for (; words[count] != NULL; count++)
        pairs[count] = (struct arg){words[count], strlen(words[count])};
    assert_int_equal(count % 2, 0);
    error = options_set(server, pairs, count / 2, why);
    return error == NULL ? "" : error;
}

#define SET(...) set(server, (const char *const[]){__VA_ARGS__, NULL})

static const char *get(struct server *server, enum conf_id id)
{
    static char text[CONF_TEXT_MAX];

    options_get(server, id, text);
    return text;
}

#define FAILED(name, why)                                                      \
    "ERR CONFIG SET failed (possibly related to argument '" name "') - " why

/* ------------------------------------------------------------------- tests */

static void what_may_change_has_an_effect(void **state)
{
    (void)state;
    for (int id = 0; id < CONF_COUNT; id++) {
        bool runtime = conf_option(id)->change == CONF_RUNTIME;

        if (options_has_effect(id) != runtime)
            fail_msg("%s", conf_option(id)->name);
    }
}

static void several_are_set_at_once(void **state)
{
    struct server *server = *state;

    assert_string_equal(
        SET("timeout", "7", "MAXCLIENTS", "123", "maxmemory", "64mb"), "");
    assert_int_equal(server->limits.idle_ms, 7000);
    assert_int_equal(server->limits.clients, 123);
    assert_int_equal(options_budget(server), 64 * MB);
    assert_string_equal(get(server, CONF_timeout), "7");
    assert_string_equal(get(server, CONF_maxclients), "123");
    assert_string_equal(get(server, CONF_maxmemory), "67108864");
}

static void the_last_wrong_value_undoes_all(void **state)
{
    struct server *server = *state;
    struct rlimit limit = {512, 1000 + LIMIT_OWN_FDS};
    int64_t idle_ms = server->limits.idle_ms;
    uint64_t budget = options_budget(server);

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_string_equal(
        SET("maxmemory", "64mb", "timeout", "9", "loglevel", "loud"),
        FAILED("loglevel", "argument(s) must be one of the following: debug, "
                           "verbose, notice, warning"));
    assert_string_equal(
        SET("timeout", "9", "maxclients", "1001"),
        FAILED("maxclients",
               "The operating system is not able to handle the specified "
               "number of clients, try with 1000"));
    assert_int_equal(server->limits.idle_ms, idle_ms);
    assert_int_equal(options_budget(server), budget);
    assert_string_equal(get(server, CONF_timeout), "0");
    assert_string_equal(SET("maxclients", "1000"), "");
    getrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(limit.rlim_cur, 1000 + LIMIT_OWN_FDS);
}

static void wrong_names_are_refused(void **state)
{
    struct server *server = *state;

    assert_string_equal(
        SET("timeout", "9", "nosuch", "1"),
        "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'");
    assert_string_equal(SET("timeout", "9", "port", "1"),
                        FAILED("port", "can't set immutable config"));
    assert_string_equal(SET("save", "3600 1"),
                        FAILED("save", "can't set immutable config (Always "
                                       "empty: nothing is saved)"));
    assert_string_equal(SET("timeout", "9", "TIMEOUT", "9"),
                        FAILED("TIMEOUT", "duplicate parameter"));
    assert_string_equal(get(server, CONF_timeout), "0");
}

/* Programs for Redis turn saving off: it is. */
static void what_is_fixed_may_be_set_to_what_it_is(void **state)
{
    struct server *server = *state;

    assert_string_equal(SET("save", ""), "");
    assert_string_equal(SET("appendonly", "no", "timeout", "0"), "");
    assert_string_equal(get(server, CONF_save), "");
    assert_string_equal(get(server, CONF_appendonly), "no");
}

static void the_mark_is_below_the_limit(void **state)
{
    static const char why[] = "output-mark must be at most output-limit";
    struct server *server = *state;
    struct conf conf = server->conf;

    assert_string_equal(SET("output-limit", "1mb"), "");
    assert_string_equal(SET("output-mark", "1mb"), "");
    assert_string_equal(
        SET("output-mark", "1048577"),
        FAILED("output-mark", "output-mark must be at most output-limit"));
    assert_string_equal(SET("output-mark", "3mb", "output-limit", "4mb"), "");
    assert_string_equal(
        SET("output-limit", "2mb"),
        FAILED("output-limit", "output-mark must be at most output-limit"));
    conf.output_mark = conf.output_limit + 1;
    assert_string_equal(options_fit(server, &conf), why);
}

/* A name of any length stays within the error. */
static void long_names_are_cut(void **state)
{
    struct server *server = *state;
    char name[5000];
    const char *error;

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    error = SET(name, "1");
    assert_int_equal(strlen(error),
                     strlen("ERR Unknown option or number of arguments for "
                            "CONFIG SET - ''") +
                         LIMIT_ERROR_ECHO);
}

static void a_share_is_told_in_bytes(void **state)
{
    struct server *server = *state;
    uint64_t most = (uint64_t)conf_option(CONF_maxmemory)->most;
    uint64_t machine = governor_machine_bytes("");
    uint64_t half = machine / 100 * 50, most_of_it = machine / 100 * 80;
    char text[32];

    assert_string_equal(SET("maxmemory", "50%"), "");
    snprintf(text, sizeof text, "%llu",
             (unsigned long long)(half < most ? half : most));
    assert_string_equal(get(server, CONF_maxmemory), text);
    assert_string_equal(SET("maxmemory", "0"), "");
    snprintf(text, sizeof text, "%llu",
             (unsigned long long)(most_of_it < most ? most_of_it : most));
    assert_string_equal(get(server, CONF_maxmemory), text);
}

static const char *budget_after_ms(struct server *server, int64_t ms)
{
    static int64_t now_ms = 1000000;

    for (int64_t i = 0; i < ms; i += 10) {
        now_ms += 10;
        governor_tick(server->governor, now_ms);
    }
    return get(server, CONF_maxmemory);
}

static uint64_t in_force(struct server *server)
{
    struct governor_state governor;

    governor_state(server->governor, &governor);
    return governor.budget_bytes;
}

static void put_limit(const char *path, uint64_t bytes)
{
    char text[32];

    snprintf(text, sizeof text, "%llu\n", (unsigned long long)bytes);
    tree_put(root, path, text);
}

/* The limit changes again and again: the budget follows. */
static void follow(struct server *server, const char *path)
{
    static const unsigned limits_mib[] = {400, 200, 1000, 100, 400};

    for (size_t i = 0; i < sizeof limits_mib / sizeof limits_mib[0]; i++) {
        char expected[32];
        uint64_t bytes = (uint64_t)limits_mib[i] * MB;

        put_limit(path, bytes);
        snprintf(expected, sizeof expected, "%llu",
                 (unsigned long long)(bytes / 100 * 75));
        assert_string_equal(budget_after_ms(server, 1100), expected);
        assert_int_equal(in_force(server), bytes / 100 * 75);
    }
}

static void a_share_follows_the_container(void **state)
{
    struct server *server = *state;
    const char *const group2 = "/sys/fs/cgroup/pod/box/memory.max";
    const char *const pod2 = "/sys/fs/cgroup/pod/memory.max";

    tree_make(root);
    tree_put(root, "/proc/meminfo", "MemTotal: 2097152 kB\n");
    tree_put(root, "/proc/self/cgroup", "0::/pod/box\n");
    tree_put(root, group2, "max\n");
    assert_string_equal(SET("maxmemory", "75%"), "");
    assert_string_equal(get(server, CONF_maxmemory), "1610612700");
    follow(server, group2);
    /* The one above allows less; then none of them bounds it. */
    put_limit(pod2, 100 * MB);
    assert_string_equal(budget_after_ms(server, 1100), "78643200");
    tree_put(root, group2, "max\n");
    tree_put(root, pod2, "max\n");
    assert_string_equal(budget_after_ms(server, 1100), "1610612700");

    tree_put(root, "/proc/self/cgroup", "3:cpu:/x\n4:memory:/box\n0::/\n");
    follow(server, "/sys/fs/cgroup/memory/box/memory.limit_in_bytes");

    /* As it was: what cannot be read changes nothing. */
    tree_remove(root);
    assert_string_equal(budget_after_ms(server, 1100), "314572800");
    assert_string_equal(SET("maxmemory", "50%"), "");
    assert_string_equal(get(server, CONF_maxmemory), "314572800");
    root[0] = '\0';
}

/* Bytes are bytes, whatever the container has; 0 is a share. */
static void bytes_do_not_follow(void **state)
{
    struct server *server = *state;

    tree_make(root);
    tree_put(root, "/proc/self/cgroup", "0::/\n");
    put_limit("/sys/fs/cgroup/memory.max", 200 * MB);
    assert_string_equal(SET("maxmemory", "100mb"), "");
    put_limit("/sys/fs/cgroup/memory.max", 50 * MB);
    assert_string_equal(budget_after_ms(server, 3000), "104857600");
    assert_string_equal(SET("maxmemory", "0"), "");
    assert_string_equal(get(server, CONF_maxmemory), "41943040");
    put_limit("/sys/fs/cgroup/memory.max", 60 * MB);
    assert_string_equal(budget_after_ms(server, 1100), "50331600");
    tree_remove(root);
    root[0] = '\0';
}

/* As Redis takes it: what it means is the governor's to say. */
static void a_budget_below_the_floor_is_taken(void **state)
{
    struct server *server = *state;
    struct governor_state governor;

    assert_string_equal(SET("maxmemory", "1"), "");
    assert_string_equal(get(server, CONF_maxmemory), "1");
    governor_tick(server->governor, 1);
    governor_state(server->governor, &governor);
    assert_int_equal(governor.budget_bytes, 1);
    assert_int_equal(governor.floor_above_budget, 1);
    assert_string_equal(SET("maxmemory", "100mb"), "");
    governor_tick(server->governor, 2);
    governor_state(server->governor, &governor);
    assert_int_equal(governor.floor_above_budget, 0);
}

static void clients_get_half_at_most(void **state)
{
    static const char says[] = FAILED(
        "maxmemory-clients", "argument must be at most half of maxmemory");
    struct server *server = *state;

    assert_string_equal(SET("maxmemory", "64mb"), "");
    assert_string_equal(SET("maxmemory-clients", "33554433"), says);
    assert_string_equal(SET("maxmemory-clients", "51%"), says);
    assert_string_equal(SET("maxmemory-clients", "33554432"), "");
    assert_string_equal(SET("maxmemory-clients", "50%"), "");
    assert_string_equal(SET("maxmemory-clients", "40mb", "maxmemory", "128mb"),
                        "");
    assert_string_equal(get(server, CONF_maxmemory_clients), "41943040");

    struct conf conf = server->conf; /* as a file or flags might have it */
    assert_null(options_fit(server, &conf));
    conf.maxmemory = 64 * MB;
    conf.maxmemory_clients = 32 * MB;
    assert_null(options_fit(server, &conf));
    conf.maxmemory_clients++;
    assert_non_null(options_fit(server, &conf));
    conf.maxmemory_clients = -51; /* percent */
    assert_non_null(options_fit(server, &conf));
}

/* --------------------------------------------------------------- passwords */

static bool ok(struct server *server, const char *password)
{
    return acl_password_ok(server->acl, password, strlen(password));
}

static void a_password_is_compared_whole(void **state)
{
    struct server *server = *state;
    char longer[2 * CONF_TEXT_MAX];

    assert_true(acl_is_nopass(server->acl));
    assert_true(ok(server, "anything"));
    assert_string_equal(SET("requirepass", "secret"), "");
    assert_false(acl_is_nopass(server->acl));
    assert_true(ok(server, "secret"));
    assert_false(ok(server, ""));
    assert_false(ok(server, "secre"));
    assert_false(ok(server, "secret "));
    assert_false(ok(server, "Secret"));
    assert_false(acl_password_ok(server->acl, "secret\0", 7));
    memset(longer, 0, sizeof longer);
    memcpy(longer, "secret", 6);
    assert_false(acl_password_ok(server->acl, longer, CONF_TEXT_MAX));
    assert_false(acl_password_ok(server->acl, longer, sizeof longer));
    assert_string_equal(get(server, CONF_requirepass), "(redacted)");
    assert_string_equal(SET("requirepass", ""), "");
    assert_true(ok(server, "anything"));
    assert_string_equal(get(server, CONF_requirepass), "");
}

static void a_password_may_be_as_long_as_a_text(void **state)
{
    struct server *server = *state;
    char text[CONF_TEXT_MAX + 1];

    memset(text, 'p', sizeof text);
    text[CONF_TEXT_MAX] = '\0';
    assert_string_not_equal(SET("requirepass", text), "");
    assert_true(acl_is_nopass(server->acl));
    text[CONF_TEXT_MAX - 1] = '\0';
    assert_string_equal(SET("requirepass", text), "");
    assert_true(ok(server, text));
    text[CONF_TEXT_MAX - 2] = 'q';
    assert_false(ok(server, text));
    text[CONF_TEXT_MAX - 2] = '\0';
    assert_false(ok(server, text));
}

/* ----------------------------------------------------------------- threads */

static void *set_many_times(void *ctx)
{
    struct server *server = ctx;
    struct arg pairs[4] = {{"timeout", 7}, {0}, {"maxclients", 10}, {0}};
    char value[16], why[OPTIONS_WHY_MAX], text[CONF_TEXT_MAX];

    for (int i = 1; i <= 1000; i++) {
        int len = snprintf(value, sizeof value, "%d", i);

        pairs[1] = pairs[3] = (struct arg){value, (size_t)len};
        if (options_set(server, pairs, 2, why) != NULL)
            return server;
        options_get(server, CONF_timeout, text);
        if (atoi(text) < 1)
            return server;
    }
    return NULL;
}

/* What is stored and what is applied come from the same CONFIG SET. */
static void two_at_once_do_not_mix(void **state)
{
    struct server *server = *state;
    pthread_t thread;
    void *failed;

    assert_int_equal(pthread_create(&thread, NULL, set_many_times, server), 0);
    assert_null(set_many_times(server));
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(server->limits.idle_ms, server->conf.timeout * 1000);
    assert_int_equal(server->limits.clients, server->conf.maxclients);
    assert_int_equal(server->conf.timeout, server->conf.maxclients);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_may_change_has_an_effect),
        TEST(several_are_set_at_once),
        TEST(the_last_wrong_value_undoes_all),
        TEST(wrong_names_are_refused),
        TEST(what_is_fixed_may_be_set_to_what_it_is),
        TEST(the_mark_is_below_the_limit),
        TEST(long_names_are_cut),
        TEST(a_share_is_told_in_bytes),
        TEST(a_share_follows_the_container),
        TEST(bytes_do_not_follow),
        TEST(a_budget_below_the_floor_is_taken),
        TEST(clients_get_half_at_most),
        TEST(a_password_is_compared_whole),
        TEST(a_password_may_be_as_long_as_a_text),
        TEST(two_at_once_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
