/* SPDX-License-Identifier: BSD-3-Clause */
/* Options from flags and the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "tests/home.h"

static const char *load_args(struct home *home, char **argv)
{
    int argc = 0;

    while (argv[argc] != NULL)
        argc++;
    return conf_load_args(&home->conf, argc, argv, home->why);
}

#define args(home, ...)                                                        \
    load_args(home, (char *[]){"ebb-server", __VA_ARGS__, NULL})

static void flags_win_over_the_file(void **state)
{
    struct home *home = *state;

    home_write(home, "port 1\ntimeout 5\n", 17);
    assert_null(args(home, home->path, "--port", "7000", "--maxmemory", "64mb",
                     "--bind", "a", "-::1", "--logfile", "", "--PORT", "7001"));
    assert_int_equal(home->conf.port, 7001);
    assert_int_equal(home->conf.timeout, 5);
    assert_int_equal(home->conf.maxmemory, 64 * CONF_MB);
    assert_string_equal(home->conf.bind, "a -::1");
    assert_string_equal(home->conf.file, home->path);
}

static void flags_need_no_file(void **state)
{
    struct home *home = *state;

    assert_null(load_args(home, (char *[]){"ebb-server", NULL}));
    assert_null(load_args(home, (char *[]){NULL}));
    assert_null(args(home, "--port", "0"));
    assert_int_equal(home->conf.port, 0);
    assert_string_equal(home->conf.file, "");
}

static void messages_name_the_flag(void **state)
{
    struct home *home = *state;

    assert_string_equal(args(home, "--port"),
                        "--port: wrong number of arguments");
    assert_string_equal(args(home, "--port", "--bind", "a"),
                        "--port: wrong number of arguments");
    assert_string_equal(args(home, "--port", "1", "2"),
                        "--port: wrong number of arguments");
    assert_string_equal(args(home, "--port", "x"),
                        "--port: argument couldn't be parsed into an integer");
    assert_string_equal(args(home, "--nosuch", "1"),
                        "--nosuch: no such option");
    assert_string_equal(args(home, "--"), "--: no such option");
    assert_string_equal(args(home, "-p", "1"),
                        "-p: not an option, these begin with --");
    assert_string_equal(args(home, "/no/such"),
                        "can't open '/no/such': No such file or directory");
}

static void the_password_is_no_flag(void **state)
{
    struct home *home = *state;

    assert_string_equal(args(home, "--requirepass", "s3cret"),
                        "--requirepass: not on the command line, where others "
                        "can read it; use the file or EBB_REQUIREPASS");
    assert_string_equal(home->conf.requirepass, "");
}

static void the_environment_has_the_password(void **state)
{
    struct home *home = *state;

    assert_null(conf_load_env(&home->conf, home->why));
    assert_null(home_load(home, "requirepass file\n"));
    setenv("EBB_REQUIREPASS", "from env", 1);
    setenv("EBB_PORT", "7000", 1);
    assert_null(conf_load_env(&home->conf, home->why));
    assert_string_equal(home->conf.requirepass, "from env");
    assert_int_equal(home->conf.port, 6379);
    setenv("EBB_REQUIREPASS", "", 1);
    assert_string_equal(conf_load_env(&home->conf, home->why),
                        "EBB_REQUIREPASS: is empty; unset it or give it a "
                        "value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOME_TEST(flags_win_over_the_file),
        HOME_TEST(flags_need_no_file),
        HOME_TEST(messages_name_the_flag),
        HOME_TEST(the_password_is_no_flag),
        HOME_TEST(the_environment_has_the_password),
    };
    return cmocka_run_group_tests(tests, home_open, home_close);
}
