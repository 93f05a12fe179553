/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of expositions takes good ones and says what is wrong else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/exposition.h"

#define HEAD "# HELP a_total h\n# TYPE a_total counter\n"

static void takes_good_ones(void **state)
{
    static const char text[] = HEAD "a_total{x=\"1\",y=\"q\\\"\\\\\\n\"} 2\n"
                                    "a_total{x=\"2\"} 1e+06\n"
                                    "# HELP b it's a \\\\ b\n# TYPE b gauge\n"
                                    "b -1.5\n# HELP c h\n# TYPE c gauge\n";
    char why[EXPOSITION_WHY_MAX] = "";
    struct exposition *e = exposition_read(text, strlen(text), why);
    double value;

    (void)state;
    assert_string_equal(why, "");
    assert_string_equal(exposition_type(e, "a_total"), "counter");
    assert_string_equal(exposition_type(e, "c"), "gauge");
    assert_null(exposition_type(e, "d"));
    assert_true(exposition_value(e, "a_total", "x=\"2\"", &value));
    assert_true(value == 1e6);
    assert_true(exposition_value(e, "b", "", &value));
    assert_true(value == -1.5);
    assert_false(exposition_value(e, "c", "", &value));
    assert_string_equal(exposition_name(e, 2), "c");
    assert_null(exposition_name(e, 3));
    exposition_free(e);
}

static void refuses_bad_ones(void **state)
{
    static const char *const bad[][2] = {
        {"a 1\n", "sample without TYPE"},
        {"# HELP a h\na 1\n", "sample without TYPE"},
        {"# TYPE a gauge\na 1\n", "TYPE without HELP before"},
        {"# HELP a h\n# HELP b h\n", "HELP without TYPE before"},
        {"# HELP a h\n", "HELP without TYPE at the end"},
        {"# HELP a \n", "no help"},
        {"# HELP 1a h\n", "illegal name"},
        {"# HELP a-b h\n", "illegal name"},
        {"# HELP a h\n# TYPE b gauge\n", "TYPE of another name"},
        {"# HELP a h\n# TYPE a gouge\n", "unknown type"},
        {"# HELP a h\n# TYPE a counter\n",
         "counters end in _total, others do not"},
        {"# HELP a_total h\n# TYPE a_total gauge\n",
         "counters end in _total, others do not"},
        {HEAD "b 1\n", "sample of another name"},
        {HEAD "a_total 1", "no line end"},
        {HEAD "a_total\n", "no value"},
        {HEAD "a_total \n", "no value"},
        {HEAD "a_total one\n", "illegal value"},
        {HEAD "a_total 1 2\n", "illegal value"},
        {HEAD "a_total -1\n", "counter below 0"},
        {HEAD "a_total 1\na_total 1\n", "sample twice"},
        {HEAD "a_total{x=\"1\"} 1\na_total{x=\"1\"} 2\n", "sample twice"},
        {HEAD "a_total{x=1} 1\n", "illegal labels"},
        {HEAD "a_total{x=\"1} 1\n", "illegal labels"},
        {HEAD "a_total{x=\"1\" 1\n", "illegal labels"},
        {HEAD "a_total{x=\"\\t\"} 1\n", "illegal labels"},
        {HEAD "a_total{} 1\n", "illegal labels"},
        {HEAD "# HELP a_total h\n", "name twice"},
        {HEAD "\n", "sample of another name"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char why[EXPOSITION_WHY_MAX] = "";

        assert_null(exposition_read(bad[i][0], strlen(bad[i][0]), why));
        if (strncmp(why, bad[i][1], strlen(bad[i][1])) != 0)
            fail_msg("%s is not what is wrong with: %s", why, bad[i][0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_good_ones),
        cmocka_unit_test(refuses_bad_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
