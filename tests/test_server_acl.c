/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of users: what their words do, how they are written, what they allow,
 * and their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/acl_check.h"
#include "server/command_categories.h"
#include "tests/rng.h"

enum { WORDS = 1100 };

/* --------------------------------------------------------------- helpers */

static size_t split(const char *text, struct arg *words)
{
    size_t count = 0;
    while (*text) {
        size_t len = strcspn(text, " ");
        assert_true(count < WORDS);
        words[count++] = (struct arg){text, len};
        text += len + (text[len] == ' ');
    }
    return count;
}

/* Applies the words, which are split by spaces: the error, or "". */
static const char *apply(struct acl_rules *rules, const char *text)
{
    static char why[ACL_WHY_MAX];
    struct arg words[WORDS];
    size_t count = split(text, words);
    const char *error = acl_rules_words(rules, words, count, why);
    return error ? error : "";
}

static struct acl_rules *rules_of(const char *text)
{
    struct acl_rules *rules = acl_rules_new();
    assert_non_null(rules);
    assert_string_equal(apply(rules, text), "");
    return rules;
}

static const char *text_of(const struct acl_rules *rules)
{
    static char text[ACL_LINE_MAX + 1];
    size_t len = buf_len(&rules->text);
    memcpy(text, rules->text.data + rules->text.start, len);
    text[len] = 0;
    return text;
}

/* The words make rules that are written so. */
static void says(const char *words, const char *text)
{
    struct acl_rules *rules = rules_of(words);
    assert_string_equal(text_of(rules), text);
    acl_rules_disown(rules);
}

static void refuses(const char *words, const char *error)
{
    struct acl_rules *rules = acl_rules_new();
    assert_string_equal(apply(rules, words), error);
    acl_rules_disown(rules);
}

/* What rules say of a request: "" allowed, "command", "key 2", "channel 1". */
static const char *verdict(const struct acl_rules *rules, const char *request,
                           size_t steps_at_once)
{
    static char text[32];
    struct arg argv[WORDS];
    size_t argc = split(request, argv);
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
    struct acl_rules *rules = rules_of(words);
    assert_string_equal(verdict(rules, request, SIZE_MAX), what);
    /* However small the steps are. */
    assert_string_equal(verdict(rules, request, 1), what);
    acl_rules_disown(rules);
}

/* ------------------------------------------------------------------ words */

#define P_HASH                                                                 \
    "148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940"

static void words_are_written_as_redis_writes_them(void **state)
{
    (void)state;
    says("", "off resetchannels -@all");
    says("on nopass ~* &* +@all", "on nopass ~* &* +@all");
    says("ON NoPass ALLKEYS allchannels ALLCOMMANDS", "on nopass ~* &* +@all");
    says("on >p", "on #" P_HASH " resetchannels -@all");
    says("on >p >p #" P_HASH, "on #" P_HASH " resetchannels -@all");
    says("on >p <p", "on resetchannels -@all");
    says("on >p !" P_HASH, "on resetchannels -@all");
    says("nopass >p", "off #" P_HASH " resetchannels -@all");
    says(">p nopass", "off nopass resetchannels -@all");
    says(">p resetpass", "off resetchannels -@all");
    says("~a %R~b %w~c %RW~d %R~e %W~e &f &f ~a",
         "off ~a %R~b %W~c ~d ~e resetchannels &f -@all");
    says("~a resetkeys &f resetchannels", "off resetchannels -@all");
    says("%RW~*", "off %RW~* resetchannels -@all");
    says("+@all -@all", "off resetchannels -@all");
    says("+@all -get", "off resetchannels +@all -get");
    says("+get -get +GET", "off resetchannels -@all +get");
    says("+@read", "off resetchannels -@all +@read");
    says("+@READ -@read", "off resetchannels -@all");
    says("+config|get +config|set", "off resetchannels -@all +config|get "
                                    "+config|set");
    says("+config", "off resetchannels -@all +config");
    says("+config -config|set", "off resetchannels -@all +config -config|set");
    says("+select|0 +select|1", "off resetchannels -@all +select|0 +select|1");
    says("+select|0 +select|0", "off resetchannels -@all +select|0");
    says("+select|0 +select", "off resetchannels -@all +select");
    says("+select|0 -select", "off resetchannels -@all");
    says("+select|0 +@all", "off resetchannels +@all");
    says("(+get ~a) (&b)",
         "off resetchannels -@all (~a resetchannels -@all +get) "
         "(resetchannels &b -@all)");
    says("(+get) clearselectors", "off resetchannels -@all");
    says("()", "off resetchannels -@all (resetchannels -@all)");
    says("on >p ~a &b +@all (+get) reset",
         "off sanitize-payload resetchannels -@all");
    says("skip-sanitize-payload",
         "off skip-sanitize-payload resetchannels -@all");
    says("(+get (+set ~a)", "off resetchannels -@all (~a resetchannels -@all "
                            "+set)");
}

