/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INTAKE_SCENES_H
#define INTAKE_SCENES_H

/* What several clients send at one look of a worker, and what they hear. */

#include <stdbool.h>
#include <stddef.h>

enum { SCENE_CLIENTS = 5, BOSS = SCENE_CLIENTS - 1, SCENE_ROWS = 10 };

/*
 * What a client sends, and what it hears then, as resp_show has it: all of it
 * with spaces between, "(end)" when it is closed, "~" for whatever else the
 * last one says.  NULL: nothing, or not yet.
 */
struct row {
    unsigned client;
    const char *send; /* as still_requests; %1 is the id of client 1 */
    const char *reply;
    const char *raw;  /* sent as it is, behind that */
    const char * or ; /* it may hear this, too */
    bool ends;        /* it sends no more */
    bool apart;       /* this and the rows behind it: at another look */
};

struct scene {
    const char *name, *before; /* what the boss does first, or NULL */
    struct row rows[SCENE_ROWS];
};

#define SAYS(who, what, ...)                                                   \
    {                                                                          \
        .client = who, .send = what, .reply = __VA_ARGS__                      \
    }
#define NEXT .apart = true
#define RAW  .raw
#define OR   .or
#define LAST .ends = true

static const struct scene scenes[] = {
    {"pipelines of several",
     NULL,
     {SAYS(0, "SET a 1; INCR a; GET a", "+OK :2 \"2\""),
      SAYS(1, "SET b x; APPEND b y; GET b; NOSUCH",
           "+OK :2 \"xy\" -ERR unknown command 'NOSUCH'~"),
      SAYS(2, "MSET c 1 d 2; MGET c d e; DEL c d e",
           "+OK [\"1\" \"2\" nil] :2")}},
    {"a pause in the middle of a pipeline keeps the arguments",
     NULL,
     {SAYS(0, "CLIENT PAUSE 3600000 WRITE", "+OK"),
      SAYS(1, "GET kkkk; SET kkkk vvvv; GET kkkk; INCR n", "nil", NEXT),
      SAYS(2, "GET x*90", "nil", NEXT), SAYS(0, "CLIENT UNPAUSE", "+OK", NEXT),
      SAYS(1, NULL, "+OK \"vvvv\" :1"),
      SAYS(BOSS, "EXISTS kkkk n; DBSIZE", ":2 :2", NEXT)}},
    {"a password in the middle of a pipeline raises limits",
     "CONFIG SET requirepass secret",
     {SAYS(BOSS, "CLIENT PAUSE 3600000 WRITE", "+OK"),
      SAYS(1, "AUTH secret; SET k v*9000; STRLEN k", "+OK", NEXT),
      SAYS(BOSS, "CLIENT UNPAUSE", "+OK", NEXT), SAYS(1, NULL, "+OK :9000")}},
    {"a password that is taken away raises limits",
     "CONFIG SET requirepass secret",
     {SAYS(BOSS, "CONFIG SET requirepass ''; CLIENT PAUSE 3600000 WRITE",
           "+OK +OK"),
      SAYS(1, "SET k v*9000; STRLEN k", NULL),
      SAYS(BOSS, "CLIENT UNPAUSE", "+OK", NEXT), SAYS(1, NULL, "+OK :9000")}},
    {"RESET in the middle of a pipeline lowers limits",
     "CONFIG SET requirepass secret",
     {SAYS(1,
           "AUTH secret; SELECT 1; SET k v; RESET; GET k; AUTH secret; GET k",
           "+OK +OK +OK +RESET -NOAUTH Authentication required. +OK nil"),
      SAYS(2, "AUTH secret; RESET; MGET 1 2 3 4 5 6 7 8 9 10; GET k",
           "+OK +RESET -ERR Protocol error: unauthenticated multibulk length "
           "(end)"),
      SAYS(3, "GET k; AUTH wrong; AUTH secret; GET k; RESET; RESET; GET k",
           "-NOAUTH Authentication required. -WRONGPASS invalid "
           "username-password pair or user is disabled. +OK nil +RESET "
           "+RESET -NOAUTH Authentication required.")}},
    {"half a request among whole ones",
     NULL,
     {SAYS(0, "GET b", "nil", RAW = "*2\r\n$3\r\nGET\r\n$1"),
      SAYS(1, "SET a 1", "+OK"), SAYS(2, NULL, NULL, RAW = "*"),
      SAYS(0, NULL, "\"1\"", RAW = "\r\na\r\n", NEXT),
      SAYS(2, NULL, "+PONG", RAW = "1\r\n$4\r\nPING\r\n")}},
    {"inline commands between others",
     NULL,
     {SAYS(0, "SET a 1", "+OK \"1\" \"1\" +PONG",
           RAW = "GET a\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n\r\nPING\r\n"),
      SAYS(1, NULL, "+PONG \"x y\"", RAW = "ping\necho 'x y'\n"),
      SAYS(2, "ECHO b", "\"b\"", RAW = "*0\r\n*-1\r\n")}},
    {"what is no request",
     NULL,
     {SAYS(0, "PING", "+PONG (end)",
           RAW = "POST / HTTP/1.1\r\nHost: x\r\n\r\n"),
      SAYS(1, NULL, "(end)", RAW = "GET / HTTP/1.1\r\n\r\n"),
      SAYS(2, "PING", "+PONG -ERR Protocol error: expected '$', got ':' (end)",
           RAW = "*1\r\n:1\r\n*1\r\n$4\r\nPING\r\n"),
      SAYS(3, NULL, "(end)", RAW = "\x16\x03\x01"),
      SAYS(BOSS, "PING", "+PONG")}},
    {"the end of the stream behind requests",
     NULL,
     {SAYS(0, "SET a 1; GET a", "+OK \"1\" (end)", LAST),
      SAYS(1, NULL, "(end)", LAST),
      SAYS(2, "PING", "+PONG (end)", RAW = "*2\r\n$3", LAST),
      SAYS(3, "PING; QUIT; SET a 2", "+PONG +OK (end)"),
      SAYS(BOSS, "GET a", "\"1\"", NEXT)}},
    {"databases change in between",
     NULL,
     {SAYS(0,
           "SELECT 1; SET a 1; SELECT 2; GET a; SELECT 1; GET a; SWAPDB 1 2; "
           "GET a; SELECT 2; GET a",
           "+OK +OK +OK nil +OK \"1\" +OK nil +OK \"1\""),
      SAYS(1, "SET a 0; SELECT 3; GET a; SELECT 99; GET a; RESET; GET a",
           "+OK +OK nil -ERR DB index is out of range nil +RESET \"0\"")}},
    {"transactions",
     NULL,
     {SAYS(0, "MULTI; SET a 1; INCR a; EXEC; GET a",
           "+OK +QUEUED +QUEUED [+OK :2] \"2\""),
      SAYS(1, "WATCH w; MULTI; INCR w", "+OK +OK +QUEUED"),
      SAYS(
          2, "MULTI; NOSUCH; PING; EXEC; PING",
          "+OK -ERR unknown command 'NOSUCH', with args beginning with:  "
          "+QUEUED "
          "-EXECABORT Transaction discarded because of previous errors. +PONG"),
      SAYS(3, "SET w 5", "+OK", NEXT),
      SAYS(1, "EXEC; GET w", "nil \"5\"", NEXT)}},
    {"those who want no replies",
     NULL,
     {SAYS(0, "CLIENT REPLY OFF; SET a 1; CLIENT REPLY ON; PING", "+OK +PONG"),
      SAYS(1, "CLIENT REPLY SKIP; SET b 1; PING", "+PONG"),
      SAYS(2, "GET c; CLIENT REPLY OFF; KEYS a; SET c 2", "nil"),
      SAYS(2, "CLIENT REPLY ON", "+OK", NEXT),
      SAYS(BOSS, "MGET a b c", "[\"1\" \"1\" \"2\"]", NEXT)}},
    {"what goes on later, with requests behind",
     NULL,
     {SAYS(0, "SET a 1; KEYS a; INCR a; DEBUG SLEEP 0.01; GET a; KEYS a; PING",
           "+OK [\"a\"] :2 +OK \"2\" [\"a\"] +PONG"),
      SAYS(1,
           "SET b v*5000; CLIENT KILL ID 999999; STRLEN b; CLIENT LIST ID "
           "999999; STRLEN b; CLIENT KILL ID 999999 ID 999998",
           "+OK :0 :5000 \"\" :5000 :0"),
      SAYS(2,
           "MULTI; SET c 1; KEYS c; EXEC; GET c; CLIENT REPLY SKIP; MEMORY "
           "WAIT 1000; GET c",
           "+OK +QUEUED +QUEUED [+OK [\"c\"]] \"1\" \"1\""),
      SAYS(3, "GET d; CLIENT PAUSE 10 WRITE; SET d 1; KEYS d; GET d; INCR d",
           "nil +OK +OK [\"d\"] \"1\" :2")}},
    {"messages for those who ask at the same time",
     NULL,
     {SAYS(1, "SUBSCRIBE ch", "[\"subscribe\" \"ch\" :1]"),
      SAYS(2, "PSUBSCRIBE c*", "[\"psubscribe\" \"c*\" :1]"),
      SAYS(3, "GET m", "nil", NEXT),
      SAYS(0, "PUBLISH ch m; PING; PUBLISH ch n", ":2 +PONG :2"),
      SAYS(1, "PING",
           "[\"message\" \"ch\" \"m\"] [\"message\" \"ch\" \"n\"] "
           "[\"pong\" \"\"]",
           OR = "[\"pong\" \"\"] [\"message\" \"ch\" \"m\"] "
                "[\"message\" \"ch\" \"n\"]"),
      SAYS(2, "PING",
           "[\"pmessage\" \"c*\" \"ch\" \"m\"] [\"pmessage\" \"c*\" \"ch\" "
           "\"n\"] [\"pong\" \"\"]",
           OR = "[\"pong\" \"\"] [\"pmessage\" \"c*\" \"ch\" \"m\"] "
                "[\"pmessage\" \"c*\" \"ch\" \"n\"]")}},
    {"clients are killed by those of the same look",
     NULL,
     {SAYS(1, "SET a 1", NULL),
      SAYS(0, "CLIENT KILL ID %1; CLIENT KILL ID %2; PING", ":1 :1 +PONG",
           OR = ":0 :1 +PONG"),
      SAYS(1, NULL, "+OK (end)", OR = "(end)"),
      SAYS(2, "SET b 1", "+OK (end)", OR = "(end)"),
      SAYS(3, "PING; CLIENT KILL ID %3 SKIPME no; PING", "+PONG :1 (end)"),
      SAYS(0, "PING", "+PONG", NEXT)}},
};

enum { scene_count = sizeof scenes / sizeof *scenes };

#endif
