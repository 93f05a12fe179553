/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands are in the categories in which redis-server has them: of those that
 * both have, ACL CAT lists the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/live.h"
#include "tests/request.h"
#include "tests/side.h"

static int by_text(const void *a, const void *b)
{
    const struct resp *x = a, *y = b;
    return strcmp(x->text, y->text);
}

/* The reply to a request of up to three words, an array, sorted. */
static struct resp *ask(struct side *side, const char *a, const char *b,
                        const char *c)
{
    const char *words[] = {a, b, c};
    struct request request = {0};
    struct resp *reply;
    char *bytes = NULL;
    size_t len = 0;
    for (size_t i = 0; i < 3 && words[i]; i++)
        request_add(&request, words[i], strlen(words[i]));
    request_encode(&request, &bytes, &len);
    side_exchange(side, 0, bytes, len, &reply, 1);
    request_release(&request);
    free(bytes);
    assert_non_null(reply);
    assert_int_equal(reply->kind, '*');
    if (reply->count > 0)
        qsort(reply->items, reply->count, sizeof *reply->items, by_text);
    return reply;
}

static bool has(const struct resp *names, const char *name)
{
    struct resp key = {.text = (char *)(uintptr_t)name};
    return names->count > 0 &&
           bsearch(&key, names->items, names->count, sizeof key, by_text);
}

/* It is a command there.  Those on clusters are refused anyway. */
static bool known(struct side *side, const char *name)
{
    if (strncmp(name, "cluster|", 8) == 0)
        return false;
    struct resp *info = ask(side, "COMMAND", "INFO", name);
    bool there = info->items[0].kind == '*' && info->items[0].items;
    resp_free(info);
    return there;
}

static void categories_are_the_same(void **state)
{
    static struct side ebb, oracle;
    char line[512];
    size_t compared = 0;
    (void)state;
    snprintf(line, sizeof line, "%s --port 0 --metrics-port 0 --maxmemory 64mb",
             live_server());
    assert_true(side_start(&ebb, "ebb", line));
    assert_true(
        side_start(&oracle, "redis", "redis-server --port 0 --save ''"));
    struct resp *categories = ask(&ebb, "ACL", "CAT", NULL);
    struct resp *theirs = ask(&oracle, "ACL", "CAT", NULL);
    assert_int_equal(categories->count, theirs->count);
    for (size_t i = 0; i < categories->count; i++) {
        const char *category = categories->items[i].text;
        assert_string_equal(category, theirs->items[i].text);
        struct resp *a = ask(&ebb, "ACL", "CAT", category);
        struct resp *b = ask(&oracle, "ACL", "CAT", category);
        for (size_t j = 0; j < a->count; j++)
            if (!has(b, a->items[j].text) && known(&oracle, a->items[j].text))
                fail_msg("%s is not in @%s", a->items[j].text, category);
            else
                compared++;
        for (size_t j = 0; j < b->count; j++)
            if (!has(a, b->items[j].text) && known(&ebb, b->items[j].text))
                fail_msg("%s is in @%s", b->items[j].text, category);
        resp_free(a);
        resp_free(b);
    }
    assert_true(compared > 200);
    resp_free(categories);
    resp_free(theirs);
    side_stop(&ebb);
    side_stop(&oracle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(categories_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
