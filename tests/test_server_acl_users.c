/* SPDX-License-Identifier: BSD-3-Clause */
/* Users and the sessions that are them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/acl_file.h"
#include "tests/acl_kit.h"

/* ---------------------------------------------------------------- sessions */

static void a_session_sees_what_changes(void **state)
{
    struct acl_kit *f = *state;
    struct session session = {0};
    acl_enter(f->acl, &session);
    assert_true(session.authenticated);
    assert_string_equal(acl_user_name(&session), "default");
    /* It may do everything, until something changes. */
    assert_int_equal(session.acl_pass, f->version);
    assert_string_equal(acl_kit_set(f, "ann", "on >pw ~a +get"), "");
    assert_string_equal(acl_kit_set(f, "ann", "+set"), "");
    assert_int_not_equal(session.acl_pass, f->version);
    assert_true(acl_look_again(f->acl, &session));
    assert_int_equal(session.acl_pass, f->version);

    assert_false(
        acl_login(f->acl, &session, acl_kit_arg("ann"), acl_kit_arg("x")));
    assert_false(
        acl_login(f->acl, &session, acl_kit_arg("nobody"), acl_kit_arg("pw")));
    assert_string_equal(acl_user_name(&session), "default");
    assert_true(
        acl_login(f->acl, &session, acl_kit_arg("ann"), acl_kit_arg("pw")));
    assert_string_equal(acl_user_name(&session), "ann");
    assert_int_equal(session.acl_pass, 0);
    assert_int_equal(session.acl_seen, f->version);
    assert_true(acl_user_is(f->acl, &session, acl_kit_arg("ann")));

    /* The rules that it holds do not change under its hands. */
    const struct acl_rules *rules = session.rules;
    assert_string_equal(acl_kit_set(f, "ann", "~* &* +@all"), "");
    assert_ptr_equal(session.rules, rules);
    assert_false(rules->everything);
    assert_true(acl_look_again(f->acl, &session));
    assert_int_equal(session.acl_pass, f->version);

    assert_int_equal(
        acl_delete_users(f->acl, (struct arg[]){acl_kit_arg("ann")}, 1), 1);
    assert_true(acl_user_gone(&session));
    assert_false(acl_look_again(f->acl, &session));
    assert_string_equal(acl_kit_set(f, "ann", "on nopass"), "");
    assert_true(acl_user_gone(&session));
    assert_false(acl_user_is(f->acl, &session, acl_kit_arg("ann")));
    acl_leave(f->acl, &session);
}

static void whether_it_is_open_is_up_to_default(void **state)
{
    struct acl_kit *f = *state;
    struct session session = {0};
    assert_true(acl_is_open(f->acl) && acl_is_nopass(f->acl));
    assert_string_equal(acl_kit_set(f, "default", "off"), "");
    assert_true(!acl_is_open(f->acl) && acl_is_nopass(f->acl));
    acl_enter(f->acl, &session);
    assert_false(session.authenticated);
    acl_leave(f->acl, &session);
    assert_string_equal(acl_kit_set(f, "default", "on >x"), "");
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
    struct acl_kit *f = *state;
    struct arg names[] = {acl_kit_arg("ben"), acl_kit_arg("ann"),
                          acl_kit_arg("nobody")};
    assert_string_equal(acl_kit_set(f, "ann", ""), "");
    assert_string_equal(acl_kit_set(f, "ben", ""), "");
    assert_string_equal(acl_kit_all(f),
                        "user ann off resetchannels -@all\n"
                        "user ben off resetchannels -@all\n" ACL_KIT_DEFAULT);
    assert_int_equal(acl_delete_users(f->acl, names, 3), 2);
    assert_string_equal(acl_kit_all(f), ACL_KIT_DEFAULT);
}

static void a_mistake_changes_nothing(void **state)
{
    struct acl_kit *f = *state;
    uint64_t version = f->version;
    assert_string_not_equal(acl_kit_set(f, "ann", "on +get +nosuch"), "");
    assert_string_not_equal(acl_kit_set(f, "default", "-get ~* foo"), "");
    assert_string_equal(acl_kit_all(f), ACL_KIT_DEFAULT);
    assert_int_equal(f->version, version);
    assert_string_equal(acl_kit_set(f, "a b", "on"),
                        "Usernames can't contain spaces or null characters");
}

/* ------------------------------------------------------------------ limits */

static void there_are_so_many_users(void **state)
{
    struct acl_kit *f = *state;
    char name[32];
    for (int i = 1; i < ACL_USERS_MAX; i++) {
        snprintf(name, sizeof name, "u%d", i);
        assert_string_equal(acl_kit_set(f, name, ""), "");
    }
    assert_string_equal(acl_kit_set(f, "more", ""), acl_error_text(ACL_LIMIT));
    assert_string_equal(acl_kit_set(f, "u7", "on"), "");
    assert_int_equal(
        acl_delete_users(f->acl, (struct arg[]){acl_kit_arg("u7")}, 1), 1);
    assert_string_equal(acl_kit_set(f, "more", ""), "");
}

static void names_are_bounded(void **state)
{
    struct acl_kit *f = *state;
    char name[ACL_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[ACL_NAME_MAX + 1] = 0;
    assert_string_not_equal(acl_kit_set(f, name, ""), "");
    name[ACL_NAME_MAX] = 0;
    assert_string_equal(acl_kit_set(f, name, ""), "");
}

/* Long rules: all users together have so much memory. */
static void their_memory_is_bounded(void **state)
{
    struct acl_kit *f = *state;
    char name[32], word[ACL_WORD_MAX];
    size_t users = 0;
    memset(word, 'k', sizeof word);
    word[0] = '~';
    word[sizeof word - 1] = 0;
    for (; users < ACL_USERS_MAX; users++) {
        snprintf(name, sizeof name, "u%zu", users);
        if (*acl_kit_set(f, name, word))
            break;
    }
    assert_true(users < ACL_BYTES_MAX / ACL_WORD_MAX);
    assert_true(users > ACL_BYTES_MAX / (4 * ACL_WORD_MAX));
    word[1] = 'x';
    assert_string_equal(acl_kit_set(f, "u1", word), acl_error_text(ACL_LIMIT));
    assert_string_equal(acl_kit_set(f, "u1", "resetkeys"), "");
    assert_string_equal(acl_kit_set(f, "u1", word), "");
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, acl_kit_begin, acl_kit_end)
    const struct CMUnitTest tests[] = {
        TEST(a_session_sees_what_changes),
        TEST(whether_it_is_open_is_up_to_default),
        TEST(default_stays),
        TEST(a_mistake_changes_nothing),
        TEST(there_are_so_many_users),
        TEST(names_are_bounded),
        TEST(their_memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
