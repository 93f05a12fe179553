/* SPDX-License-Identifier: BSD-3-Clause */
/* Users and the sessions that are them; users in files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/acl_file.h"

struct fixture {
    _Atomic uint64_t version;
    struct acl *acl;
    char folder[32], path[64];
};

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->folder, "/tmp/ebb-acl-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/users.acl", f->folder);
    f->acl = acl_new(&f->version);
    assert_non_null(f->acl);
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    acl_free(f->acl);
    unlink(f->path);
    rmdir(f->folder);
    free(f);
    return 0;
}

static struct arg arg_of(const char *text)
{
    return (struct arg){text, strlen(text)};
}

/* ACL SETUSER with words split by spaces: the error, or "". */
static const char *set(struct fixture *f, const char *name, const char *words)
{
    static char why[ACL_WHY_MAX];
    struct arg args[32];
    size_t count = 0;
    while (*words) {
        size_t len = strcspn(words, " ");
        args[count++] = (struct arg){words, len};
        words += len + (words[len] == ' ');
    }
    const char *error = acl_set_user(f->acl, arg_of(name), args, count, why);
    return error ? error : "";
}

static void add_line(void *ctx, struct arg name, const struct acl_rules *rules,
                     bool initial)
{
    struct buf *out = ctx;
    acl_file_line(out, name, rules);
    buf_add_text(out, initial ? " (initial)\n" : "\n");
}

/* All users, one a line. */
static const char *all(struct fixture *f)
{
    static char text[4096];
    struct buf out = {0};
    const struct acl_visit visit = {NULL, add_line, &out};
    acl_each(f->acl, &visit);
    assert_true(buf_len(&out) < sizeof text);
    memcpy(text, out.data + out.start, buf_len(&out));
    text[buf_len(&out)] = 0;
    buf_release(&out);
    return text;
}

#define DEFAULT "user default on nopass ~* &* +@all (initial)\n"

/* ---------------------------------------------------------------- sessions */

static void a_session_sees_what_changes(void **state)
{
    struct fixture *f = *state;
    struct session session = {0};
    acl_enter(f->acl, &session);
    assert_true(session.authenticated);
    assert_string_equal(acl_user_name(&session), "default");
    /* It may do everything, until something changes. */
    assert_int_equal(session.acl_pass, f->version);
    assert_string_equal(set(f, "ann", "on >pw ~a +get"), "");
    assert_string_equal(set(f, "ann", "+set"), "");
    assert_int_not_equal(session.acl_pass, f->version);
    assert_true(acl_look_again(f->acl, &session));
    assert_int_equal(session.acl_pass, f->version);

    assert_false(acl_login(f->acl, &session, arg_of("ann"), arg_of("x")));
    assert_false(acl_login(f->acl, &session, arg_of("nobody"), arg_of("pw")));
    assert_string_equal(acl_user_name(&session), "default");
    assert_true(acl_login(f->acl, &session, arg_of("ann"), arg_of("pw")));
    assert_string_equal(acl_user_name(&session), "ann");
    assert_int_equal(session.acl_pass, 0);
    assert_int_equal(session.acl_seen, f->version);
    assert_true(acl_user_is(f->acl, &session, arg_of("ann")));

    /* The rules that it holds do not change under its hands. */
    const struct acl_rules *rules = session.rules;
    assert_string_equal(set(f, "ann", "~* &* +@all"), "");
    assert_ptr_equal(session.rules, rules);
    assert_false(rules->everything);
    assert_true(acl_look_again(f->acl, &session));
    assert_int_equal(session.acl_pass, f->version);

    assert_int_equal(acl_delete_users(f->acl, (struct arg[]){arg_of("ann")}, 1),
                     1);
    assert_true(acl_user_gone(&session));
    assert_false(acl_look_again(f->acl, &session));
    assert_string_equal(set(f, "ann", "on nopass"), "");
    assert_true(acl_user_gone(&session));
    assert_false(acl_user_is(f->acl, &session, arg_of("ann")));
    acl_leave(f->acl, &session);
}

