/* SPDX-License-Identifier: BSD-3-Clause */
/* Users in files, and in the configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/acl_file.h"
#include "tests/acl_kit.h"

static const char *load(struct acl_kit *f, const char *text)
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

static void complains(struct acl_kit *f, const char *text, const char *format)
{
    char error[1024];
    snprintf(error, sizeof error, format, f->path, f->path);
    assert_string_equal(load(f, text), error);
}

static void all_mistakes_of_a_file_are_told(void **state)
{
    struct acl_kit *f = *state;
    assert_string_equal(acl_kit_set(f, "ann", "on"), "");
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
    assert_string_equal(acl_kit_all(f),
                        "user ann on resetchannels -@all\n" ACL_KIT_DEFAULT);
    error = acl_file_load(f->acl, f->folder, why);
    assert_non_null(strstr(error, "Error loading ACLs, opening file"));
}

static void a_file_takes_the_place_of_all_users(void **state)
{
    struct acl_kit *f = *state;
    struct session ann = {0}, ben = {0}, other = {0};
    assert_string_equal(acl_kit_set(f, "ann", "on nopass"), "");
    assert_string_equal(acl_kit_set(f, "ben", "on nopass"), "");
    assert_true(acl_login(f->acl, &ann, acl_kit_arg("ann"), acl_kit_arg("")));
    assert_true(acl_login(f->acl, &ben, acl_kit_arg("ben"), acl_kit_arg("")));
    acl_enter(f->acl, &other);
    assert_string_equal(load(f, " user ann on nopass  +get\r\n\nuser cat\n"),
                        "");
    assert_string_equal(acl_kit_all(f),
                        "user ann on nopass resetchannels -@all +get\n"
                        "user cat off resetchannels -@all\n" ACL_KIT_DEFAULT);
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
    struct acl_kit *f = *state;
    acl_set_password(f->acl, "secret");
    assert_string_equal(load(f, "user ann on\n"), "");
    assert_false(acl_is_open(f->acl));
    assert_true(acl_password_ok(f->acl, "secret", 6));
}

static void what_is_saved_can_be_loaded(void **state)
{
    struct acl_kit *f = *state;
    char why[CONF_TEXT_MAX], before[4096], text[4096] = "";
    struct stat st;
    assert_string_equal(acl_kit_set(f, "ann",
                                    "on >p ~a* %R~b &c (+get ~d) -@all +@read"
                                    " +select|0"),
                        "");
    assert_string_equal(acl_kit_set(f, "default", "-get"), "");
    strcpy(before, acl_kit_all(f));
    assert_null(acl_file_save(f->acl, f->path, why));
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    FILE *file = fopen(f->path, "r");
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_string_equal(text, before);
    assert_string_equal(acl_kit_set(f, "ben", "on"), "");
    assert_string_equal(load(f, text), "");
    assert_string_equal(acl_kit_all(f), before);
    assert_non_null(acl_file_save(f->acl, "/nosuch/users.acl", why));
}

/* The rules of a user with as much as one may have, written and read. */
static void the_longest_line_can_be_loaded(void **state)
{
    struct acl_kit *f = *state;
    char why[CONF_TEXT_MAX], word[400];
    static char reason[ACL_FILE_WHY_MAX];
    for (size_t i = 0; i < ACL_PATTERNS_MAX; i++) {
        snprintf(word, sizeof word, "~%0250zu", i);
        if (*acl_kit_set(f, "ann", word))
            break;
    }
    for (size_t i = 0; i < ACL_PATTERNS_MAX; i++) {
        snprintf(word, sizeof word, "&%zu", i);
        if (*acl_kit_set(f, "ann", word))
            break;
    }
    assert_null(acl_file_save(f->acl, f->path, why));
    assert_null(acl_file_load(f->acl, f->path, reason));
}

/* ------------------------------------------------------- the configuration */

static void lines_of_the_configuration_are_users(void **state)
{
    struct acl_kit *f = *state;
    struct conf conf;
    char why[ACL_FILE_WHY_MAX];
    const struct conf_word ann[] = {{"ann", 3}, {"on", 2}, {"+get", 4}};
    const struct conf_word root[] = {{"default", 7}, {"on", 2}, {">x", 2}};
    const struct conf_word bad[] = {{"bad", 3}, {"foo", 3}};
    conf_init(&conf);
    conf_user_add(&conf, ann, 3);
    conf_user_add(&conf, root, 3);
    assert_null(acl_file_begin(f->acl, &conf, why));
    assert_string_equal(acl_kit_all(f),
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
    struct acl_kit *f = *state;
    struct conf conf;
    conf_init(&conf);
    acl_set_password(f->acl, "x");
    assert_true(acl_file_export(f->acl, &conf));
    assert_null(conf.users);
    assert_string_equal(acl_kit_set(f, "ann", "on +get"), "");
    assert_string_equal(acl_kit_set(f, "default", "-get"), "");
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
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, acl_kit_begin, acl_kit_end)
    const struct CMUnitTest tests[] = {
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
