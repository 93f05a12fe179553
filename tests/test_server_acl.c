/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of users: what their words do, and how they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/command_categories.h"
#include "tests/acl_kit.h"
#include "tests/rng.h"

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
    struct acl_rules *rules = acl_kit_rules(words);
    assert_string_equal(text_of(rules), text);
    acl_rules_disown(rules);
}

static void refuses(const char *words, const char *error)
{
    struct acl_rules *rules = acl_rules_new();
    assert_string_equal(acl_kit_apply(rules, words), error);
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
        struct acl_rules *again = acl_kit_rules(text);
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

/* ---------------------------------------------------------------- passwords */

static bool admits(const struct acl_rules *rules, const char *password)
{
    return acl_rules_admit(rules, password, strlen(password));
}

static void passwords_let_in(void **state)
{
    struct acl_rules *rules = acl_kit_rules("on >p >q");
    (void)state;
    assert_true(admits(rules, "p"));
    assert_true(admits(rules, "q"));
    assert_false(admits(rules, "r"));
    assert_false(admits(rules, ""));
    assert_false(admits(rules, P_HASH));
    assert_false(admits(NULL, "p"));
    acl_rules_disown(rules);
    rules = acl_kit_rules("off >p");
    assert_false(admits(rules, "p"));
    acl_rules_disown(rules);
    rules = acl_kit_rules("on");
    assert_false(admits(rules, ""));
    acl_rules_disown(rules);
    rules = acl_kit_rules("on nopass");
    assert_true(admits(rules, "anything"));
    assert_int_equal(acl_rules_password(rules, "x", 1), ACL_FINE);
    assert_true(admits(rules, "x"));
    assert_false(admits(rules, "anything"));
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
        cmocka_unit_test(passwords_let_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
