/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * COMMAND DOCS: a row's syntax line is taken apart into the tree of arguments
 * that clients build their hints from.
 *
 *   key value [NX | XX] [EX seconds]
 *    |    |      |           |
 *   name name  choice      name with a token, optional
 *              |    |
 *            token token
 */

#include "call.h"

#include <assert.h>
#include <string.h>

#include "command_info.h"

enum { NODES_MAX = 64, NO_NODE = -1 };

enum node_type { NODE_NAME, NODE_TOKEN, NODE_CHOICE, NODE_BLOCK };

struct node {
    enum node_type type;
    struct arg name, token; /* token.len 0: none */
    bool optional, multiple;
    bool tokens;     /* multiple, each time with the token */
    int child, next; /* nodes, or NO_NODE */
};

struct syntax {
    const char *at;
    bool floats; /* increments are not whole numbers */
    bool keys;   /* a key is one */
    struct node nodes[NODES_MAX];
    int count;
};

/* A list of nodes under construction. */
struct list {
    int first, last, count;
};

/* ---------------------------------------------------------------- parsing */

static int node_new(struct syntax *syntax, enum node_type type)
{
    assert(syntax->count < NODES_MAX);
    syntax->nodes[syntax->count] =
        (struct node){.type = type, .child = NO_NODE, .next = NO_NODE};
    return syntax->count++;
}

static void list_add(struct syntax *syntax, struct list *list, int node)
{
    if (list->count++ == 0)
        list->first = node;
    else
        syntax->nodes[list->last].next = node;
    list->last = node;
}

/* "[TO host port]": the token is the whole block's. */
static void lift_token(struct node *block, struct node *first)
{
    if (first->type != NODE_NAME || first->optional)
        return;
    block->token = first->token;
    first->token = (struct arg){0};
}

/* The list as one node. */
static int list_join(struct syntax *syntax, const struct list *list,
                     enum node_type type)
{
    if (list->count == 1)
        return list->first;
    int node = node_new(syntax, type);
    syntax->nodes[node].child = list->count ? list->first : NO_NODE;
    if (type == NODE_BLOCK && list->count > 0)
        lift_token(&syntax->nodes[node], &syntax->nodes[list->first]);
    return node;
}

static void skip_spaces(struct syntax *syntax)
{
    syntax->at += strspn(syntax->at, " ");
}

static bool take(struct syntax *syntax, const char *text)
{
    skip_spaces(syntax);
    size_t len = strlen(text);
    if (strncmp(syntax->at, text, len) != 0)
        return false;
    syntax->at += len;
    return true;
}

static bool is_token(const char *at)
{
    return *at >= 'A' && *at <= 'Z';
}

static struct arg take_word(struct syntax *syntax)
{
    struct arg word = {syntax->at, strcspn(syntax->at, " []<>|")};
    syntax->at += word.len;
    return word;
}

static int parse_choice(struct syntax *syntax, struct list *outer);

/* A word, or a token and what belongs to it. */
static int parse_item(struct syntax *syntax, struct list *before)
{
    if (take(syntax, "<")) {
        int node = parse_choice(syntax, before);
        take(syntax, ">");
        return node;
    }
    bool token = is_token(syntax->at);
    struct arg word = take_word(syntax);
    if (!token) {
        int node = node_new(syntax, NODE_NAME);
        syntax->nodes[node].name = word;
        return node;
    }
    skip_spaces(syntax);
    bool alone =
        !*syntax->at || strchr("[]>|", *syntax->at) || is_token(syntax->at);
    int node =
        alone ? node_new(syntax, NODE_TOKEN) : parse_item(syntax, before);
    syntax->nodes[node].token = word;
    if (alone)
        syntax->nodes[node].name = word;
    return node;
}

/* Takes the last nodes out of the list. */
static struct list list_cut(struct syntax *syntax, struct list *list, int count)
{
    struct list end = {list->first, list->last, count};
    *list = (struct list){.first = list->first, .count = list->count - count};
    for (int left = list->count; left > 0; left--) {
        list->last = end.first;
        end.first = syntax->nodes[end.first].next;
    }
    return end;
}