#define MODIFIER(word, why) "Error in ACL SETUSER modifier '" word "': " why
#define UNKNOWN             "Unknown command or category name in ACL"

static void mistakes_are_told_as_redis_tells_them(void **state)
{
    (void)state;
    refuses("+nosuch", MODIFIER("+nosuch", UNKNOWN));
    refuses("-get|x", MODIFIER("-get|x", UNKNOWN));
    refuses("+@nosuch", MODIFIER("+@nosuch", UNKNOWN));
    refuses("+", MODIFIER("+", UNKNOWN));
    refuses("+config|nosuch", MODIFIER("+config|nosuch", UNKNOWN));
    refuses("+config|get|x",
            MODIFIER("+config|get|x",
                     "Allowing first-arg of a subcommand is not supported"));
    refuses("+get|", MODIFIER("+get|", "Syntax error"));
    refuses("foo", MODIFIER("foo", "Syntax error"));
    refuses("%X~a", MODIFIER("%X~a", "Syntax error"));
    refuses("%RR~a", MODIFIER("%RR~a", "Syntax error"));
    refuses("%~a", MODIFIER("%~a", "Syntax error"));
    refuses("%R", MODIFIER("%R", "Syntax error"));
    refuses("%", MODIFIER("%", "Syntax error"));
    refuses("~a\tb", MODIFIER("~a\tb", "Syntax error"));
    refuses("&a\nb", MODIFIER("&a\nb", "Syntax error"));
    refuses("#" P_HASH "0",
            MODIFIER("#" P_HASH "0",
                     "The password hash must be exactly 64 characters and "
                     "contain only lowercase hexadecimal characters"));
    refuses("<p", MODIFIER("<p", "The password you are trying to remove from "
                                 "the user does not exist"));
    refuses("(on)", MODIFIER("(on)", "Syntax error"));
    refuses("(+get ~a) ) )", MODIFIER(")", "Syntax error"));
    refuses("(+get ~a", "Unmatched parenthesis in acl selector starting at "
                        "'(+get'.");
    refuses("~* ~a",
            MODIFIER("~a", "Adding a pattern after the * pattern (or the "
                           "'allkeys' flag) is not valid and does not have any "
                           "effect. Try 'resetkeys' to start with an empty "
                           "list of patterns"));
    refuses("&* &a",
            MODIFIER("&a", "Adding a pattern after the * pattern (or the "
                           "'allchannels' flag) is not valid and does not have "
                           "any effect. Try 'resetchannels' to start with an "
                           "empty list of channels"));
}

/* What is written with spaces between must not be read as more words. */
static void nothing_is_smuggled_into_the_text(void **state)
{
    struct acl_rules *rules = acl_rules_new();
    const struct arg words[] = {
        {"+select|0 +@all", 15},
        {"(~a) +@all)", 11},
        {"(~a) ~b)", 8},
        {"~a ~*", 5},
        {"&a &*", 5},
        {"~a\0b", 4},
        {"+select|a\0b", 11},
    };
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_int_equal(acl_rules_word(rules, words[i]), ACL_SYNTAX);
    acl_rules_disown(rules);
}

/* ------------------------------------------------------- a model of the bits
 */