static void whether_it_is_open_is_up_to_default(void **state)
{
    struct fixture *f = *state;
    struct session session = {0};
    assert_true(acl_is_open(f->acl) && acl_is_nopass(f->acl));
    assert_string_equal(set(f, "default", "off"), "");
    assert_true(!acl_is_open(f->acl) && acl_is_nopass(f->acl));
    acl_enter(f->acl, &session);
    assert_false(session.authenticated);
    acl_leave(f->acl, &session);
    assert_string_equal(set(f, "default", "on >x"), "");
    assert_true(!acl_is_open(f->acl) && !acl_is_nopass(f->acl));
    assert_true(acl_password_ok(f->acl, "x", 1));
    acl_set_password(f->acl, "y");
    assert_false(acl_password_ok(f->acl, "x", 1));
    assert_true(acl_password_ok(f->acl, "y", 1));
    acl_set_password(f->acl, "");
    assert_true(acl_is_open(f->acl));
}

static void default_stays(void **state)
{
    struct fixture *f = *state;
    struct arg names[] = {arg_of("ben"), arg_of("ann"), arg_of("nobody")};
    assert_string_equal(set(f, "ann", ""), "");
    assert_string_equal(set(f, "ben", ""), "");
    assert_string_equal(all(f), "user ann off resetchannels -@all\n"
                                "user ben off resetchannels -@all\n" DEFAULT);
    assert_int_equal(acl_delete_users(f->acl, names, 3), 2);
    assert_string_equal(all(f), DEFAULT);
}

static void a_mistake_changes_nothing(void **state)
{
    struct fixture *f = *state;
    uint64_t version = f->version;
    assert_string_not_equal(set(f, "ann", "on +get +nosuch"), "");
    assert_string_not_equal(set(f, "default", "-get ~* foo"), "");
    assert_string_equal(all(f), DEFAULT);
    assert_int_equal(f->version, version);
    assert_string_equal(set(f, "a b", "on"),
                        "Usernames can't contain spaces or null characters");
}

/* ------------------------------------------------------------------ limits */

static void there_are_so_many_users(void **state)
{
    struct fixture *f = *state;
    char name[32];
    for (int i = 1; i < ACL_USERS_MAX; i++) {
        snprintf(name, sizeof name, "u%d", i);
        assert_string_equal(set(f, name, ""), "");
    }
    assert_string_equal(set(f, "more", ""), acl_error_text(ACL_LIMIT));
    assert_string_equal(set(f, "u7", "on"), "");
    assert_int_equal(acl_delete_users(f->acl, (struct arg[]){arg_of("u7")}, 1),
                     1);
    assert_string_equal(set(f, "more", ""), "");
}