/* The last nodes of the list, which are as many as those that are repeated in
 * "[name ...]" or "[TOKEN name ...]", may be given several times. */
static void repeat(struct syntax *syntax, struct list *list,
                   const struct list *again)
{
    int count = again->count;
    bool tokens = syntax->nodes[again->first].token.len > 0;
    assert(count <= list->count);
    if (count > 1) {
        struct list end = list_cut(syntax, list, count);
        list_add(syntax, list, list_join(syntax, &end, NODE_BLOCK));
    }
    syntax->nodes[list->last].multiple = true;
    syntax->nodes[list->last].tokens = tokens;
}

/* Items up to the end of the group; true: they were a repetition of what is
 * before the group. */
static bool parse_items(struct syntax *syntax, struct list *list)
{
    for (;;) {
        skip_spaces(syntax);
        if (!*syntax->at || strchr("]>|", *syntax->at))
            return false;
        if (take(syntax, "..."))
            return true;
        if (!take(syntax, "[")) {
            list_add(syntax, list, parse_item(syntax, list));
            continue;
        }
        int option = parse_choice(syntax, list);
        take(syntax, "]");
        if (option == NO_NODE)
            continue;
        syntax->nodes[option].optional = true;
        list_add(syntax, list, option);
    }
}

/* Alternatives up to the end of the group; NO_NODE: it was a repetition. */
static int parse_choice(struct syntax *syntax, struct list *outer)
{
    struct list choices = {0};
    do {
        struct list items = {0};
        int used = syntax->count;
        if (parse_items(syntax, &items)) {
            syntax->count = used;
            repeat(syntax, outer, &items);
            return NO_NODE;
        }
        list_add(syntax, &choices, list_join(syntax, &items, NODE_BLOCK));
    } while (take(syntax, "|"));
    return list_join(syntax, &choices, NODE_CHOICE);
}

/* --------------------------------------------------------------- replying */

/* What a name stands for; those that are not here are strings. */
// clang-format off
static const struct {
    const char *name, *type;
} types[] = {
    {"bits", "integer"},                  {"client-id", "integer"},
    {"cluster-bus-port", "integer"},      {"config-epoch", "integer"},
    {"count", "integer"},                 {"cursor", "integer"},
    {"db", "integer"},                    {"decrement", "integer"},
    {"destination", "key"},               {"destination-db", "integer"},
    {"end", "integer"},                   {"end-slot", "integer"},
    {"frequency", "integer"},             {"increment", "integer"},
    {"index", "integer"},                 {"index1", "integer"},
    {"index2", "integer"},                {"key", "key"},
    {"maxage", "integer"},                {"milliseconds", "integer"},
    {"newkey", "key"},                    {"numkeys", "integer"},
    {"numreplicas", "integer"},           {"offset", "integer"},
    {"pattern", "pattern"},               {"port", "integer"},
    {"protover", "integer"},              {"seconds", "integer"},
    {"slot", "integer"},                  {"source", "key"},
    {"start", "integer"},                 {"start-slot", "integer"},
    {"timeout", "integer"},               {"ttl", "integer"},
    {"version", "integer"},
};
// clang-format on

static const char *type_of(const struct syntax *syntax, const struct node *node)
{
    const struct arg *name = &node->name;
    switch (node->type) {
    case NODE_TOKEN:
        return "pure-token";
    case NODE_CHOICE:
        return "oneof";
    case NODE_BLOCK:
        return "block";
    default:
        break;
    }
    if (name->len > 9 && memcmp(name->ptr, "unix-time", 9) == 0)
        return "unix-time";
    if (syntax->floats && arg_is(name, "increment"))
        return "double";
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (arg_is(name, types[i].name) &&
            (syntax->keys || strcmp(types[i].type, "key") != 0))
            return types[i].type;
    return "string";
}

static void reply_name(struct reply *reply, const struct node *node)
{
    char lower[64];
    size_t len = node->name.len < sizeof lower ? node->name.len : 0;
    for (size_t i = 0; i < len; i++)
        lower[i] =
            (char)(is_token(node->name.ptr + i) ? node->name.ptr[i] | 0x20
                                                : node->name.ptr[i]);
    reply_bulk_text(reply, "name");
    if (len > 0)
        reply_bulk(reply, lower, len);
    else
        reply_bulk_text(reply, node->type == NODE_CHOICE ? "choice" : "group");
}

