/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of options: units, bounds, and the words of a refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "conf/conf.h"

/* The refusal of a value, or "" if it was taken; it must then read back. */
static const char *try(struct conf *conf, enum conf_id id, const char *text)
{
    static char why[CONF_TEXT_MAX];
    char before[CONF_TEXT_MAX], after[CONF_TEXT_MAX];
    const char *refusal;

    conf_get(conf, id, before);
    refusal = conf_set(conf, id, text, strlen(text), why);
    conf_get(conf, id, after);
    if (refusal != NULL) {
        assert_string_equal(before, after);
        return refusal;
    }
    assert_null(conf_set(conf, id, after, strlen(after), why));
    conf_get(conf, id, before);
    assert_string_equal(before, after);
    return "";
}

#define taken(id, text)         assert_string_equal(try(&conf, id, text), "")
#define refused(id, text, says) assert_string_equal(try(&conf, id, text), says)

static void a_size_is(const char *text, int64_t bytes)
{
    int64_t got = -1;
    assert_true(conf_size(text, strlen(text), &got));
    assert_true(got == bytes);
}

static void sizes_know_their_units(void **state)
{
    (void)state;
    a_size_is("0", 0);
    a_size_is("007", 7);
    a_size_is("100", 100);
    a_size_is("100b", 100);
    a_size_is("3k", 3000);
    a_size_is("3kb", 3072);
    a_size_is("3m", 3000000);
    a_size_is("3mb", 3145728);
    a_size_is("3G", 3000000000);
    a_size_is("3Gb", 3221225472);
    a_size_is("9223372036854775807", INT64_MAX);
    a_size_is("8589934591gb", 8589934591 * CONF_GB);
}

static void sizes_never_wrap(void **state)
{
    static const char *const bad[] = {
        "",
        "-1",
        "+1",
        "1.5q",
        "1.5gb",
        "gb",
        " 1gb",
        "1gb ",
        "1 gb",
        "1tb",
        "1kbb",
        "0x10",
        "%",
        "50%",
        "17179869184gb",
        "1k\n",
        "abc",
        "1e3",
        "1gb1",
        "18446744073709551616",
        "--1",
        "1%b",
        "b",
        "1bb",
        "9223372036854775808",
        "99999999999999999999999999999999",
        "8589934592gb",
        "9223372036854775807k",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t bytes = 4711;
        if (conf_size(bad[i], strlen(bad[i]), &bytes))
            fail_msg("taken as a size: '%s'", bad[i]);
    }
}

static void shares_are_percents_or_sizes(void **state)
{
    static const char *const bad[] = {
        "0%", "101%", "-5%", "5%%", "%",    "5.5%",
        "",   " 5%",  "5% ", "x%",  "1kb%", "99999999999999999999%",
    };
    int64_t value;

    (void)state;
    assert_true(conf_share("1%", 2, &value) && value == -1);
    assert_true(conf_share("100%", 4, &value) && value == -100);
    assert_true(conf_share("64mb", 4, &value) && value == 64 * CONF_MB);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (conf_share(bad[i], strlen(bad[i]), &value))
            fail_msg("taken as a share: '%s'", bad[i]);
}

static void maxmemory_refuses_in_redis_words(void **state)
{
    static const char *const bad[] = {
        "",
        "-1",
        "1.5q",
        "18446744073709551616",
        "17179869184gb",
        " 1gb",
        "1gb ",
        "%",
        "gb",
        "1tb",
    };
    struct conf conf;
    static const char outside[] =
        "argument must be between 1 and 21474836480 inclusive";

    (void)state;
    conf_init(&conf);
    taken(CONF_maxmemory, "64mb");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused(CONF_maxmemory, bad[i], "argument must be a memory value");
    assert_int_equal(conf.maxmemory, 64 * CONF_MB);
    refused(CONF_maxmemory, "21474836481", outside);
    refused(CONF_maxmemory, "0%", "percentage argument must be at least 1");
    refused(CONF_maxmemory, "101%",
            "percentage argument must be less or equal to 100");
    taken(CONF_maxmemory, "1");
    taken(CONF_maxmemory, "16mb");
    taken(CONF_maxmemory, "20gb");
    taken(CONF_maxmemory, "50%");
    assert_int_equal(conf.maxmemory, -50);
    taken(CONF_maxmemory, "0");
    assert_int_equal(conf.maxmemory, 0);
    refused(CONF_maxmemory_clients, "x",
            "argument must be a memory or percent value");
    refused(CONF_maxmemory_clients, "0",
            "argument must be between 1048576 and 21474836480 inclusive");
    refused(CONF_proto_max_bulk_len, "", "argument must be a memory value");
    refused(CONF_proto_max_bulk_len, "5%", "argument must be a memory value");
}

