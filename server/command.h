/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMMAND_H
#define COMMAND_H

/*
 * A command is one function and one row.  The row has everything that can be
 * checked before the function runs: arity, permissions, keys.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/cache.h"
#include "protocol/parse.h"
#include "protocol/reply.h"
#include "session.h"

struct server;
struct worker;
struct conn;

enum command_result {
    COMMAND_DONE,    /* the reply is complete */
    COMMAND_NO_ROOM, /* a write found no memory and changed nothing; it is run
                        again after room was made, or answered -OOM */
    COMMAND_AGAIN,   /* a slice is done: go on after other clients had a turn */
    COMMAND_WAIT,    /* go on when conn_resume is called */
};

/* One command being served. */
struct call {
    struct server *server;
    struct worker *worker;
    struct conn *conn;
    struct session *session;
    const struct command *command; /* the row; of the subcommand if it has */
    const struct arg *argv;
    size_t argc;
    struct cache_blob *blob; /* the diverted argument, or NULL; a put that
                                takes it over sets this to NULL */
    struct reply reply;
    int64_t now_ms; /* wall clock, one for the whole batch */

    /* Rows with keys: the transaction is open while run() runs. */
    struct cache_tx tx;
    struct cache_key *keys; /* hashed, in the order of the arguments */
    size_t key_count;

    /* COMMAND_AGAIN and COMMAND_WAIT: what run() left for itself, freed by
     * state_free when the command ends or the connection dies.  NULL at the
     * first run. */
    void *state;
    void (*state_free)(void *state);
};

enum command_flag {
    COMMAND_WRITE = 1 << 0,     /* may change the keyspace */
    COMMAND_READONLY = 1 << 1,  /* reads the keyspace */
    COMMAND_DENYOOM = 1 << 2,   /* may need memory */
    COMMAND_ADMIN = 1 << 3,     /* administration */
    COMMAND_NO_AUTH = 1 << 4,   /* allowed before AUTH */
    COMMAND_FAST = 1 << 5,      /* as Redis's "fast" */
    COMMAND_BLOB = 1 << 6,      /* its value argument may be diverted */
    COMMAND_CONTAINER = 1 << 7, /* has subcommands */
    COMMAND_LOADING = 1 << 8,   /* the rest: only for COMMAND INFO's flags */
    COMMAND_STALE = 1 << 9,
    COMMAND_NOSCRIPT = 1 << 10,
    COMMAND_SENTINEL = 1 << 11,
    COMMAND_SKIP_MONITOR = 1 << 12,
    COMMAND_SKIP_SLOWLOG = 1 << 13,
    COMMAND_ALLOW_BUSY = 1 << 14,
    COMMAND_MOVABLE = 1 << 15,
};

struct command {
    const char *name; /* lower case; a subcommand as "config|get" */
    enum command_result (*run)(struct call *call);
    int arity; /* with the name; -n: at least n */
    unsigned flags;
    int first_key, last_key, key_step; /* as COMMAND INFO shows them */
    uint8_t blob_arg;                  /* which argument may be diverted;
                                          0: none; 255: the last */
    const char *group, *since, *summary, *arguments; /* for COMMAND DOCS;
                                       arguments is the syntax line */
};

/* The rows: server/command_table.c.  Subcommands are rows of their own. */
extern const struct command command_table[];
extern const size_t command_count;

/* The row of a name (a subcommand if `sub` is given and there is one). */
const struct command *command_find(const char *name, size_t len);
const struct command *command_find_sub(const struct command *container,
                                       const char *name, size_t len);

/*
 * Runs one request: finds the row, checks it, opens the transaction, makes
 * room when a write asks for it, and counts.  Goes on with the call if it
 * returned COMMAND_AGAIN or COMMAND_WAIT before (same struct, argv valid).
 */
enum command_result command_serve(struct call *call);

/*
 * What is to become of an argument of `len` bytes that is about to arrive
 * behind the argv of an unfinished request.
 */
enum command_large { LARGE_KEEP, LARGE_DIVERT, LARGE_REFUSE };
enum command_large command_large(const struct arg *argv, size_t argc,
                                 size_t len);

/* Answers with a value: copies it, or pins a long one into the output. */
void call_reply_value(struct call *call, const struct cache_view *view);

#endif
