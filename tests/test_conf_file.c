/* SPDX-License-Identifier: BSD-3-Clause */
/* Options from files, flags and the environment, and back into the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"

static char folder[] = "/tmp/ebb-conf-XXXXXX";
static char path[64], why[CONF_TEXT_MAX];
static struct conf conf;

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/ebb.conf", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int fresh(void **state)
{
    (void)state;
    conf_init(&conf);
    unsetenv("EBB_REQUIREPASS");
    return 0;
}

static int drop_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void write_bytes(const char *bytes, size_t len)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static const char *load_bytes(const char *bytes, size_t len)
{
    write_bytes(bytes, len);
    return conf_load_file(&conf, path, why);
}

static const char *load(const char *text)
{
    return load_bytes(text, strlen(text));
}

/* The message for the file, which must name it and the line. */
static void refused(const char *text, unsigned line, const char *says)
{
    char expected[2 * CONF_TEXT_MAX];
    const char *message = load(text);

    snprintf(expected, sizeof expected, "%s:%u: %s", path, line, says);
    assert_non_null(message);
    assert_string_equal(message, expected);
}

static void assert_file(const char *text)
{
    char got[8192];
    FILE *file = fopen(path, "r");
    size_t len;

    assert_non_null(file);
    len = fread(got, 1, sizeof got - 1, file);
    got[len] = '\0';
    fclose(file);
    assert_string_equal(got, text);
}

static unsigned files_in_folder(void)
{
    DIR *dir = opendir(folder);
    unsigned count = 0;

    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count - 2; /* . and .. */
}

/* ----------------------------------------------------------------- load */

