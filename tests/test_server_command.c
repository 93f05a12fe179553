/* SPDX-License-Identifier: BSD-3-Clause */
/* The command table, how rows are found, and what is made of their syntax. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/call.h"
#include "server/command_info.h"
#include "server/worker.h"
#include "tests/resp_reader.h"

/* -------------------------------------------------------------- the table */

static void rows_are_sorted_and_complete(void **state)
{
    (void)state;
    for (size_t row = 0; row < command_count; row++) {
        const struct command *command = &command_table[row];
        if (row > 0)
            assert_true(strcmp(command[-1].name, command->name) < 0);
        assert_true(command->run || command_sub_count(command) > 0);
        assert_int_equal((command->flags & COMMAND_HEAD) != 0,
                         command_sub_count(command) > 0);
        assert_true(*command->summary && *command->since);
        assert_int_not_equal(command->arity, 0);
        const char *bar = strchr(command->name, '|');
        assert_true(!bar == !command_container(command));
        assert_true(abs(command->arity) > (bar ? 1 : 0));
        /* SUNSUBSCRIBE may come without what COMMAND calls its keys. */
        assert_true(abs(command->arity) >= command->keys.first);
        assert_true(abs(command->arity) > command->blob_arg);
        /* Only one key fits in the transaction that is opened for a row. */
        if (command->keys.first && command->keys.first != command->keys.last)
            assert_true(command->flags & COMMAND_OWN_TX);
        if (command->blob_arg)
            assert_true(command->flags & COMMAND_DENYOOM);
    }
}

static void names_are_found_in_either_case(void **state)
{
    (void)state;
    for (size_t row = 0; row < command_count; row++) {
        const struct command *command = &command_table[row];
        char name[64];
        size_t len = strlen(command->name);
        for (size_t i = 0; i <= len; i++)
            name[i] = (char)(i % 2 ? command->name[i]
                                   : toupper((unsigned char)command->name[i]));
        struct arg arg = {name, len};
        assert_ptr_equal(command_named(&arg), command);
        bool sub = strchr(name, '|') != NULL;
        assert_ptr_equal(command_find(name, len), sub ? NULL : command);
        name[len] = 'x';
        assert_null(command_find(name, len + 1));
        name[len] = 0;
        assert_null(command_find(name, len + 1));
        struct arg shorter = {name, len - 1};
        const struct command *other = command_named(&shorter);
        assert_true(!other || strlen(other->name) == len - 1);
    }
    assert_null(command_find("", 0));
    assert_null(command_find("zzz", 3));
    assert_null(command_find("get|", 4));
}

static void subcommands_belong_to_their_command(void **state)
{
    (void)state;
    const struct command *config = command_find("config", 6);
    const struct command *get = command_find_sub(config, "GET", 3);
    assert_string_equal(get->name, "config|get");
    assert_ptr_equal(command_container(get), config);
    assert_null(command_container(config));
    assert_null(command_find_sub(config, "kill", 4));
    assert_null(command_find_sub(command_find("get", 3), "get", 3));
    assert_int_equal(command_sub_count(config), 5);
    assert_int_equal(command_sub_count(command_find("get", 3)), 0);
}

static void assert_keys(const char *line, size_t first, size_t step,
                        size_t count)
{
    char text[64];
    struct arg argv[8];
    size_t argc = 0;
    snprintf(text, sizeof text, "%s", line);
    for (char *at = strtok(text, " "); at; at = strtok(NULL, " "))
        argv[argc++] = (struct arg){at, strlen(at)};
    struct command_keys keys;
    bool any =
        command_keys(command_find(argv[0].ptr, argv[0].len), argv, argc, &keys);
    assert_int_equal(any, count > 0);
    if (!any)
        return;
    assert_int_equal(keys.count, count);
    assert_int_equal(keys.first, first);
    if (count > 1)
        assert_int_equal(keys.step, step);
}

static void the_keys_follow_from_the_request(void **state)
{
    (void)state;
    assert_keys("ping", 0, 0, 0);
    assert_keys("get a", 1, 1, 1);
    assert_keys("set a 1 ex 10", 1, 1, 1);
    assert_keys("del a b c d", 1, 1, 4);
    assert_keys("mset a 1 b 2", 1, 2, 2);
}

/* ---------------------------------------------------------- long arguments */