static void a_later_word_wins(void **state)
{
    struct rng rng = {test_seed()};
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct acl_rules *rules = acl_rules_new();
        bool *model = calloc(command_count, sizeof *model);
        for (uint64_t n = rng_below(&rng, 12); n > 0; n--) {
            char word[64];
            size_t row = rng_below(&rng, command_count);
            size_t category = rng_below(&rng, COMMAND_CATEGORIES);
            bool allow = rng_chance(&rng, 500);
            uint64_t what = rng_below(&rng, 8);
            for (size_t i = 0; i < command_count; i++) {
                const struct command *command = &command_table[i];
                const struct command *head = command_container(command);
                bool hit = what == 0 ||
                           (what < 4 &&
                            (command_in_category(command, category) ||
                             (head && command_in_category(head, category)))) ||
                           (what >= 4 &&
                            (i == row || (head && command_row(head) == row)));
                if (hit)
                    model[i] = allow;
            }
            snprintf(word, sizeof word, "%c%s%s", allow ? '+' : '-',
                     what < 4 ? "@" : "",
                     what == 0  ? "all"
                     : what < 4 ? command_category_name(category)
                                : command_table[row].name);
            assert_int_equal(
                acl_rules_word(rules, (struct arg){word, strlen(word)}),
                ACL_FINE);
        }
        for (size_t i = 0; i < command_count; i++)
            assert_int_equal(acl_selector_has(&rules->selectors[0], i),
                             model[i]);
        free(model);
        acl_rules_disown(rules);
    }
}

static void add_some_words(struct rng *rng, struct acl_rules *rules)
{
    static const char *const plain[] = {
        "on",
        "off",
        "nopass",
        "resetpass",
        ">a",
        ">b",
        "~a*",
        "%R~b",
        "%W~b",
        "%RW~*",
        "resetkeys",
        "allkeys",
        "&c",
        "&d*",
        "allchannels",
        "resetchannels",
        "+select|0",
        "+get|x",
        "-select",
        "(+get ~a)",
        "(+@all -set %R~x &* )",
        "clearselectors",
        "sanitize-payload",
    };
    for (uint64_t n = rng_below(rng, 20); n > 0; n--) {
        char word[64];
        size_t row = rng_below(rng, command_count);
        const char *sign = rng_chance(rng, 500) ? "+" : "-";
        switch (rng_below(rng, 3)) {
        case 0:
            snprintf(word, sizeof word, "%s%s", sign, command_table[row].name);
            break;
        case 1:
            snprintf(word, sizeof word, "%s@%s", sign,
                     rng_chance(rng, 200) ? "all"
                                          : command_category_name(rng_below(
                                                rng, COMMAND_CATEGORIES)));
            break;
        default:
            snprintf(word, sizeof word, "%s",
                     plain[rng_below(rng, sizeof plain / sizeof *plain)]);
        }
        acl_rules_word(rules, (struct arg){word, strlen(word)});
    }
}

/* What is written makes the same rules again, bit for bit. */
static void text_and_rules_are_the_same(void **state)
{
    struct rng rng = {test_seed()};
    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct acl_rules *rules = acl_rules_new(), *copy;
        char text[ACL_LINE_MAX + 1];
        add_some_words(&rng, rules);
        assert_int_equal(acl_rules_seal(rules), ACL_FINE);
        snprintf(text, sizeof text, "%s", text_of(rules));
        struct acl_rules *again = rules_of(text);
        assert_string_equal(text_of(again), text);
        assert_int_equal(again->selector_count, rules->selector_count);
        for (size_t i = 0; i < rules->selector_count; i++)
            assert_memory_equal(again->selectors[i].commands,
                                rules->selectors[i].commands,
                                sizeof rules->selectors[i].commands);
        copy = acl_rules_copy(rules);
        assert_int_equal(acl_rules_seal(copy), ACL_FINE);
        assert_string_equal(text_of(copy), text);
        acl_rules_disown(copy);
        acl_rules_disown(again);
        acl_rules_disown(rules);
    }
}

/* ------------------------------------------------------------------- checks */

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
    struct acl_rules *rules = rules_of("&news.* (&a) (&p*)");
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
    rules = rules_of("allchannels");
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
        struct acl_rules *rules = rules_of(rows[i].words);
        assert_int_equal(rules->everything, rows[i].everything);
        acl_rules_disown(rules);
    }
}

/* ---------------------------------------------------------------- passwords */

static bool admits(const struct acl_rules *rules, const char *password)
{
    return acl_rules_admit(rules, password, strlen(password));
}

static void passwords_let_in(void **state)
{
    struct acl_rules *rules = rules_of("on >p >q");
    (void)state;
    assert_true(admits(rules, "p"));
    assert_true(admits(rules, "q"));
    assert_false(admits(rules, "r"));
    assert_false(admits(rules, ""));
    assert_false(admits(rules, P_HASH));
    assert_false(admits(NULL, "p"));
    acl_rules_disown(rules);
    rules = rules_of("off >p");
    assert_false(admits(rules, "p"));
    acl_rules_disown(rules);
    rules = rules_of("on");
    assert_false(admits(rules, ""));
    acl_rules_disown(rules);
    rules = rules_of("on nopass");
    assert_true(admits(rules, "anything"));
    assert_int_equal(acl_rules_password(rules, "x", 1), ACL_FINE);
    assert_true(admits(rules, "x"));
    assert_false(admits(rules, "anything"));
    acl_rules_disown(rules);
}

