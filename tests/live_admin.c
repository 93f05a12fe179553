/* SPDX-License-Identifier: BSD-3-Clause */
/* HELLO, AUTH, SELECT and their like, as clients see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/console.h"
#include "tests/errors.h"

#define WRONGPASS                                                              \
    "-WRONGPASS invalid username-password pair or user is disabled."

/* --------------------------------------------------------------- connections
 */

static void hello_has_seven_fields(void **state)
{
    struct console t;
    char wanted[300];
    const char *id;

    console_open(&t, *state);
    id = console_ask(&t, "CLIENT ID");
    snprintf(wanted, sizeof wanted,
             "[\"server\" \"redis\" \"version\" \"7.2.4\" \"proto\" :2 \"id\" "
             "%s \"mode\" \"standalone\" \"role\" \"master\" \"modules\" []]",
             id);
    assert_string_equal(console_ask(&t, "HELLO"), wanted);
    assert_string_equal(console_ask(&t, "HELLO 2"), wanted);
    id = console_ask(&t, "CLIENT ID");
    snprintf(wanted, sizeof wanted,
             "{\"server\": \"redis\", \"version\": \"7.2.4\", \"proto\": :3, "
             "\"id\": %s, \"mode\": \"standalone\", \"role\": \"master\", "
             "\"modules\": []}",
             id);
    assert_string_equal(console_ask(&t, "HELLO 3"), wanted);
    assert_string_equal(console_ask(&t, "HELLO"), wanted);
    assert_string_equal(console_ask(&t, "HELLO 3 SETNAME me"), wanted);
    assert_string_equal(console_ask(&t, "CLIENT GETNAME"), "\"me\"");
    console_close(&t);
}

static void hello_refuses(void **state)
{
    CONSOLE_CHECK(
        {"HELLO 4", "-NOPROTO unsupported protocol version"},
        {"HELLO 1", "-NOPROTO unsupported protocol version"},
        {"HELLO 9 AUTH default x", "-NOPROTO unsupported protocol version"},
        {"HELLO x", "-ERR Protocol version is not an integer or out of "
                    "range"},
        {"HELLO 99999999999999999999",
         "-ERR Protocol version is not an integer or out of range"},
        {"HELLO 3 AUTH a", "-ERR Syntax error in HELLO option 'AUTH'"},
        {"HELLO 3 AUTH a b", WRONGPASS},
        {"HELLO 3 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'"},
        {"HELLO 3 SETNAME \"a b\"", "-ERR Client names cannot contain "
                                    "spaces, newlines or special "
                                    "characters."},
        {"HELLO 3 FOO", "-ERR Syntax error in HELLO option 'FOO'"});
}

/* Each reply in the protocol that was agreed on at its place. */
static void hello_takes_effect_within_a_pipeline(void **state)
{
    struct console t;

    console_open(&t, *state);
    console_say(&t,
                "GET none\r\nHELLO 3\r\nGET none\r\nCONFIG GET databases\r\n"
                "HELLO 2\r\nGET none\r\nCONFIG GET databases\r\nHELLO 3\r\n"
                "RESET\r\nCONFIG GET databases");
    assert_string_equal(console_hear(&t), "nil");
    console_begins(console_hear(&t), "{\"server\"");
    assert_string_equal(console_hear(&t), "nil");
    assert_string_equal(console_hear(&t), "{\"databases\": \"16\"}");
    console_begins(console_hear(&t), "[\"server\"");
    assert_string_equal(console_hear(&t), "nil");
    assert_string_equal(console_hear(&t), "[\"databases\" \"16\"]");
    console_begins(console_hear(&t), "{\"server\"");
    assert_string_equal(console_hear(&t), "+RESET");
    assert_string_equal(console_hear(&t), "[\"databases\" \"16\"]");
    console_close(&t);
}

static void small_commands_answer_as_they_should(void **state)
{
    CONSOLE_CHECK(
        {"PING", "+PONG"}, {"PING hi", "\"hi\""},
        {"PING a b", "-ERR wrong number of arguments for 'ping' command"},
        {"ECHO hi", "\"hi\""}, {"ECHO \"\"", "\"\""},
        {"ECHO", "-ERR wrong number of arguments for 'echo' command"},
        {"SELECT 15", "+OK"}, {"SELECT 16", "-ERR DB index is out of range"},
        {"SELECT -1", "-ERR DB index is out of range"},
        {"SELECT x", "-ERR value is not an integer or out of range"},
        {"SELECT 99999999999", "-ERR value is out of range, value must between "
                               "-2147483648 and 2147483647"},
        {"QUIT", "+OK"}, {"QUIT a", "+OK"}, {"RESET", "+RESET"},
        {"AUTH x", "-ERR AUTH <password> called without any password "
                   "configured for the default user. Are you sure your "
                   "configuration is correct?"},
        {"AUTH default x", "+OK"}, {"AUTH other x", WRONGPASS},
        {"AUTH a b c", SYNTAX}, {"SHUTDOWN FOO", SYNTAX},
        {"SHUTDOWN SAVE NOSAVE", SYNTAX}, {"SHUTDOWN ABORT NOW", SYNTAX},
        {"SHUTDOWN ABORT", "-ERR No shutdown in progress."},
        {"SHUTDOWN ABORT ABORT", "-ERR No shutdown in progress."},
        {"TIME x", "-ERR wrong number of arguments for 'time' command"});
}

