/* SPDX-License-Identifier: BSD-3-Clause */
/* The option table: names, initial values, and the lists made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

static void names_are_fields_with_hyphens(void **state)
{
    static const char *const fields[] = {
#define X(kind, field, name, initial, least, most, unit, change, flags, help)  \
#field,
        CONF_OPTIONS(X)
#undef X
    };
    (void)state;
    for (unsigned id = 0; id < CONF_COUNT; id++) {
        const char *name = conf_option((enum conf_id)id)->name;
        assert_int_equal(strlen(name), strlen(fields[id]));
        for (size_t i = 0; name[i]; i++)
            assert_int_equal(name[i],
                             fields[id][i] == '_' ? '-' : fields[id][i]);
    }
}

static void every_row_starts_at_its_initial_value(void **state)
{
    struct conf conf, again;
    char why[CONF_TEXT_MAX], text[CONF_TEXT_MAX];

    (void)state;
    conf_init(&conf);
    conf_init(&again);
    for (unsigned i = 0; i < CONF_COUNT; i++) {
        enum conf_id id = (enum conf_id)i;
        const char *initial = conf_option(id)->initial;
        assert_null(conf_set(&again, id, initial, strlen(initial), why));
        conf_get(&conf, id, text);
        assert_null(conf_set(&again, id, text, strlen(text), why));
        assert_true(strlen(conf_option(id)->help) > 10);
    }
    assert_memory_equal(&conf, &again, sizeof conf);
    assert_int_equal(conf.port, 6379);
    assert_int_equal(conf.unixsocketperm, 0700);
    assert_int_equal(conf.maxmemory, 0);
    assert_int_equal(conf.maxmemory_clients, -5);
    assert_int_equal(conf.proto_max_bulk_len, 512 * CONF_MB);
    assert_int_equal(conf.loglevel, 2);
    assert_string_equal(conf.bind, "127.0.0.1 -::1");
    assert_string_equal(conf.requirepass, "");
}

static void find_takes_either_case_and_whole_names_only(void **state)
{
    (void)state;
    assert_int_equal(conf_find("port", 4), CONF_port);
    assert_int_equal(conf_find("MaxMemory-Policy", 16), CONF_maxmemory_policy);
    assert_int_equal(conf_find("maxmemory", 9), CONF_maxmemory);
    assert_int_equal(conf_find("maxmemor", 8), CONF_COUNT);
    assert_int_equal(conf_find("maxmemory_policy", 16), CONF_COUNT);
    assert_int_equal(conf_find("port\0x", 6), CONF_COUNT);
    assert_int_equal(conf_find("", 0), CONF_COUNT);
    for (unsigned id = 0; id < CONF_COUNT; id++) {
        const char *name = conf_option((enum conf_id)id)->name;
        assert_int_equal(conf_find(name, strlen(name)), id);
    }
}

static char *printed(void (*print)(FILE *))
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    assert_non_null(to);
    print(to);
    fclose(to);
    return text;
}

static void help_and_docs_list_the_options(void **state)
{
    char *help = printed(conf_print_help);
    char *docs = printed(conf_print_markdown);
    char *sample = printed(conf_print_sample);
    char pattern[CONF_TEXT_MAX];

    (void)state;
    for (unsigned id = 0; id < CONF_COUNT; id++) {
        const struct conf_option *row = conf_option((enum conf_id)id);
        bool fixed = row->change == CONF_FIXED;

        snprintf(pattern, sizeof pattern, "| `%s` |", row->name);
        assert_non_null(strstr(docs, pattern));
        snprintf(pattern, sizeof pattern, "\n# %s ", row->name);
        assert_int_equal(strstr(sample, pattern) != NULL, !fixed);
        snprintf(pattern, sizeof pattern, "  --%s ", row->name);
        assert_int_equal(strstr(help, pattern) != NULL,
                         !fixed && !(row->flags & CONF_SECRET));
    }
    for (const char *line = help; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    free(help);
    free(docs);
    free(sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_fields_with_hyphens),
        cmocka_unit_test(every_row_starts_at_its_initial_value),
        cmocka_unit_test(find_takes_either_case_and_whole_names_only),
        cmocka_unit_test(help_and_docs_list_the_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
