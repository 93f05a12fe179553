/* SPDX-License-Identifier: BSD-3-Clause */
/* Options from a file: its lines, quotes, limits, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/home.h"

/* The message for the file, which must name it and the line. */
static void refused(struct home *home, const char *text, unsigned line,
                    const char *says)
{
    char expected[2 * CONF_TEXT_MAX];
    const char *message = home_load(home, text);

    snprintf(expected, sizeof expected, "%s:%u: %s", home->path, line, says);
    assert_non_null(message);
    assert_string_equal(message, expected);
}

static void lines_are_read_as_redis_reads_them(void **state)
{
    struct home *home = *state;

    assert_null(home_load(home, "# comment\n"
                                "\n"
                                "   \t\n"
                                "  # another\n"
                                "port 7000\n"
                                "  MAXMEMORY\t 64mb  \n"
                                "bind 127.0.0.1 ::1 10.0.0.1\n"
                                "\"loglevel\" 'debug'\n"
                                "logfile \"/tmp/a b\"\n"
                                "save \"\"\n"
                                "pidfile /tmp/no-newline"));
    assert_int_equal(home->conf.port, 7000);
    assert_int_equal(home->conf.maxmemory, 64 * CONF_MB);
    assert_string_equal(home->conf.bind, "127.0.0.1 ::1 10.0.0.1");
    assert_int_equal(home->conf.loglevel, 0);
    assert_string_equal(home->conf.logfile, "/tmp/a b");
    assert_string_equal(home->conf.pidfile, "/tmp/no-newline");
    assert_string_equal(home->conf.file, home->path);
}

static void line_ends_may_be_crlf(void **state)
{
    struct home *home = *state;

    assert_null(
        home_load(home, "port 7000\r\n\r\n# x\r\nloglevel warning\r\n"));
    assert_int_equal(home->conf.port, 7000);
    assert_int_equal(home->conf.loglevel, 3);
}

static void quotes_and_escapes(void **state)
{
    struct home *home = *state;
    static const struct {
        const char *line, *value;
    } good[] = {
        {"requirepass plain", "plain"},
        {"requirepass \"two words\"", "two words"},
        {"requirepass 'two words'", "two words"},
        {"requirepass \"\\x41\\x7a\\xZZ\"", "AzxZZ"},
        {"requirepass \"\\n\\r\\t\\b\\a\\\"\\\\\\q\"", "\n\r\t\b\a\"\\q"},
        {"requirepass 'it\\'s \\n'", "it's \\n"},
        {"requirepass ab\"cd\"", "abcd"},
        {"requirepass a\\b", "a\\b"},
        {"requirepass \"\"", ""},
        {"requirepass a#b", "a#b"},
        {"requirepass \xc3\xa4", "\xc3\xa4"},
    };
    static const char *const unbalanced[] = {
        "requirepass \"abc", "requirepass 'abc",    "requirepass \"a\"b",
        "requirepass 'a'b",  "requirepass \"abc\\", "requirepass \"abc\\\"",
        "requirepass '",     "requirepass \"\\x4",
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_null(home_load(home, good[i].line));
        assert_string_equal(home->conf.requirepass, good[i].value);
    }
    for (size_t i = 0; i < sizeof unbalanced / sizeof unbalanced[0]; i++)
        refused(home, unbalanced[i], 1, "unbalanced quotes");
}

static void the_last_of_several_lines_wins(void **state)
{
    struct home *home = *state;

    assert_null(home_load(home, "port 1\nport 2\nbind a b\nPORT 3\nbind c\n"));
    assert_int_equal(home->conf.port, 3);
    assert_string_equal(home->conf.bind, "c");
}

static void messages_name_file_and_line(void **state)
{
    struct home *home = *state;

    refused(home, "\n#\ntimeout x\nport 1\n", 3,
            "timeout: argument couldn't be parsed into an integer");
    refused(home, "nosuch 1", 1, "nosuch: no such option");
    refused(home, "port\n", 1, "port: wrong number of arguments");
    refused(home, "port 1 2\n", 1, "port: wrong number of arguments");
    refused(home, "port 1 # one\n", 1, "port: wrong number of arguments");
    refused(home, "bind\n", 1, "bind: wrong number of arguments");
    refused(home, "maxmemory 17179869184gb", 1,
            "maxmemory: argument must be a memory value");
    refused(home, "save 3600 1", 1,
            "save: can't set immutable config (Always empty: nothing is "
            "saved)");
    refused(home, "\xef\xbb\xbfport 1", 1,
            "\\xef\\xbb\\xbfport: no such option");
    refused(home, "requirepass \"a\\x00b\"", 1,
            "requirepass: argument must not contain a NUL byte");
}