/* ------------------------------------------------------------------- limits */

/* So many words are fine, and one more is not. */
static void limit_is(const char *format, size_t most)
{
    struct acl_rules *rules = acl_rules_new();
    for (size_t i = 0; i <= most; i++) {
        char word[32];
        snprintf(word, sizeof word, format, i);
        assert_int_equal(
            acl_rules_word(rules, (struct arg){word, strlen(word)}),
            i < most ? ACL_FINE : ACL_LIMIT);
    }
    acl_rules_disown(rules);
}

static void limits_hold_at_their_edge(void **state)
{
    (void)state;
    limit_is(">p%zu", ACL_PASSWORDS_MAX);
    limit_is("~k%zu", ACL_PATTERNS_MAX);
    limit_is("&c%zu", ACL_PATTERNS_MAX);
    limit_is("+select|%zu", ACL_FIRSTS_MAX);
    limit_is("(~k%zu)", ACL_SELECTORS_MAX - 1);

    char word[ACL_WORD_MAX + 1];
    struct acl_rules *rules = acl_rules_new();
    memset(word, 'k', sizeof word);
    word[0] = '~';
    assert_int_equal(acl_rules_word(rules, (struct arg){word, ACL_WORD_MAX}),
                     ACL_FINE);
    assert_int_equal(
        acl_rules_word(rules, (struct arg){word, ACL_WORD_MAX + 1}), ACL_LIMIT);
    acl_rules_disown(rules);
}

static void many_words_are_refused_at_once(void **state)
{
    static struct arg words[ACL_WORDS_MAX + 1];
    char why[ACL_WHY_MAX];
    (void)state;
    for (size_t i = 0; i <= ACL_WORDS_MAX; i++)
        words[i] = (struct arg){"+get", 4};
    struct acl_rules *rules = acl_rules_new();
    assert_null(acl_rules_words(rules, words, ACL_WORDS_MAX, why));
    acl_rules_disown(rules);
    rules = acl_rules_new();
    assert_string_equal(acl_rules_words(rules, words, ACL_WORDS_MAX + 1, why),
                        acl_error_text(ACL_LIMIT));
    acl_rules_disown(rules);
}

/* Words that come one by one: what describes the user is bounded, so that what
 * is saved can be loaded. */
static void the_text_of_a_user_is_bounded(void **state)
{
    struct acl_rules *rules = acl_rules_new();
    char word[300];
    size_t fine = 0;
    (void)state;
    for (size_t i = 0; i < ACL_PATTERNS_MAX; i++) {
        struct acl_rules *copy = acl_rules_copy(rules);
        snprintf(word, sizeof word, "~%0298zu", i);
        assert_int_equal(acl_rules_word(copy, (struct arg){word, 299}),
                         ACL_FINE);
        enum acl_error error = acl_rules_seal(copy);
        acl_rules_disown(rules);
        rules = copy;
        if (error != ACL_FINE) {
            assert_int_equal(error, ACL_LIMIT);
            break;
        }
        fine++;
        assert_true(buf_len(&rules->text) <= ACL_LINE_MAX);
    }
    /* Each takes 300 bytes with its space. */
    assert_in_range(fine, ACL_LINE_MAX / 300 - 1, ACL_LINE_MAX / 300);
    acl_rules_disown(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_written_as_redis_writes_them),
        cmocka_unit_test(mistakes_are_told_as_redis_tells_them),
        cmocka_unit_test(nothing_is_smuggled_into_the_text),
        cmocka_unit_test(a_later_word_wins),
        cmocka_unit_test(text_and_rules_are_the_same),
        cmocka_unit_test(requests_are_held_against_rules),
        cmocka_unit_test(channels_are_held_against_rules),
        cmocka_unit_test(only_who_may_do_everything_is_not_asked),
        cmocka_unit_test(passwords_let_in),
        cmocka_unit_test(limits_hold_at_their_edge),
        cmocka_unit_test(many_words_are_refused_at_once),
        cmocka_unit_test(the_text_of_a_user_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