static void long_values_are_diverted_if_they_can_fit(void **state)
{
    enum { LIMIT = 16 << 20 };
    struct cache_options options = {.shards = 4, .address_bytes = 64 << 20};
    struct server *server = calloc(1, sizeof *server);
    struct session session = {.authenticated = true};
    struct arg set[] = {{"SET", 3}, {"key", 3}, {"value", 5}};
    struct arg setex[] = {{"setex", 5}, {"key", 3}, {"10", 2}};
    struct arg get[] = {{"GET", 3}, {"key", 3}};
    struct arg mset[] = {{"MSET", 4}, {"a", 1}, {"b", 1}};
    size_t inside = CACHE_INLINE_MAX, beyond = CACHE_INLINE_MAX + 1;
    (void)state;
    server->cache = cache_new(&options);
    cache_set_limit(server->cache, LIMIT);

    assert_int_equal(command_large(server, &session, set, 2, inside, SIZE_MAX),
                     LARGE_KEEP);
    assert_int_equal(command_large(server, &session, set, 2, beyond, SIZE_MAX),
                     LARGE_DIVERT);
    assert_int_equal(
        command_large(server, &session, set, 2, 2 * LIMIT, SIZE_MAX),
        LARGE_REFUSE);
    assert_int_equal(
        command_large(server, &session, setex, 3, beyond, SIZE_MAX),
        LARGE_DIVERT);
    /* Held until it runs, if it may be and can be stored then. */
    assert_int_equal(command_large(server, &session, mset, 2, beyond, beyond),
                     LARGE_KEEP);
    assert_int_equal(command_large(server, &session, mset, 2, beyond, inside),
                     LARGE_REFUSE);
    assert_int_equal(
        command_large(server, &session, mset, 2, 2 * LIMIT, SIZE_MAX),
        LARGE_REFUSE);
    assert_int_equal(command_large(server, &session, mset, 3, beyond, inside),
                     LARGE_KEEP);
    /* Not the value; no value; no such command. */
    assert_int_equal(command_large(server, &session, set, 3, beyond, SIZE_MAX),
                     LARGE_KEEP);
    assert_int_equal(
        command_large(server, &session, setex, 2, beyond, SIZE_MAX),
        LARGE_KEEP);
    assert_int_equal(command_large(server, &session, get, 2, beyond, SIZE_MAX),
                     LARGE_KEEP);
    assert_int_equal(command_large(server, &session, set, 0, beyond, SIZE_MAX),
                     LARGE_KEEP);
    get[0] = (struct arg){"nosuch", 6};
    assert_int_equal(command_large(server, &session, get, 2, beyond, SIZE_MAX),
                     LARGE_KEEP);
    /* Refused by the key's length when it runs. */
    set[1].len = CACHE_KEY_MAX + 1;
    assert_int_equal(command_large(server, &session, set, 2, beyond, SIZE_MAX),
                     LARGE_KEEP);
    /* Who has not given the password puts nothing into the cache. */
    set[1].len = 3;
    session.authenticated = false;
    assert_int_equal(command_large(server, &session, set, 2, beyond, SIZE_MAX),
                     LARGE_KEEP);
    cache_free(server->cache);
    free(server);
}

/* ------------------------------------------------------------------- docs */

static struct resp *docs_of(const char *name)
{
    struct buf out = {0};
    struct arg argv[] = {{"command", 7}, {"docs", 4}, {name, strlen(name)}};
    struct call call = {.argv = argv, .argc = 3, .reply = {&out, 3}};
    struct resp_reader reader = {0};
    struct resp *reply = NULL;
    assert_int_equal(cmd_command_docs(&call), COMMAND_DONE);
    resp_feed(&reader, out.data + out.start, buf_len(&out));
    assert_int_equal(resp_next(&reader, &reply), RESP_READ);
    struct resp *more;
    assert_int_equal(resp_next(&reader, &more), RESP_MORE);
    resp_release(&reader);
    buf_release(&out);
    return reply;
}

/* The value of a map's key, or NULL. */
static const struct resp *field(const struct resp *map, const char *name)
{
    assert_int_equal(map->kind, '%');
    for (size_t i = 0; i < map->count; i += 2)
        if (strcmp(map->items[i].text, name) == 0)
            return &map->items[i + 1];
    return NULL;
}

/* One argument in short: "[seconds]:integer=EX", its parts in parentheses. */
static void describe(const struct resp *argument, char *out, size_t size)
{
    const struct resp *flags = field(argument, "flags");
    const struct resp *token = field(argument, "token");
    const struct resp *parts = field(argument, "arguments");
    bool optional = false, multiple = false, tokens = false;
    for (size_t i = 0; flags && i < flags->count; i++) {
        optional |= strcmp(flags->items[i].text, "optional") == 0;
        multiple |= strcmp(flags->items[i].text, "multiple") == 0;
        tokens |= strcmp(flags->items[i].text, "multiple_token") == 0;
    }
    size_t len =
        (size_t)snprintf(out, size, "%s%s%s%s:%s%s%s", optional ? "[" : "",
                         field(argument, "name")->text,
                         tokens     ? "=..."
                         : multiple ? "..."
                                    : "",
                         optional ? "]" : "", field(argument, "type")->text,
                         token ? "=" : "", token ? token->text : "");
    for (size_t i = 0; parts && i < parts->count; i++) {
        len += (size_t)snprintf(out + len, size - len, i ? " " : "(");
        describe(&parts->items[i], out + len, size - len);
        len = strlen(out);
    }
    if (parts)
        snprintf(out + len, size - len, ")");
}

