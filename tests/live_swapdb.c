/* SPDX-License-Identifier: BSD-3-Clause */
/* SWAPDB, and who watches a key of one of the two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/live.h"
#include "tests/talk.h"

static void what_is_in_one_is_in_the_other(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},     {"SET a here EX 100", "+OK"},
        {"SELECT 15", "+OK"},    {"SET a there", "+OK"},
        {"SET b there", "+OK"},  {"SWAPDB 0 15", "+OK"},
        {"GET a", "$4\r\nhere"}, {"TTL a", ":100"},
        {"DBSIZE", ":1"},        {"SELECT 0", "+OK"},
        {"DBSIZE", ":2"},        {"TTL a", ":-1"},
        {"SWAPDB 0 0", "+OK"},   {"DBSIZE", ":2"},
        {"FLUSHDB", "+OK"},      {"SWAPDB 15 0", "+OK"},
        {"GET a", "$4\r\nhere"},
    };
    TALK_CHECK(*state, rows);
}

static void errors_are_those_of_redis(void **state)
{
    static const struct says rows[] = {
        {"SWAPDB x 99", "-ERR invalid first DB index"},
        {"SWAPDB 0 9999999999", "-ERR invalid second DB index"},
        {"SWAPDB 0 16", "-ERR DB index is out of range"},
        {"SWAPDB -1 0", "-ERR DB index is out of range"},
        {"SWAPDB 0", "-ERR wrong number of arguments for 'swapdb' command"},
    };
    TALK_CHECK(*state, rows);
}

/* One client watches `key` of database 0 while another does this; then EXEC
 * answers so. */
static void watched(struct live *live, const struct says *rows, size_t count,
                    const char *exec)
{
    static const struct says before[] = {
        {"FLUSHALL", "+OK"},  {"SET old 1", "+OK"}, {"SELECT 1", "+OK"},
        {"SET new 1", "+OK"}, {"SET old 2", "+OK"},
    };
    struct talk one = talk_open(live), other = talk_open(live);
    TALK_TABLE(&other, before);
    talk_says(&one, exec[1] == '-' ? "WATCH none old new" : "WATCH none",
              "+OK");
    talk_table(&other, rows, count);
    talk_says(&one, "MULTI", "+OK");
    talk_says(&one, "EXEC", exec);
    talk_close(&one);
    talk_close(&other);
}

static void who_watches_what_came_or_went_is_told(void **state)
{
    static const struct says away[] = {{"SWAPDB 0 2", "+OK"}};
    static const struct says there_and_back[] = {{"SWAPDB 0 1", "+OK"},
                                                 {"SWAPDB 0 2", "+OK"},
                                                 {"SWAPDB 2 0", "+OK"},
                                                 {"SWAPDB 1 0", "+OK"}};
    static const struct says elsewhere[] = {{"SWAPDB 1 2", "+OK"}};
    watched(*state, away, 1, "*-1");
    watched(*state, there_and_back, 4, "*-1");
    watched(*state, there_and_back, 4, "*0");
    watched(*state, elsewhere, 1, "*0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_one_is_in_the_other),
        cmocka_unit_test(errors_are_those_of_redis),
        cmocka_unit_test(who_watches_what_came_or_went_is_told),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
