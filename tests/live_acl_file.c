/* SPDX-License-Identifier: BSD-3-Clause */
/* Users in an ACL file and in the configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/talk.h"

struct fixture {
    char folder[32], conf[64], users[64];
};

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const char *text_of(const char *path)
{
    static char text[8192];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->folder, "/tmp/ebb-acl-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->conf, sizeof f->conf, "%s/ebb.conf", f->folder);
    snprintf(f->users, sizeof f->users, "%s/users.acl", f->folder);
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    unlink(f->conf);
    unlink(f->users);
    assert_int_equal(rmdir(f->folder), 0);
    free(f);
    return 0;
}

static struct live *start(const struct fixture *f, const char *option,
                          const char *value)
{
    return live_start(f->conf, "--threads", "2", "--maxmemory", "64mb", option,
                      value, NULL);
}

#define HASH "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"

static void an_acl_file_is_read_and_written(void **state)
{
    struct fixture *f = *state;
    put(f->conf, "requirepass secret\n");
    put(f->users, "user ann on >foo ~a* +get +set +acl\n"
                  "user ben on nopass +ping\n");
    struct live *live = start(f, "--aclfile", f->users);
    struct talk talk = talk_open(live), ben = talk_open(live);
    talk_says(&talk, "PING", "-NOAUTH Authentication required.");
    talk_says(&talk, "AUTH ann foo", "+OK");
    talk_says(&talk, "SET a1 x", "+OK");
    talk_says(&ben, "AUTH ben x", "+OK");
    talk_says(&talk, "ACL SETUSER cat on >foo", "+OK");
    talk_says(&talk, "ACL SAVE", "+OK");
    assert_string_equal(
        text_of(f->users),
        "user ann on #" HASH " ~a* resetchannels -@all +acl +get +set\n"
        "user ben on nopass resetchannels -@all +ping\n"
        "user cat on #" HASH " resetchannels -@all\n"
        "user default on "
        "#2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe9"
        "7bf527a25b ~* &* +@all\n");

    put(f->users, "user ann on nopass ~b* +get +set +acl\nuser ben foo\n");
    struct resp *error = talk_ask(&talk, "ACL LOAD");
    assert_non_null(strstr(error->text, "users.acl:2: Syntax error. WARNING: "
                                        "ACL errors detected, no change"));
    resp_free(error);
    talk_says(&talk, "SET a1 y", "+OK");
    put(f->users, "user ann on nopass ~b* +get +set +acl\n");
    talk_says(&talk, "ACL LOAD", "+OK");
    assert_true(live_is_closed(ben.fd));
    talk_says(&talk, "SET b1 y", "+OK");
    talk_says(&talk, "SET a1 y",
              "-NOPERM this user has no permissions to access one of the keys "
              "used as arguments");
    talk_close(&ben);
    talk_close(&talk);
    live_stop(live);

    /* A new start finds what was left. */
    live = start(f, "--aclfile", f->users);
    talk = talk_open(live);
    talk_says(&talk, "AUTH ann x", "+OK");
    talk_says(&talk, "ACL USERS", "*2\r\n$3\r\nann\r\n$7\r\ndefault");
    talk_says(&talk, "AUTH default x",
              "-WRONGPASS invalid username-password pair or user is disabled.");
    talk_says(&talk, "AUTH default secret", "+OK");
    talk_close(&talk);
    live_stop(live);
}

static void users_are_lines_of_the_configuration(void **state)
{
    struct fixture *f = *state;
    put(f->conf, "# users\nuser ann on '>foo' ~a* +get\nport 0\n"
                 "user ben off\n");
    struct live *live = start(f, "--loglevel", "notice");
    struct talk talk = talk_open(live);
    talk_says(&talk, "ACL USERS",
              "*3\r\n$3\r\nann\r\n$3\r\nben\r\n$7\r\n"
              "default");
    talk_says(&talk, "ACL SAVE",
              "-ERR This Redis instance is not configured to use an ACL file. "
              "You may want to specify users via the ACL SETUSER command and "
              "then issue a CONFIG REWRITE (assuming you have a Redis "
              "configuration file set) in order to store users in the Redis "
              "configuration.");
    talk_says(&talk, "ACL DELUSER ben", ":1");
    talk_says(&talk, "ACL SETUSER cat on %W~c", "+OK");
    talk_says(&talk, "CONFIG REWRITE", "+OK");
    const char *text = text_of(f->conf);
    assert_non_null(strstr(text, "# users\n"
                                 "user ann on #" HASH
                                 " ~a* resetchannels -@all +get\n"
                                 "user cat on %W~c resetchannels -@all\n"
                                 "port 0\n"));
    assert_null(strstr(text, "user default"));
    assert_null(strstr(text, "user ben"));
    talk_close(&talk);
    live_stop(live);

    live = start(f, "--loglevel", "notice");
    talk = talk_open(live);
    talk_says(&talk, "AUTH ann foo", "+OK");
    talk_says(&talk, "GET a", "$-1");
    talk_close(&talk);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_acl_file_is_read_and_written, begin,
                                        end),
        cmocka_unit_test_setup_teardown(users_are_lines_of_the_configuration,
                                        begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
