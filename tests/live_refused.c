/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests and replies that are long for the budget: each is answered, rightly
 * or with an error, and the connection goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/live.h"
#include "tests/resp_reader.h"
#include "tests/talk.h"

#define NO_ROOM                                                                \
    "-OOM the request does not fit into the memory that clients may use"

enum { WORDS = 8, PATIENCE_MS = 60000 };

/* A command, and one more argument so many times. */
struct row {
    const char *command;
    size_t times, len; /* len: of each, or 0: it is "x" */
    /* As the first bytes of the reply: an error's text, "*3" for an array,
     * a set or a map of three elements, "$3" for a bulk. */
    const char *answer;
    /* Or this, where there is not enough memory for the answer. */
    const char *instead;
};

static const struct row rows[] = {
    {"ECHO", 100000, 0, "-ERR wrong number of arguments for 'echo'", NULL},
    {"GET", 100000, 0, "-ERR wrong number of arguments for 'get'", NULL},
    {"CONFIG RESETSTAT", 100000, 0,
     "-ERR wrong number of arguments for 'config|resetstat'", NULL},
    {"NOSUCH", 100000, 0, "-ERR unknown command 'NOSUCH', with args", NULL},
    {"CONFIG NOSUCH", 100000, 0, "-ERR unknown subcommand 'NOSUCH'", NULL},
    {"EXISTS", 10000, 0, ":0", NULL},
    {"EXISTS", 100000, 0, ":0", NO_ROOM},
    {"DEL", 100000, 0, ":0", NO_ROOM},
    {"MGET", 100000, 0, "*100000", NO_ROOM},
    {"MGET k", 10000, 0, "*10001", NULL},
    {"MSET", 32768, 0, "+OK", NO_ROOM},
    {"SUBSCRIBE", 100000, 0, "*", NO_ROOM},
    {"PUBSUB NUMSUB", 10000, 0, "*20000", NULL},
    {"PUBSUB NUMSUB", 500, 1000, "*1000", NO_ROOM},
    {"SCRIPT EXISTS", 30000, 0, "*30000", NO_ROOM},
    {"SCRIPT EXISTS", 30000, 40, "*30000", NO_ROOM},
    {"COMMAND GETKEYS MGET", 4, 60000, "*4", NULL},
    {"COMMAND GETKEYSANDFLAGS MGET", 8000, 0, "*8000", NULL},
    {"COMMAND", 0, 0, "*", NULL},
    {"COMMAND INFO set get", 1000, 0, "*1002", NULL},
    {"CLIENT LIST ID", 100000, 0, "-ERR", NO_ROOM},
    {"ACL SETUSER u", 100000, 0, "-ERR", NO_ROOM},
    {"EVAL", 100000, 0, "-ERR", NO_ROOM},
    {"ECHO", 1, 300000, "$300000", NULL},
    {"PING", 1, 300000, "$300000", NULL},
    {"ECHO", 1, 1000000, "$1000000", NO_ROOM},
    {"EVAL", 1, 1000000, "-ERR wrong number of arguments for 'eval'", NULL},
};

/* Names, each so many times over. */
static const struct row repeated[] = {
    {"COMMAND INFO client", 1000, 0, "*1000", NULL},
    {"COMMAND DOCS client", 1000, 0, "*2000", NULL},
    {"COMMAND DOCS set", 1000, 0, "*2000", NULL},
};

/* ---------------------------------------------------------------- requests */

struct request {
    char *bytes;
    size_t len;
};

static void add(struct request *request, const char *word, size_t len)
{
    request->len += (size_t)sprintf(request->bytes + request->len,
                                    "$%zu\r\n%.*s\r\n", len, (int)len, word);
}