static void names_are_bounded(void **state)
{
    struct fixture *f = *state;
    char name[ACL_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[ACL_NAME_MAX + 1] = 0;
    assert_string_not_equal(set(f, name, ""), "");
    name[ACL_NAME_MAX] = 0;
    assert_string_equal(set(f, name, ""), "");
}

/* Long rules: all users together have so much memory. */
static void their_memory_is_bounded(void **state)
{
    struct fixture *f = *state;
    char name[32], word[ACL_WORD_MAX];
    size_t users = 0;
    memset(word, 'k', sizeof word);
    word[0] = '~';
    word[sizeof word - 1] = 0;
    for (; users < ACL_USERS_MAX; users++) {
        snprintf(name, sizeof name, "u%zu", users);
        if (*set(f, name, word))
            break;
    }
    assert_true(users < ACL_BYTES_MAX / ACL_WORD_MAX);
    assert_true(users > ACL_BYTES_MAX / (4 * ACL_WORD_MAX));
    word[1] = 'x';
    assert_string_equal(set(f, "u1", word), acl_error_text(ACL_LIMIT));
    assert_string_equal(set(f, "u1", "resetkeys"), "");
    assert_string_equal(set(f, "u1", word), "");
}

/* ------------------------------------------------------------------- files */

static const char *load(struct fixture *f, const char *text)
{
    static char why[ACL_FILE_WHY_MAX];
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    const char *error = acl_file_load(f->acl, f->path, why);
    return error ? error : "";
}

#define NO_CHANGE                                                              \
    "WARNING: ACL errors detected, no change to the previously active ACL "    \
    "rules was performed"

static void complains(struct fixture *f, const char *text, const char *format)
{
    char error[1024];
    snprintf(error, sizeof error, format, f->path, f->path);
    assert_string_equal(load(f, text), error);
}

static void all_mistakes_of_a_file_are_told(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(set(f, "ann", "on"), "");
    complains(f, "user ben on\nuserben\n",
              "%s:2 should start with user keyword followed by the "
              "username. " NO_CHANGE);
    complains(f, "user ben on\nuser ben off",
              "WARNING: Duplicate user 'ben' found on line 2. " NO_CHANGE);
    complains(f, "user ben +nosuch foo bar",
              "%s:1: Error in applying operation '+nosuch': Unknown command or "
              "category name in ACL. %s:1: Syntax error. " NO_CHANGE);
    complains(f, "\n\nuser ben (+get",
              "%s:3: Unmatched parenthesis in selector definition." NO_CHANGE);
    complains(
        f, "user b\ten on",
        "'%s:1: username 'b\ten' contains invalid characters. " NO_CHANGE);
    unlink(f->path);
    char why[ACL_FILE_WHY_MAX];
    const char *error = acl_file_load(f->acl, f->path, why);
    assert_non_null(strstr(error, "Error loading ACLs, opening file"));
    assert_string_equal(all(f), "user ann on resetchannels -@all\n" DEFAULT);
    error = acl_file_load(f->acl, f->folder, why);
    assert_non_null(strstr(error, "Error loading ACLs, opening file"));
}

static void a_file_takes_the_place_of_all_users(void **state)
{
    struct fixture *f = *state;
    struct session ann = {0}, ben = {0}, other = {0};
    assert_string_equal(set(f, "ann", "on nopass"), "");
    assert_string_equal(set(f, "ben", "on nopass"), "");
    assert_true(acl_login(f->acl, &ann, arg_of("ann"), arg_of("")));
    assert_true(acl_login(f->acl, &ben, arg_of("ben"), arg_of("")));
    acl_enter(f->acl, &other);
    assert_string_equal(load(f, " user ann on nopass  +get\r\n\nuser cat\n"),
                        "");
    assert_string_equal(all(f), "user ann on nopass resetchannels -@all +get\n"
                                "user cat off resetchannels -@all\n" DEFAULT);
    assert_false(acl_user_gone(&ann));
    assert_true(acl_user_gone(&ben));
    assert_true(acl_look_again(f->acl, &ann));
    assert_true(acl_selector_has(&ann.rules->selectors[0],
                                 command_row(command_find("get", 3))));
    /* "default" is never another one. */
    assert_string_equal(load(f, "user default on nopass ~* +@all"), "");
    assert_true(acl_look_again(f->acl, &other));
    assert_false(acl_user_gone(&other));
    assert_false(other.rules->everything);
    acl_leave(f->acl, &ann);
    acl_leave(f->acl, &ben);
    acl_leave(f->acl, &other);
}

/* Who is not in the file must not be let in without the password. */
static void default_keeps_its_password(void **state)
{
    struct fixture *f = *state;
    acl_set_password(f->acl, "secret");
    assert_string_equal(load(f, "user ann on\n"), "");
    assert_false(acl_is_open(f->acl));
    assert_true(acl_password_ok(f->acl, "secret", 6));
}

static void what_is_saved_can_be_loaded(void **state)
{
    struct fixture *f = *state;
    char why[CONF_TEXT_MAX], before[4096], text[4096] = "";
    struct stat st;
    assert_string_equal(set(f, "ann",
                            "on >p ~a* %R~b &c (+get ~d) -@all +@read"
                            " +select|0"),
                        "");
    assert_string_equal(set(f, "default", "-get"), "");
    strcpy(before, all(f));
    assert_null(acl_file_save(f->acl, f->path, why));
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    FILE *file = fopen(f->path, "r");
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_string_equal(text, before);
    assert_string_equal(set(f, "ben", "on"), "");
    assert_string_equal(load(f, text), "");
    assert_string_equal(all(f), before);
    assert_non_null(acl_file_save(f->acl, "/nosuch/users.acl", why));
}

/* The rules of a user with as much as one may have, written and read. */
static void the_longest_line_can_be_loaded(void **state)
{
    struct fixture *f = *state;
    char why[CONF_TEXT_MAX], word[400];
    static char reason[ACL_FILE_WHY_MAX];
    for (size_t i = 0; i < ACL_PATTERNS_MAX; i++) {
        snprintf(word, sizeof word, "~%0250zu", i);
        if (*set(f, "ann", word))
            break;
    }
    for (size_t i = 0; i < ACL_PATTERNS_MAX; i++) {
        snprintf(word, sizeof word, "&%zu", i);
        if (*set(f, "ann", word))
            break;
    }
    assert_null(acl_file_save(f->acl, f->path, why));
    assert_null(acl_file_load(f->acl, f->path, reason));
}

/* ------------------------------------------------------- the configuration */

static void lines_of_the_configuration_are_users(void **state)
{
    struct fixture *f = *state;
    struct conf conf;
    char why[ACL_FILE_WHY_MAX];
    const struct conf_word ann[] = {{"ann", 3}, {"on", 2}, {"+get", 4}};
    const struct conf_word root[] = {{"default", 7}, {"on", 2}, {">x", 2}};
    const struct conf_word bad[] = {{"bad", 3}, {"foo", 3}};
    conf_init(&conf);
    conf_user_add(&conf, ann, 3);
    conf_user_add(&conf, root, 3);
    assert_null(acl_file_begin(f->acl, &conf, why));
    assert_string_equal(all(f),
                        "user ann on resetchannels -@all +get\n"
                        "user default on sanitize-payload "
                        "#2d711642b726b04401627ca9fbac32f5c8530"
                        "fb1903cc4db02258717921a4881 resetchannels -@all\n");
    strcpy(conf.aclfile, f->path);
    assert_non_null(strstr(acl_file_begin(f->acl, &conf, why), "but not both"));
    conf_users_free(&conf);
    conf.aclfile[0] = 0;
    conf_user_add(&conf, bad, 2);
    assert_string_equal(acl_file_begin(f->acl, &conf, why),
                        "user bad: Error in ACL SETUSER modifier 'foo': Syntax "
                        "error");
    conf_users_free(&conf);
}

static void users_are_exported_but_for_what_is_said_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct conf conf;
    conf_init(&conf);
    acl_set_password(f->acl, "x");
    assert_true(acl_file_export(f->acl, &conf));
    assert_null(conf.users);
    assert_string_equal(set(f, "ann", "on +get"), "");
    assert_string_equal(set(f, "default", "-get"), "");
    assert_true(acl_file_export(f->acl, &conf));
    assert_int_equal(conf.users->count, 5);
    assert_string_equal(conf.users->words[0].ptr, "ann");
    assert_string_equal(conf.users->words[4].ptr, "+get");
    assert_string_equal(conf.users->next->words[0].ptr, "default");
    assert_null(conf.users->next->next);
    conf_users_free(&conf);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_session_sees_what_changes),
        TEST(whether_it_is_open_is_up_to_default),
        TEST(default_stays),
        TEST(a_mistake_changes_nothing),
        TEST(there_are_so_many_users),
        TEST(names_are_bounded),
        TEST(their_memory_is_bounded),
        TEST(all_mistakes_of_a_file_are_told),
        TEST(a_file_takes_the_place_of_all_users),
        TEST(default_keeps_its_password),
        TEST(what_is_saved_can_be_loaded),
        TEST(the_longest_line_can_be_loaded),
        TEST(lines_of_the_configuration_are_users),
        TEST(users_are_exported_but_for_what_is_said_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
