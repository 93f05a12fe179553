/* SPDX-License-Identifier: BSD-3-Clause */
/* Prometheus text: lines, escapes, numbers. */

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/prom.h"

static void assert_said(struct buf *out, const char *text)
{
    buf_add(out, "", 1);
    assert_string_equal(out->data + out->start, text);
    buf_truncate(out, 0);
}

static void a_family_has_help_and_type(void **state)
{
    (void)state;
    struct buf out = {0};
    prom_family(&out, "ebb_items", "gauge", "Entries.");
    assert_said(&out, "# HELP ebb_items Entries.\n# TYPE ebb_items gauge\n");
    prom_family(&out, "x", "counter", "a \\ b\nc \"d\"\n");
    assert_said(&out, "# HELP x a \\\\ b\\nc \"d\"\\n\n# TYPE x counter\n");
    buf_release(&out);
}

static void labels_are_escaped(void **state)
{
    (void)state;
    struct buf labels = {0}, out = {0};
    prom_label(&labels, "cmd", "get");
    assert_string_equal(labels.data, "cmd=\"get\"");
    prom_label(&labels, "name", "a\"b\\c\nd");
    prom_label(&labels, "empty", "");
    const char *all = "cmd=\"get\",name=\"a\\\"b\\\\c\\nd\",empty=\"\"";
    assert_string_equal(labels.data, all);
    assert_int_equal(buf_len(&labels), strlen(all));

    buf_truncate(&labels, 0);
    prom_label(&labels, "cmd", "config|get");
    prom_sample_int(&out, "ebb_calls_total", labels.data, 7);
    prom_sample_int(&out, "ebb_calls_total", NULL, 7);
    prom_sample_int(&out, "ebb_calls_total", "", 7);
    assert_said(&out, "ebb_calls_total{cmd=\"config|get\"} 7\n"
                      "ebb_calls_total 7\nebb_calls_total 7\n");
    buf_release(&labels);
    buf_release(&out);
}

static void integers_are_exact(void **state)
{
    (void)state;
    struct buf out = {0};
    prom_sample_int(&out, "x", NULL, 0);
    prom_sample_int(&out, "x", NULL, UINT64_MAX);
    assert_said(&out, "x 0\nx 18446744073709551615\n");
    buf_release(&out);
}

static void doubles_read_back_the_same(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *line;
    } rows[] = {
        {0, "x 0\n"},
        {1, "x 1\n"},
        {-2.5, "x -2.5\n"},
        {0.1, "x 0.1\n"},
        {0.1 + 0.2, "x 0.30000000000000004\n"},
        {1700000000, "x 1700000000\n"},
        {1e15, "x 1e+15\n"},
        {9007199254740991, "x 9007199254740991\n"},
        {INFINITY, "x +Inf\n"},
        {-INFINITY, "x -Inf\n"},
        {NAN, "x NaN\n"},
        {-NAN, "x NaN\n"},
    };
    struct buf out = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        prom_sample(&out, "x", NULL, rows[i].value);
        assert_said(&out, rows[i].line);
    }
    static const double edges[] = {DBL_MAX, -DBL_MAX,   DBL_MIN, 5e-324,
                                   1.0 / 3, 123456.789, 2e-310,  DBL_EPSILON};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        prom_sample(&out, "x", NULL, edges[i]);
        buf_add(&out, "", 1);
        char *end;
        assert_true(strtod(out.data + 2, &end) == edges[i]);
        assert_string_equal(end, "\n");
        buf_truncate(&out, 0);
    }
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_has_help_and_type),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(doubles_read_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