static void lines_are_read_as_redis_reads_them(void **state)
{
    (void)state;
    assert_null(load("# comment\n"
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
    assert_int_equal(conf.port, 7000);
    assert_int_equal(conf.maxmemory, 64 * CONF_MB);
    assert_string_equal(conf.bind, "127.0.0.1 ::1 10.0.0.1");
    assert_int_equal(conf.loglevel, 0);
    assert_string_equal(conf.logfile, "/tmp/a b");
    assert_string_equal(conf.pidfile, "/tmp/no-newline");
    assert_string_equal(conf.file, path);
}

static void line_ends_may_be_crlf(void **state)
{
    (void)state;
    assert_null(load("port 7000\r\n\r\n# x\r\nloglevel warning\r\n"));
    assert_int_equal(conf.port, 7000);
    assert_int_equal(conf.loglevel, 3);
}

static void quotes_and_escapes(void **state)
{
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

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_null(load(good[i].line));
        assert_string_equal(conf.requirepass, good[i].value);
    }
    for (size_t i = 0; i < sizeof unbalanced / sizeof unbalanced[0]; i++)
        refused(unbalanced[i], 1, "unbalanced quotes");
}

static void the_last_of_several_lines_wins(void **state)
{
    (void)state;
    assert_null(load("port 1\nport 2\nbind a b\nPORT 3\nbind c\n"));
    assert_int_equal(conf.port, 3);
    assert_string_equal(conf.bind, "c");
}

static void messages_name_file_and_line(void **state)
{
    (void)state;
    refused("\n#\ntimeout x\nport 1\n", 3,
            "timeout: argument couldn't be parsed into an integer");
    refused("nosuch 1", 1, "nosuch: no such option");
    refused("port\n", 1, "port: wrong number of arguments");
    refused("port 1 2\n", 1, "port: wrong number of arguments");
    refused("port 1 # one\n", 1, "port: wrong number of arguments");
    refused("bind\n", 1, "bind: wrong number of arguments");
    refused("maxmemory 17179869184gb", 1,
            "maxmemory: argument must be a memory value");
    refused("save 3600 1", 1,
            "save: can't set immutable config (Always empty: nothing is "
            "saved)");
    refused("\xef\xbb\xbfport 1", 1, "\\xef\\xbb\\xbfport: no such option");
    refused("requirepass \"a\\x00b\"", 1,
            "requirepass: argument must not contain a NUL byte");
}

static void messages_keep_secrets(void **state)
{
    (void)state;
    assert_non_null(load("requirepass s3cret word\n"));
    assert_null(strstr(why, "s3cret"));
    assert_non_null(load("requirepass \"s3cret\n"));
    assert_null(strstr(why, "s3cret"));
}

static void lengths_are_bounded(void **state)
{
    static char big[CONF_FILE_MAX + 2];
    char expected[128];

    (void)state;
    memset(big, 'x', sizeof big);
    memcpy(big, "# ", 2);
    big[CONF_LINE_MAX] = '\n';
    memcpy(big + CONF_LINE_MAX + 1, "port 7000\n", 11);
    assert_null(load(big));
    assert_int_equal(conf.port, 7000);

    big[CONF_LINE_MAX] = 'x';
    refused(big, 1, "line too long");
    memset(big, 'x', sizeof big);
    memcpy(big, "logfile ", 8);
    assert_non_null(load_bytes(big, sizeof big));
    assert_non_null(strstr(why, ":1: line too long"));

    memset(big, '\n', sizeof big);
    memcpy(big + CONF_FILE_MAX - 4, "port", 4);
    memcpy(big + CONF_FILE_MAX, " 1", 2);
    assert_non_null(load_bytes(big, sizeof big));
    assert_non_null(strstr(why, "file too long"));
    assert_null(load_bytes(big, CONF_FILE_MAX - 4));

    memset(big, 'x', 1024);
    memcpy(big, "logfile ", 8);
    big[8 + 511] = '\0';
    assert_null(load(big));
    big[8 + 511] = 'x';
    big[8 + 512] = '\0';
    refused(big, 1, "logfile: argument must be at most 511 bytes long");

    memset(big, 'x', 1024);
    memcpy(big, "bind ", 5);
    big[5 + 255] = big[5 + 255 + 257] = ' ';
    big[1024] = '\0';
    refused(big, 1, "bind: argument must be at most 511 bytes long");

    strcpy(big, "bind");
    for (int i = 0; i < CONF_VALUES_MAX - 1; i++)
        strcat(big, " a");
    assert_null(load(big));
    strcat(big, " a");
    refused(big, 1, "too many words");

    memset(big, 'n', 100);
    big[100] = '\0';
    snprintf(expected, sizeof expected, "%.48s...: no such option", big);
    refused(big, 1, expected);
}

static void nul_bytes_are_refused(void **state)
{
    (void)state;
    assert_non_null(load_bytes("port 1\nport\0 2\n", 15));
    assert_non_null(strstr(why, "ebb.conf:2: NUL byte"));
}

static void only_regular_files_are_read(void **state)
{
    char fifo[80], expected[128];

    (void)state;
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    snprintf(expected, sizeof expected, "'%s' is not a regular file", fifo);
    assert_string_equal(conf_load_file(&conf, fifo, why), expected);
    unlink(fifo);
    assert_string_equal(conf_load_file(&conf, "/dev/zero", why),
                        "'/dev/zero' is not a regular file");
    assert_string_equal(conf_load_file(&conf, "/", why),
                        "'/' is not a regular file");
    assert_string_equal(conf_load_file(&conf, "/no/such", why),
                        "can't open '/no/such': No such file or directory");
    assert_string_equal(conf_load_file(&conf, "", why),
                        "can't open '': No such file or directory");
}

/* ---------------------------------------------------- flags, environment */

static const char *load_args(char **argv)
{
    int argc = 0;

    while (argv[argc] != NULL)
        argc++;
    return conf_load_args(&conf, argc, argv, why);
}

#define args(...) load_args((char *[]){"ebb-server", __VA_ARGS__, NULL})

static void flags_win_over_the_file(void **state)
{
    (void)state;
    write_bytes("port 1\ntimeout 5\n", 17);
    assert_null(args(path, "--port", "7000", "--maxmemory", "64mb", "--bind",
                     "a", "-::1", "--logfile", "", "--PORT", "7001"));
    assert_int_equal(conf.port, 7001);
    assert_int_equal(conf.timeout, 5);
    assert_int_equal(conf.maxmemory, 64 * CONF_MB);
    assert_string_equal(conf.bind, "a -::1");
    assert_string_equal(conf.file, path);
}

static void flags_need_no_file(void **state)
{
    (void)state;
    assert_null(load_args((char *[]){"ebb-server", NULL}));
    assert_null(load_args((char *[]){NULL}));
    assert_null(args("--port", "0"));
    assert_int_equal(conf.port, 0);
    assert_string_equal(conf.file, "");
}

static void messages_name_the_flag(void **state)
{
    (void)state;
    assert_string_equal(args("--port"), "--port: wrong number of arguments");
    assert_string_equal(args("--port", "--bind", "a"),
                        "--port: wrong number of arguments");
    assert_string_equal(args("--port", "1", "2"),
                        "--port: wrong number of arguments");
    assert_string_equal(args("--port", "x"),
                        "--port: argument couldn't be parsed into an integer");
    assert_string_equal(args("--nosuch", "1"), "--nosuch: no such option");
    assert_string_equal(args("--"), "--: no such option");
    assert_string_equal(args("-p", "1"),
                        "-p: not an option, these begin with --");
    assert_string_equal(args("/no/such"),
                        "can't open '/no/such': No such file or directory");
}

static void the_password_is_no_flag(void **state)
{
    (void)state;
    assert_string_equal(args("--requirepass", "s3cret"),
                        "--requirepass: not on the command line, where others "
                        "can read it; use the file or EBB_REQUIREPASS");
    assert_string_equal(conf.requirepass, "");
}

static void the_environment_has_the_password(void **state)
{
    (void)state;
    assert_null(conf_load_env(&conf, why));
    assert_null(load("requirepass file\n"));
    setenv("EBB_REQUIREPASS", "from env", 1);
    setenv("EBB_PORT", "7000", 1);
    assert_null(conf_load_env(&conf, why));
    assert_string_equal(conf.requirepass, "from env");
    assert_int_equal(conf.port, 6379);
    setenv("EBB_REQUIREPASS", "", 1);
    assert_string_equal(conf_load_env(&conf, why),
                        "EBB_REQUIREPASS: is empty; unset it or give it a "
                        "value");
}

/* -------------------------------------------------------------- rewrite */

static void set(enum conf_id id, const char *text)
{
    assert_null(conf_set(&conf, id, text, strlen(text), why));
}

static void rewrite_changes_what_changed_only(void **state)
{
    (void)state;
    assert_null(load("# first\n"
                     "maxmemory   64mb\n"
                     "\n"
                     "  TIMEOUT 5\r\n"
                     "# last\n"
                     "port 7000"));
    set(CONF_timeout, "6");
    set(CONF_loglevel, "debug");
    assert_null(conf_rewrite(&conf, why));
    assert_file("# first\n"
                "maxmemory   64mb\n"
                "\n"
                "timeout 6\r\n"
                "# last\n"
                "port 7000\n"
                "# Generated by CONFIG REWRITE\n"
                "loglevel debug\n");

    set(CONF_maxclients, "50");
    set(CONF_maxmemory, "0");
    assert_null(conf_rewrite(&conf, why));
    assert_null(conf_rewrite(&conf, why));
    assert_file("# first\n"
                "maxmemory 0\n"
                "\n"
                "timeout 6\r\n"
                "# last\n"
                "port 7000\n"
                "# Generated by CONFIG REWRITE\n"
                "loglevel debug\n"
                "maxclients 50\n");
    assert_int_equal(files_in_folder(), 1);
}

static void rewrite_drops_repetitions(void **state)
{
    (void)state;
    assert_null(load("port 1\n# x\nport 2\nport 2\n"));
    assert_null(conf_rewrite(&conf, why));
    assert_file("port 2\n# x\n");
}

static void rewrite_is_read_back_the_same(void **state)
{
    static const char nasty[] = "a \"b\" 'c' \\ # \n\r\t\x01\xff\xc3\xa4 ";
    struct conf again;

    (void)state;
    assert_null(load("# empty\n"));
    for (unsigned i = 0; i < CONF_COUNT; i++) {
        enum conf_id id = (enum conf_id)i;
        const struct conf_option *row = conf_option(id);
        char text[32];

        if (row->change == CONF_FIXED || row->kind == CONF_KIND_CHOICE)
            continue;
        snprintf(text, sizeof text,
                 row->kind == CONF_KIND_OCTAL ? "%llo" : "%lld",
                 (long long)row->most);
        set(id, row->kind == CONF_KIND_TEXT ? nasty : text);
    }
    set(CONF_maxmemory_policy, "noeviction");
    set(CONF_bind, "a -b");
    set(CONF_loglevel, "debug");
    set(CONF_maxmemory, "50%");
    assert_null(conf_rewrite(&conf, why));
    conf_init(&again);
    assert_null(conf_load_file(&again, path, why));
    for (unsigned i = 0; i < CONF_COUNT; i++) {
        char a[CONF_TEXT_MAX], b[CONF_TEXT_MAX];
        conf_get(&conf, (enum conf_id)i, a);
        conf_get(&again, (enum conf_id)i, b);
        assert_string_equal(a, b);
    }
}

static void rewrite_keeps_the_environments_secret_out(void **state)
{
    (void)state;
    setenv("EBB_REQUIREPASS", "s3cret", 1);
    assert_null(load("requirepass old\nport 1\n"));
    assert_null(conf_load_env(&conf, why));
    assert_null(conf_rewrite(&conf, why));
    assert_file("requirepass old\nport 1\n");
    unlink(path);
    assert_null(conf_rewrite(&conf, why));
    assert_file("# Generated by CONFIG REWRITE\nport 1\n");
    set(CONF_requirepass, "new");
    assert_null(conf_rewrite(&conf, why));
    assert_file("# Generated by CONFIG REWRITE\nport 1\nrequirepass new\n");
}

static void rewrite_keeps_mode_and_links(void **state)
{
    char link_path[80], shown[CONF_TEXT_MAX];
    struct stat st;

    (void)state;
    write_bytes("port 1\n", 7);
    assert_int_equal(chmod(path, 0640), 0);
    snprintf(link_path, sizeof link_path, "%s/link", folder);
    assert_int_equal(symlink("ebb.conf", link_path), 0);
    assert_null(conf_load_file(&conf, link_path, why));
    assert_string_equal(conf.file, path);
    set(CONF_port, "2");
    assert_null(conf_rewrite(&conf, why));
    assert_true(readlink(link_path, shown, sizeof shown) > 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_file("port 2\n");
    unlink(link_path);
}

static void rewrite_that_fails_leaves_the_file(void **state)
{
    static char big[CONF_LINE_MAX + 20];

    (void)state;
    assert_string_equal(conf_rewrite(&conf, why),
                        "The server is running without a config file");
    assert_null(load("port 1\n"));
    memset(big, '#', sizeof big);
    write_bytes(big, sizeof big);
    assert_non_null(conf_rewrite(&conf, why));
    assert_non_null(strstr(why, "ebb.conf:1: line too long"));
    assert_int_equal(files_in_folder(), 1);

    strcpy(conf.file, "/no/such/ebb.conf");
    assert_string_equal(conf_rewrite(&conf, why),
                        "can't write beside '/no/such/ebb.conf': No such file "
                        "or directory");
}

static void rewrite_makes_a_missing_file_private(void **state)
{
    struct stat st;

    (void)state;
    assert_null(load("requirepass s3cret\n"));
    unlink(path);
    assert_null(conf_rewrite(&conf, why));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fresh, drop_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_are_read_as_redis_reads_them),
        TEST(line_ends_may_be_crlf),
        TEST(quotes_and_escapes),
        TEST(the_last_of_several_lines_wins),
        TEST(messages_name_file_and_line),
        TEST(messages_keep_secrets),
        TEST(lengths_are_bounded),
        TEST(nul_bytes_are_refused),
        TEST(only_regular_files_are_read),
        TEST(flags_win_over_the_file),
        TEST(flags_need_no_file),
        TEST(messages_name_the_flag),
        TEST(the_password_is_no_flag),
        TEST(the_environment_has_the_password),
        TEST(rewrite_changes_what_changed_only),
        TEST(rewrite_drops_repetitions),
        TEST(rewrite_is_read_back_the_same),
        TEST(rewrite_keeps_the_environments_secret_out),
        TEST(rewrite_keeps_mode_and_links),
        TEST(rewrite_that_fails_leaves_the_file),
        TEST(rewrite_makes_a_missing_file_private),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