static void quit_closes(void **state)
{
    struct console t;

    console_open(&t, *state);
    assert_string_equal(console_ask(&t, "QUIT\r\nPING"), "+OK");
    assert_string_equal(console_hear(&t), "(no reply)");
    console_close(&t);
}

static void reset_forgets_the_session(void **state)
{
    struct console t;

    console_open(&t, *state);
    console_ask(&t, "SELECT 5");
    console_ask(&t, "SET here 1");
    console_ask(&t, "CLIENT SETNAME me");
    assert_string_equal(console_ask(&t, "CLIENT REPLY OFF\r\nPING\r\nRESET"),
                        "+RESET");
    assert_string_equal(console_ask(&t, "CLIENT GETNAME"), "nil");
    assert_string_equal(console_ask(&t, "GET here"), "nil");
    console_close(&t);
}

static void time_is_two_numbers(void **state)
{
    long long seconds = 0, micros = -1;
    struct console t;

    console_open(&t, *state);
    assert_int_equal(sscanf(console_ask(&t, "TIME"), "[\"%lld\" \"%lld\"]",
                            &seconds, &micros),
                     2);
    assert_true(seconds > 1700000000);
    assert_true(micros >= 0 && micros < 1000000);
    console_close(&t);
}

/* --------------------------------------------------------------- passwords */

static void a_password_is_asked_for(void **state)
{
    struct console old, t;

    console_open(&old, *state);
    assert_string_equal(console_ask(&old, "CONFIG SET requirepass secret"),
                        "+OK");
    CONSOLE_CHECK(
        {"PING", NOAUTH}, {"GET a", NOAUTH}, {"GET", NOAUTH},
        {"NOSUCH", NOAUTH}, {"CLIENT FOO", NOAUTH}, {"INFO", NOAUTH},
        {"SHUTDOWN", NOAUTH}, {"QUIT", "+OK"}, {"RESET", "+RESET"},
        {"AUTH secre", WRONGPASS}, {"AUTH \"\"", WRONGPASS},
        {"AUTH \"secret\\x00\"", WRONGPASS}, {"AUTH default x", WRONGPASS},
        {"AUTH other secret", WRONGPASS}, {"AUTH DEFAULT secret", WRONGPASS},
        {"AUTH secret", "+OK"}, {"AUTH default secret", "+OK"},
        {"HELLO 3 AUTH default x", WRONGPASS},
        {"HELLO 3",
         "-NOAUTH HELLO must be called with the client already "
         "authenticated, otherwise the HELLO AUTH <user> <pass> option can "
         "be used to authenticate the client and select the RESP protocol "
         "version at the same time"});
    console_open(&t, *state);
    console_begins(console_ask(&t, "HELLO 3 AUTH default secret SETNAME me"),
                   "{\"server\"");
    assert_string_equal(console_ask(&t, "AUTH x"), WRONGPASS);
    assert_string_equal(console_ask(&t, "CLIENT GETNAME"), "\"me\"");
    assert_string_equal(console_ask(&t, "CONFIG GET requirepass"),
                        "{\"requirepass\": \"(redacted)\"}");
    assert_string_equal(console_ask(&t, "RESET"), "+RESET");
    assert_string_equal(console_ask(&t, "PING"), NOAUTH);
    assert_string_equal(console_ask(&old, "PING"), "+PONG");
    assert_string_equal(console_ask(&old, "CONFIG SET requirepass \"\""),
                        "+OK");
    assert_string_equal(console_ask(&t, "PING"), "+PONG");
    assert_string_equal(console_ask(&t, "CONFIG GET requirepass"),
                        "[\"requirepass\" \"\"]");
    console_close(&t);
    console_close(&old);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, live_setup, live_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hello_has_seven_fields),
        TEST(hello_refuses),
        TEST(hello_takes_effect_within_a_pipeline),
        TEST(small_commands_answer_as_they_should),
        TEST(quit_closes),
        TEST(reset_forgets_the_session),
        TEST(time_is_two_numbers),
        TEST(a_password_is_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
