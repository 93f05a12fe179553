/* SPDX-License-Identifier: BSD-3-Clause */
/* The log: its lines, and readers that do not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/log.h"

static char folder[32], path[64], moved[64], text[1 << 20];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/ebb-log-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(moved, sizeof moved, "%s/log.1", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    unlink(moved);
    return rmdir(folder);
}

static const char *read_all(const char *name)
{
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void a_line_is_time_level_and_sentence(void **state)
{
    regex_t line;
    (void)state;
    struct log *log = log_new(path, LOG_NOTICE);
    assert_non_null(log);
    log_write(log, LOG_WARNING, "%d is %s", 1, "one");
    assert_int_equal(
        regcomp(&line,
                "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                "\\.[0-9]{3}Z warning 1 is one\n$",
                REG_EXTENDED | REG_NOSUB),
        0);
    assert_int_equal(regexec(&line, read_all(path), 0, NULL, 0), 0);
    regfree(&line);
    log_free(log);
}

static void lower_levels_are_left_out(void **state)
{
    (void)state;
    struct log *log = log_new(path, LOG_NOTICE);
    log_write(log, LOG_VERBOSE, "first");
    log_set_level(log, LOG_VERBOSE);
    log_write(log, LOG_DEBUG, "second");
    log_write(log, LOG_VERBOSE, "third");
    assert_null(strstr(read_all(path), "first"));
    assert_null(strstr(text, "second"));
    assert_non_null(strstr(text, "third"));
    log_free(log);
}

static void a_sentence_stays_one_line(void **state)
{
    static char lots[5000];
    (void)state;
    memset(lots, 'x', sizeof lots - 1);
    struct log *log = log_new(path, LOG_NOTICE);
    log_write(log, LOG_NOTICE, "a\r\nb\033c");
    log_write(log, LOG_NOTICE, "%s", lots);
    assert_non_null(strstr(read_all(path), "a??b?c\n"));
    char *second = strchr(text, '\n') + 1;
    assert_true(strlen(second) <= 1024);
    assert_string_equal(second + strlen(second) - 2, "x\n");
    log_free(log);
}

static void what_is_frequent_is_told_once(void **state)
{
    _Atomic int64_t when = 0, other = 0;
    (void)state;
    struct log *log = log_new(path, LOG_NOTICE);
    for (int i = 0; i < 100; i++)
        log_rarely(log, &when, LOG_WARNING, "again");
    log_rarely(log, &other, LOG_WARNING, "something else");
    char *first = strstr(read_all(path), "again");
    assert_non_null(first);
    assert_null(strstr(first + 1, "again"));
    assert_non_null(strstr(text, "something else"));
    log_free(log);
}

static void a_moved_log_is_opened_again(void **state)
{
    (void)state;
    struct log *log = log_new(path, LOG_NOTICE);
    log_write(log, LOG_NOTICE, "before");
    assert_int_equal(rename(path, moved), 0);
    log_write(log, LOG_NOTICE, "moved");
    assert_true(log_reopen(log));
    log_write(log, LOG_NOTICE, "after");
    assert_non_null(strstr(read_all(moved), "moved"));
    assert_null(strstr(text, "after"));
    assert_non_null(strstr(read_all(path), "after"));
    log_free(log);
}

static void a_path_that_cannot_be_opened_is_refused(void **state)
{
    (void)state;
    assert_null(log_new("/nonexistent/log", LOG_NOTICE));
    assert_int_equal(errno, ENOENT);
}

/* A pipe that nobody reads: lines are lost, time is not, and the loss is told
 * once there is room. */
static void a_full_pipe_costs_lines_only(void **state)
{
    enum { LINES = 5000 };
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    struct log *log = log_new(path, LOG_NOTICE);
    assert_non_null(log);
    for (int i = 0; i < LINES; i++)
        log_write(log, LOG_NOTICE, "line %d", i);
    uint64_t dropped = log_dropped(log);
    assert_true(dropped > 0 && dropped < LINES);

    ssize_t len = read(reader, text, sizeof text - 1);
    assert_true(len > 0);
    text[len] = '\0';
    uint64_t lines = 0;
    for (ssize_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    assert_int_equal(lines + dropped, LINES);

    char told[64];
    snprintf(told, sizeof told, "%llu lines could not be written",
             (unsigned long long)dropped);
    log_write(log, LOG_NOTICE, "back");
    len = read(reader, text, sizeof text - 1);
    assert_true(len > 0);
    text[len] = '\0';
    assert_non_null(strstr(text, told));
    assert_non_null(strstr(text, "back"));
    assert_int_equal(log_dropped(log), dropped);
    close(reader);
    log_free(log);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_time_level_and_sentence),
        TEST(lower_levels_are_left_out),
        TEST(a_sentence_stays_one_line),
        TEST(what_is_frequent_is_told_once),
        TEST(a_moved_log_is_opened_again),
        TEST(a_path_that_cannot_be_opened_is_refused),
        TEST(a_full_pipe_costs_lines_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