static void numbers_have_one_spelling(void **state)
{
    static const char *const bad[] = {
        "",
        "abc",
        "+1",
        "01",
        "00",
        "-0",
        "1 ",
        " 1",
        "1.5",
        "0x1",
        "-",
        "1k",
        "99999999999999999999",
        "9223372036854775808",
        "-9223372036854775808",
    };
    struct conf conf;

    (void)state;
    conf_init(&conf);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused(CONF_timeout, bad[i],
                "argument couldn't be parsed into an integer");
    refused(CONF_timeout, "-1",
            "argument must be between 0 and 31536000 inclusive");
    refused(CONF_maxclients, "0",
            "argument must be between 1 and 1000000 inclusive");
    refused(CONF_port, "65536",
            "argument must be between 0 and 65535 inclusive");
    taken(CONF_port, "65535");
    taken(CONF_port, "0");
}

static void every_bound_holds_at_its_edge(void **state)
{
    struct conf conf;
    char text[32];

    (void)state;
    conf_init(&conf);
    for (unsigned i = 0; i < CONF_COUNT; i++) {
        enum conf_id id = (enum conf_id)i;
        const struct conf_option *row = conf_option(id);
        const char *format = row->kind == CONF_KIND_OCTAL ? "%llo" : "%lld";

        if (row->kind == CONF_KIND_TEXT || row->kind == CONF_KIND_CHOICE ||
            row->kind == CONF_KIND_EVENTS)
            continue;
        snprintf(text, sizeof text, format, (long long)row->least);
        taken(id, text);
        snprintf(text, sizeof text, format, (long long)row->most);
        taken(id, text);
        if (row->most == INT64_MAX)
            snprintf(text, sizeof text, "9223372036854775808");
        else
            snprintf(text, sizeof text, format, (long long)row->most + 1);
        assert_string_not_equal(try(&conf, id, text), "");
        if (row->least > 1) {
            snprintf(text, sizeof text, format, (long long)row->least - 1);
            assert_string_not_equal(try(&conf, id, text), "");
        }
    }
}

static void modes_are_octal(void **state)
{
    struct conf conf;

    (void)state;
    conf_init(&conf);
    taken(CONF_unixsocketperm, "0750");
    assert_int_equal(conf.unixsocketperm, 0750);
    refused(CONF_unixsocketperm, "999",
            "argument couldn't be parsed as an octal number");
    refused(CONF_unixsocketperm, "",
            "argument couldn't be parsed as an octal number");
    refused(CONF_unixsocketperm, "1777",
            "argument must be between 0 and 777 inclusive");
}

static void choices_take_their_words_only(void **state)
{
    struct conf conf;

    (void)state;
    conf_init(&conf);
    taken(CONF_loglevel, "WARNING");
    assert_int_equal(conf.loglevel, 3);
    refused(CONF_loglevel, "x",
            "argument(s) must be one of the following: debug, verbose, "
            "notice, warning");
    refused(CONF_loglevel, "",
            "argument(s) must be one of the following: "
            "debug, verbose, notice, warning");
    refused(CONF_loglevel, "debug|verbose",
            "argument(s) must be one of the following: debug, verbose, "
            "notice, warning");
    refused(CONF_maxmemory_policy, "volatile-lfu",
            "argument(s) must be one of the following: volatile-lru, "
            "volatile-random, volatile-ttl, allkeys-lru, allkeys-random, "
            "noeviction");
    taken(CONF_maxmemory_policy, "noeviction");
    taken(CONF_maxmemory_policy, "VOLATILE-ttl");
}

static void texts_are_bounded(void **state)
{
    struct conf conf;
    char text[CONF_TEXT_MAX + 1], why[CONF_TEXT_MAX];

    (void)state;
    conf_init(&conf);
    memset(text, 'x', sizeof text);
    text[CONF_TEXT_MAX - 1] = '\0';
    taken(CONF_requirepass, text);
    text[CONF_TEXT_MAX - 1] = 'x';
    text[CONF_TEXT_MAX] = '\0';
    refused(CONF_requirepass, text, "argument must be at most 511 bytes long");
    text[108] = '\0';
    refused(CONF_unixsocket, text, "argument must be at most 107 bytes long");
    text[107] = '\0';
    taken(CONF_unixsocket, text);
    assert_string_equal(conf_set(&conf, CONF_requirepass, "a\0b", 3, why),
                        "argument must not contain a NUL byte");
    taken(CONF_requirepass, "");
}

static void fixed_rows_stay_as_they_are(void **state)
{
    struct conf conf;

    (void)state;
    conf_init(&conf);
    taken(CONF_save, "");
    taken(CONF_appendonly, "NO");
    taken(CONF_daemonize, "no");
    refused(CONF_daemonize, "yes",
            "can't set immutable config (Always no: a supervisor starts it)");
    refused(CONF_save, "3600 1",
            "can't set immutable config (Always empty: nothing is saved)");
    refused(CONF_replica_read_only, "no",
            "can't set immutable config (Always yes: there are no replicas)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_know_their_units),
        cmocka_unit_test(sizes_never_wrap),
        cmocka_unit_test(shares_are_percents_or_sizes),
        cmocka_unit_test(maxmemory_refuses_in_redis_words),
        cmocka_unit_test(numbers_have_one_spelling),
        cmocka_unit_test(every_bound_holds_at_its_edge),
        cmocka_unit_test(modes_are_octal),
        cmocka_unit_test(choices_take_their_words_only),
        cmocka_unit_test(texts_are_bounded),
        cmocka_unit_test(fixed_rows_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