static void reply_nodes(struct reply *reply, const struct syntax *syntax,
                        int first);

static void reply_node(struct reply *reply, const struct syntax *syntax,
                       const struct node *node)
{
    const char *type = type_of(syntax, node);
    bool is_key = strcmp(type, "key") == 0, is_name = node->type == NODE_NAME;
    size_t flags = (size_t)node->optional + node->multiple + node->tokens;
    reply_map(reply, 2 + (size_t)is_name + is_key + (node->token.len > 0) +
                         (flags > 0) + (node->child != NO_NODE));
    reply_name(reply, node);
    reply_bulk_text(reply, "type");
    reply_bulk_text(reply, type);
    if (is_name) {
        reply_bulk_text(reply, "display_text");
        reply_bulk(reply, node->name.ptr, node->name.len);
    }
    if (is_key) {
        reply_bulk_text(reply, "key_spec_index");
        reply_int(reply, 0);
    }
    if (node->token.len > 0) {
        reply_bulk_text(reply, "token");
        reply_bulk(reply, node->token.ptr, node->token.len);
    }
    if (flags > 0) {
        reply_bulk_text(reply, "flags");
        reply_set(reply, flags);
        if (node->optional)
            reply_status(reply, "optional");
        if (node->multiple)
            reply_status(reply, "multiple");
        if (node->tokens)
            reply_status(reply, "multiple_token");
    }
    if (node->child != NO_NODE) {
        reply_bulk_text(reply, "arguments");
        reply_nodes(reply, syntax, node->child);
    }
}

static void reply_nodes(struct reply *reply, const struct syntax *syntax,
                        int first)
{
    size_t count = 0;
    for (int i = first; i != NO_NODE; i = syntax->nodes[i].next)
        count++;
    reply_array(reply, count);
    for (int i = first; i != NO_NODE; i = syntax->nodes[i].next)
        reply_node(reply, syntax, &syntax->nodes[i]);
}

static void reply_docs(struct reply *reply, const struct command *command)
{
    size_t subs = command_sub_count(command);
    bool arguments = *command->syntax;
    reply_bulk_text(reply, command->name);
    reply_map(reply, 3 + (size_t)arguments + (subs > 0));
    reply_bulk_text(reply, "summary");
    reply_bulk_text(reply, command->summary);
    reply_bulk_text(reply, "since");
    reply_bulk_text(reply, command->since);
    reply_bulk_text(reply, "group");
    reply_bulk_text(reply, command->group);
    if (arguments) {
        struct syntax syntax = {.at = command->syntax,
                                .floats = strstr(command->name, "float"),
                                .keys = command->keys.first != 0};
        struct list list = {0};
        parse_items(&syntax, &list);
        reply_bulk_text(reply, "arguments");
        reply_nodes(reply, &syntax, list.first);
    }
    if (subs > 0) {
        reply_bulk_text(reply, "subcommands");
        reply_map(reply, subs);
        for (size_t i = 1; i <= subs; i++)
            reply_docs(reply, command + i);
    }
}

static void reply_row(struct call *call, size_t row, void *ctx)
{
    (void)ctx;
    if (!command_container(&command_table[row]))
        reply_docs(&call->reply, &command_table[row]);
}

/* What is not known is left out. */
static void reply_named(struct call *call, size_t i, void *ctx)
{
    const struct command *command = command_named(&call->argv[2 + i]);
    (void)ctx;
    if (command)
        reply_docs(&call->reply, command);
}

static size_t named_count(const struct call *call)
{
    size_t count = 0;
    for (size_t i = 2; i < call->argc; i++)
        count += command_named(&call->argv[i]) != NULL;
    return count;
}

enum command_result cmd_command_docs(struct call *call)
{
    bool all = call->argc == 2;
    if (!call_names_fit(call))
        return COMMAND_DONE;
    if (!call->state)
        reply_map(&call->reply, all ? command_top_count() : named_count(call));
    return call_each(call, all ? command_count : call->argc - 2,
                     all ? reply_row : reply_named, NULL);
}