static struct request build(const struct row *row, bool repeats)
{
    char command[128], *words[WORDS];
    size_t len = row->len ? row->len : 1, count = 0;
    snprintf(command, sizeof command, "%s", row->command);
    for (char *word = strtok(command, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    char *argument = malloc(len);
    struct request request = {malloc((row->times + 1) * (len + 32) + 256), 0};
    assert_true(argument && request.bytes);
    memset(argument, 'x', len);
    const char *last = repeats ? words[count - 1] : argument;
    size_t last_len = repeats ? strlen(last) : len;
    request.len = (size_t)sprintf(request.bytes, "*%zu\r\n",
                                  count + row->times - repeats);
    for (size_t i = 0; i < count; i++)
        add(&request, words[i], strlen(words[i]));
    for (size_t i = repeats; i < row->times; i++)
        add(&request, last, last_len);
    free(argument);
    return request;
}

/* NULL: the connection was closed. */
static struct resp *send_it(struct talk *talk, const struct request *request)
{
    return live_send(talk->fd, request->bytes, request->len)
               ? resp_await(&talk->reader, talk->fd, PATIENCE_MS)
               : NULL;
}

/* The beginning of a reply, in RESP2's form. */
static const char *show(const struct resp *reply)
{
    static char text[256];
    if (!reply)
        return "closed";
    if (strchr("*~%>", reply->kind))
        snprintf(text, sizeof text, "*%zu", reply->count);
    else if (reply->kind == '$')
        snprintf(text, sizeof text, "$%zu", reply->len);
    else
        snprintf(text, sizeof text, "%.*s", (int)reply->raw_len, reply->raw);
    return text;
}

static bool is_one_of(const char *shown, const struct row *row)
{
    return strncmp(shown, row->answer, strlen(row->answer)) == 0 ||
           (row->instead &&
            strncmp(shown, row->instead, strlen(row->instead)) == 0);
}

/* ------------------------------------------------------------------ checks */

static void check_alone(struct talk *talk, const struct row *row,
                        const struct request *request)
{
    struct resp *reply = send_it(talk, request);
    if (!is_one_of(show(reply), row))
        fail_msg("%s, %zu times: %s", row->command, row->times, show(reply));
    resp_free(reply);
    if (strcmp(row->command, "SUBSCRIBE") != 0)
        talk_says(talk, "PING", "+PONG");
}

/* In a transaction it is queued and answered so, or EXEC refuses. */
static void check_queued(struct talk *talk, const struct row *row,
                         const struct request *request)
{
    talk_says(talk, "MULTI", "+OK");
    struct resp *queued = send_it(talk, request);
    bool refused = queued && queued->kind == '-';
    struct resp *reply = talk_ask(talk, "EXEC");
    if (refused ? !resp_is(reply, '-',
                           "EXECABORT Transaction discarded because of "
                           "previous errors.")
                : reply->count != 1 || !is_one_of(show(reply->items), row))
        fail_msg("%s in a transaction: %s", row->command, show(reply));
    resp_free(queued);
    resp_free(reply);
    talk_says(talk, "PING", "+PONG");
}

static void check_row(const struct live *live, redisContext *other,
                      const struct row *row, bool repeats)
{
    struct request request = build(row, repeats);
    for (int resp = 2; resp <= 3; resp++) {
        live_await_info(other, "ebb_client_pool_used_bytes", 0, 64 << 10);
        struct talk talk = talk_open(live);
        resp_free(talk_ask(&talk, "HELLO %d", resp));
        if (strcmp(row->command, "SUBSCRIBE") != 0)
            check_queued(&talk, row, &request);
        check_alone(&talk, row, &request);
        talk_close(&talk);
    }
    free(request.bytes);
}

static void all_are_answered(const char *budget)
{
    struct live *live = live_start("--maxmemory", budget, NULL);
    redisContext *redis = live_connect(live);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_row(live, redis, &rows[i], false);
    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++)
        check_row(live, redis, &repeated[i], true);
    assert_int_equal(live_info(redis, "evicted_clients"), 0);
    redisFree(redis);
    live_stop(live);
}

static void all_are_answered_with_16_mb(void **state)
{
    (void)state;
    all_are_answered("16mb");
}

static void all_are_answered_with_32_mb(void **state)
{
    (void)state;
    all_are_answered("32mb");
}

static void all_are_answered_with_1_gb(void **state)
{
    (void)state;
    all_are_answered("1gb");
}

/* What follows a request that was skipped is run, wherever it was cut. */
static void what_follows_is_run(void **state)
{
    enum { ARGS = 60000, AT_ONCE = 70001 };
    (void)state;
    struct live *live = live_start("--maxmemory", "16mb", NULL);
    int fd = live_socket(live);
    size_t len = 0;
    char *bytes = malloc(ARGS * 8 + 64);
    assert_non_null(bytes);
    len += (size_t)sprintf(bytes, "*%d\r\n$3\r\nDEL\r\n", ARGS + 1);
    for (int i = 0; i < ARGS; i++)
        len += (size_t)sprintf(bytes + len, "$2\r\nab\r\n");
    len += (size_t)sprintf(bytes + len, "PING\r\n");
    for (size_t at = 0; at < len; at += AT_ONCE)
        assert_true(
            live_send(fd, bytes + at, len - at < AT_ONCE ? len - at : AT_ONCE));
    static const char expected[] = NO_ROOM "\r\n+PONG\r\n";
    char got[sizeof expected - 1];
    assert_int_equal(live_read(fd, got, sizeof got), sizeof got);
    assert_memory_equal(got, expected, sizeof got);
    free(bytes);
    close(fd);
    live_stop(live);
}

/* Names leave memory for others' commands. */
static void names_do_not_fill_the_memory(void **state)
{
    enum { CLIENTS = 600, NAME = 900 };
    (void)state;
    struct live *live = live_start("--maxmemory", "16mb", NULL);
    redisContext *redis = live_connect(live);
    static redisContext *named[CLIENTS];
    char name[NAME + 1];
    memset(name, 'n', NAME);
    name[NAME] = '\0';
    int refused = 0;
    for (int i = 0; i < CLIENTS; i++) {
        named[i] = live_connect(live);
        const char *reply = live_text(named[i], "CLIENT SETNAME %s", name);
        refused += strcmp(reply, "OOM no memory for so long a name: "
                                 "Client names") == 0;
    }
    assert_in_range(refused, 1, CLIENTS - 1);
    assert_string_equal(live_text(named[0], "CLIENT SETNAME short"), "OK");
    assert_string_equal(live_text(redis, "CLIENT LIST"),
                        "OOM the list does not fit into the memory that "
                        "clients may use");
    assert_string_equal(live_text(redis, "PING"), "PONG");
    for (int i = 0; i < CLIENTS; i++)
        redisFree(named[i]);
    live_await_info(redis, "connected_clients", 1, 1);
    assert_int_equal(live_info(redis, "evicted_clients"), 0);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_answered_with_16_mb),
        cmocka_unit_test(all_are_answered_with_32_mb),
        cmocka_unit_test(all_are_answered_with_1_gb),
        cmocka_unit_test(what_follows_is_run),
        cmocka_unit_test(names_do_not_fill_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