static void messages_keep_secrets(void **state)
{
    struct home *home = *state;

    assert_non_null(home_load(home, "requirepass s3cret word\n"));
    assert_null(strstr(home->why, "s3cret"));
    assert_non_null(home_load(home, "requirepass \"s3cret\n"));
    assert_null(strstr(home->why, "s3cret"));
}

static void lengths_are_bounded(void **state)
{
    struct home *home = *state;
    static char big[CONF_FILE_MAX + 2];
    char expected[128];

    memset(big, 'x', sizeof big);
    memcpy(big, "# ", 2);
    big[CONF_LINE_MAX] = '\n';
    memcpy(big + CONF_LINE_MAX + 1, "port 7000\n", 11);
    assert_null(home_load(home, big));
    assert_int_equal(home->conf.port, 7000);

    big[CONF_LINE_MAX] = 'x';
    refused(home, big, 1, "line too long");
    memset(big, 'x', sizeof big);
    memcpy(big, "logfile ", 8);
    assert_non_null(home_load_bytes(home, big, sizeof big));
    assert_non_null(strstr(home->why, ":1: line too long"));

    memset(big, '\n', sizeof big);
    memcpy(big + CONF_FILE_MAX - 4, "port", 4);
    memcpy(big + CONF_FILE_MAX, " 1", 2);
    assert_non_null(home_load_bytes(home, big, sizeof big));
    assert_non_null(strstr(home->why, "file too long"));
    assert_null(home_load_bytes(home, big, CONF_FILE_MAX - 4));

    memset(big, 'x', 1024);
    memcpy(big, "logfile ", 8);
    big[8 + 511] = '\0';
    assert_null(home_load(home, big));
    big[8 + 511] = 'x';
    big[8 + 512] = '\0';
    refused(home, big, 1, "logfile: argument must be at most 511 bytes long");

    memset(big, 'x', 1024);
    memcpy(big, "bind ", 5);
    big[5 + 255] = big[5 + 255 + 257] = ' ';
    big[1024] = '\0';
    refused(home, big, 1, "bind: argument must be at most 511 bytes long");

    strcpy(big, "bind");
    for (int i = 0; i < CONF_VALUES_MAX - 1; i++)
        strcat(big, " a");
    assert_null(home_load(home, big));
    strcat(big, " a");
    refused(home, big, 1, "too many words");

    memset(big, 'n', 100);
    big[100] = '\0';
    snprintf(expected, sizeof expected, "%.48s...: no such option", big);
    refused(home, big, 1, expected);
}

static void nul_bytes_are_refused(void **state)
{
    struct home *home = *state;

    assert_non_null(home_load_bytes(home, "port 1\nport\0 2\n", 15));
    assert_non_null(strstr(home->why, "ebb.conf:2: NUL byte"));
}

static void only_regular_files_are_read(void **state)
{
    struct home *home = *state;
    char fifo[80], expected[128];

    snprintf(fifo, sizeof fifo, "%s/fifo", home->folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    snprintf(expected, sizeof expected, "'%s' is not a regular file", fifo);
    assert_string_equal(conf_load_file(&home->conf, fifo, home->why), expected);
    unlink(fifo);
    assert_string_equal(conf_load_file(&home->conf, "/dev/zero", home->why),
                        "'/dev/zero' is not a regular file");
    assert_string_equal(conf_load_file(&home->conf, "/", home->why),
                        "'/' is not a regular file");
    assert_string_equal(conf_load_file(&home->conf, "/no/such", home->why),
                        "can't open '/no/such': No such file or directory");
    assert_string_equal(conf_load_file(&home->conf, "", home->why),
                        "can't open '': No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOME_TEST(lines_are_read_as_redis_reads_them),
        HOME_TEST(line_ends_may_be_crlf),
        HOME_TEST(quotes_and_escapes),
        HOME_TEST(the_last_of_several_lines_wins),
        HOME_TEST(messages_name_file_and_line),
        HOME_TEST(messages_keep_secrets),
        HOME_TEST(lengths_are_bounded),
        HOME_TEST(nul_bytes_are_refused),
        HOME_TEST(only_regular_files_are_read),
    };
    return cmocka_run_group_tests(tests, home_open, home_close);
}
