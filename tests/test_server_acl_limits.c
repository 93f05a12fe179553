/* SPDX-License-Identifier: BSD-3-Clause */
/* How much the rules of a user may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/acl_rules.h"

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
        cmocka_unit_test(limits_hold_at_their_edge),
        cmocka_unit_test(many_words_are_refused_at_once),
        cmocka_unit_test(the_text_of_a_user_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
