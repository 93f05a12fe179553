/* SPDX-License-Identifier: BSD-3-Clause */
/* What rules of users say of a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/acl_check.h"
#include "tests/acl_kit.h"

/* What rules say of a request: "" allowed, "command", "key 2", "channel 1". */
static const char *verdict(const struct acl_rules *rules, const char *request,
                           size_t steps_at_once)
{
    static char text[32];
    struct arg argv[ACL_KIT_WORDS];
    size_t argc = acl_kit_split(request, argv);
    const struct command *row = command_find(argv[0].ptr, argv[0].len);
    struct acl_check check = {0};
    enum acl_verdict says;
    assert_non_null(row);
    if (command_sub_count(row) > 0 && argc > 1)
        row = command_find_sub(row, argv[1].ptr, argv[1].len);
    assert_non_null(row);
    do {
        size_t steps = steps_at_once;
        says = acl_check(rules, row, argv, argc, &check, &steps);
    } while (says == ACL_MORE);
    snprintf(text, sizeof text, "%s",
             says == ACL_ALLOWED      ? ""
             : says == ACL_NO_COMMAND ? "command"
             : says == ACL_NO_KEY     ? "key"
                                      : "channel");
    if (says > ACL_NO_COMMAND)
        snprintf(text + strlen(text), 16, " %zu", check.at);
    return text;
}

static void judges(const char *words, const char *request, const char *what)
{
    struct acl_rules *rules = acl_kit_rules(words);
    assert_string_equal(verdict(rules, request, SIZE_MAX), what);
    /* However small the steps are. */
    assert_string_equal(verdict(rules, request, 1), what);
    acl_rules_disown(rules);
}

static void requests_are_held_against_rules(void **state)
{
    (void)state;
    judges("", "get a", "command");
    judges("", "auth x", "");
    judges("", "quit", "");
    judges("+get", "get a", "key 1");
    judges("+get ~a", "get a", "");
    judges("+get ~a", "get b", "key 1");
    judges("+get %R~a", "get a", "");
    judges("+get %W~a", "get a", "key 1");
    judges("+set %W~a", "set a v", "");
    judges("+set %W~a", "set a v GET", "key 1");
    judges("+set %R~a", "set a v", "key 1");
    judges("+set %R~a %W~a", "set a v get", "");
    /* EXISTS reads no value and changes none: any access will do. */
    judges("+exists %W~a", "exists a", "");
    judges("+exists %R~a", "exists a b", "key 2");
    judges("+mset ~a* ~b", "mset a1 ~x b ~y a2 v", "");
    judges("+mset ~a* ~b", "mset a1 ~x c ~y a2 v", "key 3");
    judges("+del ~*", "del a b c", "");
    judges("+@all ~[a-c]?", "mget ax bx cx dx", "key 4");
    judges("+object|encoding ~a", "object encoding a", "");
    judges("+object|encoding ~a", "object encoding b", "key 2");
    judges("+object|encoding ~a", "object freq a", "command");
    judges("+rename %RW~a %W~b", "rename a b", "");
    judges("+rename %W~a %W~b", "rename a b", "key 1");
    judges("+rename %RW~a %R~b", "rename a b", "key 2");
    judges("+copy %R~a %W~b", "copy a b", "");
    judges("+select|0", "select 0", "");
    judges("+select|0", "select 1", "command");
    judges("+scan", "scan 0 match secret:*", "");
    judges("+keys", "keys *", "");
    /* One selector must allow all of it. */
    judges("+get ~a (+set ~b)", "set a v", "key 1");
    judges("+get ~a (+set ~b)", "get b", "key 1");
    judges("+get ~a (+set ~b)", "set b v", "");
    judges("+get ~a (+set ~b)", "del b", "command");
    judges("+mget ~a (+mget ~b)", "mget a b", "key 2");
    judges("(+get ~x) (+get ~y)", "get z", "key 1");
}

static bool channel_allowed(const struct acl_rules *rules, struct arg channel,
                            bool is_pattern)
{
    struct acl_check check = {0};
    enum text_match match;
    size_t steps;
    do
        steps = 1; /* as few as there can be at a time */
    while ((match = acl_channel_some(rules, channel, is_pattern, &check,
                                     &steps)) == TEXT_MORE);
    return match == TEXT_YES;
}

static void channels_are_held_against_rules(void **state)
{
    struct acl_rules *rules = acl_kit_rules("&news.* (&a) (&p*)");
    (void)state;
    assert_true(channel_allowed(rules, (struct arg){"news.x", 6}, false));
    assert_false(channel_allowed(rules, (struct arg){"new", 3}, false));
    assert_true(channel_allowed(rules, (struct arg){"a", 1}, false));
    assert_true(channel_allowed(rules, (struct arg){"news.*", 6}, true));
    assert_false(channel_allowed(rules, (struct arg){"news.x", 6}, true));
    assert_true(channel_allowed(rules, (struct arg){"p*", 2}, true));
    acl_rules_disown(rules);
    judges("+publish &a", "publish a m", "");
    judges("+publish &a", "publish b m", "channel 1");
    judges("+subscribe &a &b*", "subscribe a b1 b2", "");
    judges("+subscribe &a &b*", "subscribe a b1 c", "channel 3");
    judges("+psubscribe &a &b*", "psubscribe b* a", "");
    judges("+psubscribe &a &b*", "psubscribe b1", "channel 1");
    judges("+unsubscribe", "unsubscribe a", "");
    judges("+spublish &a", "spublish a m", "");
    judges("+spublish ~*", "spublish a m", "channel 1");
    rules = acl_kit_rules("allchannels");
    assert_true(channel_allowed(rules, (struct arg){"*", 1}, true));
    acl_rules_disown(rules);
}

static void only_who_may_do_everything_is_not_asked(void **state)
{
    static const struct {
        const char *words;
        bool everything;
    } rows[] = {
        {"+@all ~* &*", true},
        {"+@all ~*", false},
        {"+@all &*", false},
        {"~* &* +@all -get", false},
        {"~* &* +@all -get +get", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct acl_rules *rules = acl_kit_rules(rows[i].words);
        assert_int_equal(rules->everything, rows[i].everything);
        acl_rules_disown(rules);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_held_against_rules),
        cmocka_unit_test(channels_are_held_against_rules),
        cmocka_unit_test(only_who_may_do_everything_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