static void arguments_are(const char *name, const char *expected)
{
    char text[2000] = "";
    struct resp *docs = docs_of(name);
    assert_int_equal(docs->count, 2);
    assert_string_equal(docs->items[0].text, name);
    const struct resp *arguments = field(&docs->items[1], "arguments");
    for (size_t i = 0; arguments && i < arguments->count; i++) {
        size_t len = strlen(text);
        if (i > 0)
            text[len++] = ' ';
        describe(&arguments->items[i], text + len, sizeof text - len);
    }
    assert_string_equal(text, expected);
    resp_free(docs);
}

static void syntax_becomes_a_tree_of_arguments(void **state)
{
    (void)state;
    arguments_are("get", "key:key");
    arguments_are("ping", "[message]:string");
    arguments_are("del", "key...:key");
    arguments_are("mset", "group...:block(key:key value:string)");
    arguments_are("expire",
                  "key:key seconds:integer [choice]:oneof("
                  "nx:pure-token=NX xx:pure-token=XX gt:pure-token=GT "
                  "lt:pure-token=LT)");
    arguments_are("set",
                  "key:key value:string "
                  "[choice]:oneof(nx:pure-token=NX xx:pure-token=XX "
                  "ifeq-value:string=IFEQ ifne-value:string=IFNE "
                  "ifdeq-digest:string=IFDEQ ifdne-digest:string=IFDNE) "
                  "[get]:pure-token=GET "
                  "[choice]:oneof(seconds:integer=EX milliseconds:integer=PX "
                  "unix-time-seconds:unix-time=EXAT "
                  "unix-time-milliseconds:unix-time=PXAT "
                  "keepttl:pure-token=KEEPTTL)");
    arguments_are("command|info", "[command-name...]:string");
    arguments_are("client|list",
                  "[choice]:oneof=TYPE(normal:pure-token=NORMAL "
                  "master:pure-token=MASTER replica:pure-token=REPLICA "
                  "pubsub:pure-token=PUBSUB) [client-id...]:integer=ID");
    arguments_are("hello",
                  "[group]:block(protover:integer "
                  "[group]:block=AUTH(username:string password:string) "
                  "[clientname]:string=SETNAME)");
    arguments_are("client|tracking",
                  "choice:oneof(on:pure-token=ON off:pure-token=OFF) "
                  "[client-id]:integer=REDIRECT [prefix=...]:string=PREFIX "
                  "[bcast]:pure-token=BCAST [optin]:pure-token=OPTIN "
                  "[optout]:pure-token=OPTOUT [noloop]:pure-token=NOLOOP");
    arguments_are("module|loadex",
                  "path:string "
                  "[group=...]:block=CONFIG(name:string value:string) "
                  "[arg...]:string=ARGS");
    arguments_are("cluster|keyslot", "key:string");
    arguments_are("restore",
                  "key:key ttl:integer serialized-value:string "
                  "[replace]:pure-token=REPLACE [absttl]:pure-token=ABSTTL "
                  "[seconds]:integer=IDLETIME [frequency]:integer=FREQ");
    arguments_are("rename", "key:key newkey:key");
    arguments_are("incrbyfloat", "key:key increment:double");
    arguments_are("failover",
                  "[group]:block=TO(host:string port:integer "
                  "[force]:pure-token=FORCE) [abort]:pure-token=ABORT "
                  "[milliseconds]:integer=TIMEOUT");
    arguments_are("dbsize", "");
}

/* A row that must have arguments names them. */
static void arguments_are_named(const struct command *command)
{
    int words = strchr(command->name, '|') ? 2 : 1;
    if (!(command->flags & COMMAND_HEAD) && abs(command->arity) > words &&
        !*command->syntax)
        fail_msg("%s takes arguments", command->name);
}

static void every_command_explains_itself(void **state)
{
    (void)state;
    for (size_t row = 0; row < command_count; row++) {
        const struct command *command = &command_table[row];
        arguments_are_named(command);
        if (command_container(command))
            continue;
        struct resp *docs = docs_of(command->name);
        assert_int_equal(docs->count, 2);
        const struct resp *one = &docs->items[1];
        assert_string_equal(docs->items[0].text, command->name);
        assert_string_equal(field(one, "summary")->text, command->summary);
        assert_string_equal(field(one, "since")->text, command->since);
        assert_string_equal(field(one, "group")->text, command->group);
        const struct resp *subs = field(one, "subcommands");
        assert_int_equal(subs ? subs->count / 2 : 0,
                         command_sub_count(command));
        resp_free(docs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_and_complete),
        cmocka_unit_test(names_are_found_in_either_case),
        cmocka_unit_test(subcommands_belong_to_their_command),
        cmocka_unit_test(the_keys_follow_from_the_request),
        cmocka_unit_test(long_values_are_diverted_if_they_can_fit),
        cmocka_unit_test(syntax_becomes_a_tree_of_arguments),
        cmocka_unit_test(every_command_explains_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
