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
#include <string.h>

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
    COMMAND_LONG,    /* its value must become a blob first: run again then */
    COMMAND_LOOK,    /* it has to look at a long value: see call_look.h */
    COMMAND_AGAIN,   /* a slice is done: go on after other clients had a turn */
    COMMAND_WAIT,    /* go on when conn_resume is called */
};

/* One command being served. */
struct call {
    /* Given by the caller. */
    struct server *server;
    struct worker *worker;
    struct conn *conn;
    struct session *session;
    const struct arg *argv; /* stays valid until command_serve is done */
    size_t argc;
    struct cache_blob *blob; /* the diverted argument, or NULL; it becomes the
                                call's to free */
    struct reply reply;
    int64_t now_ms;            /* wall clock, one for the whole batch */
    const struct command *row; /* of argv[0]; NULL: is to be looked for */
    struct cache_key key; /* of a row with one; ptr NULL: is to be hashed */

    /* From here to `tx` all is zero at first: command_init. */
    const struct command *command; /* the row; of the subcommand if it has;
                                      NULL before the first run */
    size_t pinned;                 /* bytes of the reply that are not in
                                      reply.out */
    uint64_t ticks;                /* it has taken: see timing.h */

    /* COMMAND_AGAIN and COMMAND_WAIT: what run() left for itself, freed by
     * state_free when the command ends or the connection dies.  NULL at the
     * first run. */
    void *state;
    void (*state_free)(void *state);
    size_t state_bytes; /* of its memory, which the client is charged for */
    size_t owned_bytes; /* of the cache, that state keeps from being evicted */

    /* COMMAND_WAIT: CLIENT UNBLOCK may end it, and how it did. */
    enum { UNBLOCK_NONE, UNBLOCK_TIMEOUT, UNBLOCK_ERROR } unblocked;
    bool may_unblock;

    bool begun;     /* it may run: nothing holds it any more */
    bool rerun;     /* not the first time */
    bool answering; /* part of its reply was made in an earlier turn */
    bool holds;     /* `held` is in use */
    bool silenced;  /* whatever CLIENT REPLY says, what was replied is sent: a
                       message, or EXEC has dropped itself what is not heard */
    bool in_exec;   /* inside of one: where others would wait, it does not */
    bool alone;     /* which keeps the gate closed meanwhile */

    /* Rows with one key: the transaction is open while run() runs.  It is run
     * again after COMMAND_NO_ROOM, COMMAND_LONG and COMMAND_LOOK. */
    struct cache_tx tx;
    struct cache_pin held; /* what a run that changes nothing leaves to be
                              unpinned */
};

/* Of a call that the caller has filled in, or is about to. */
static inline void command_init(struct call *call)
{
    memset(&call->command, 0,
           offsetof(struct call, tx) - offsetof(struct call, command));
}

enum command_flag {
    COMMAND_WRITE = 1 << 0,    /* may change the keyspace */
    COMMAND_READONLY = 1 << 1, /* reads the keyspace */
    COMMAND_DENYOOM = 1 << 2,  /* may need memory */
    COMMAND_ADMIN = 1 << 3,    /* administration */
    COMMAND_NO_AUTH = 1 << 4,  /* allowed before AUTH */
    COMMAND_OWN_TX = 1 << 5,   /* run() opens its transactions itself; rows
                                  with several keys must */
    COMMAND_FAST = 1 << 6,     /* the rest: only for COMMAND INFO */
    COMMAND_LOADING = 1 << 7,
    COMMAND_STALE = 1 << 8,
    COMMAND_NOSCRIPT = 1 << 9,
    COMMAND_NO_MULTI = 1 << 10,
    COMMAND_ALLOW_BUSY = 1 << 11,
    COMMAND_DANGEROUS = 1 << 12,
    COMMAND_KEYSPACE = 1 << 13,
    COMMAND_CONNECTION = 1 << 14,
    COMMAND_HEAD = 1 << 15,    /* has subcommands */
    COMMAND_AT_ONCE = 1 << 16, /* is not put off to EXEC */
    COMMAND_MOVABLE = 1 << 17, /* its keys are counted by an argument */
    COMMAND_PAIRS = 1 << 18,   /* every second argument from blob_arg on may be
                                  diverted, one of them */
    COMMAND_PUBSUB = 1 << 19,
    COMMAND_OF_ADMIN = 1 << 20,         /* in @admin, but no administration */
    COMMAND_NO_ASYNC_LOADING = 1 << 21, /* only for COMMAND INFO, as the rest */
    COMMAND_SKIP_MONITOR = 1 << 22,
    COMMAND_SKIP_SLOWLOG = 1 << 23,      /* its commands are there instead */
    COMMAND_NO_MANDATORY_KEYS = 1 << 24, /* there may be none */
};

struct command {
    const char *name; /* lower case; a subcommand as "config|get" */
    enum command_result (*run)(struct call *call); /* NULL: only the head of
                                                      its subcommands */
    int arity; /* with the name (and the subcommand's); -n: at least n */
    unsigned flags;
    struct {
        int first, last, step; /* places in a request; first 0: none; last -1:
                                  to the end */
        const char *use;       /* key specification flags, e.g. "RW access";
                                  of two keys that differ, "RO access|OW" */
        uint8_t counted_by;    /* the argument that tells how many there are,
                                  instead of `last`; 0: none does */
    } keys;
    uint8_t blob_arg; /* which argument may be diverted; 0: none */
    const char *tips; /* for clients, separated by spaces */
    const char *group, *since, *summary;
    const char *syntax; /* of the arguments: "key value [NX | XX]" */
};

/* The rows, sorted by name: server/command_table.c.  Subcommands are rows of
 * their own and follow their command. */
extern const struct command command_table[];
extern const size_t command_count;

/* Letters in either case; false for a subcommand's row. */
bool command_is_named(const struct command *command, const char *name,
                      size_t len);
/* The row of a name, letters in either case; NULL: there is none. */
const struct command *command_find(const char *name, size_t len);
/* The row of a subcommand. */
const struct command *command_find_sub(const struct command *container,
                                       const char *name, size_t len);
/* The command that has this one as its subcommand, or NULL. */
const struct command *command_container(const struct command *command);
/* Its subcommands: the rows command + 1 ... command + the result. */
size_t command_sub_count(const struct command *command);
/* The command's name, without a subcommand's, in capitals. */
enum { COMMAND_UPPER = 16 };
void command_upper(const struct command *command, char upper[COMMAND_UPPER]);
/* True if a request of argc arguments has as many as it needs. */
static inline bool command_arity_fits(const struct command *command,
                                      size_t argc)
{
    return command->arity < 0 ? argc >= (size_t)-command->arity
                              : argc == (size_t)command->arity;
}
/* The keys of a request: argv[first], argv[first + step], ..., `count` of
 * them. */
struct command_keys {
    size_t first, step, count;
};
/* False: its row has no keys, or its arguments do not say which they are.  The
 * arity fits. */
bool command_keys(const struct command *command, const struct arg *argv,
                  size_t argc, struct command_keys *keys);

static inline size_t command_row(const struct command *command)
{
    return (size_t)(command - command_table);
}

/*
 * Runs one request: finds the row, checks it, opens the transaction, makes
 * room when a write asks for it, and counts.  Goes on with the call if it
 * returned COMMAND_AGAIN or COMMAND_WAIT before (same struct).  After
 * COMMAND_DONE the call owns nothing more.
 */
enum command_result command_serve(struct call *call);

/* Answers a request that is not run, because command_large refused one of its
 * arguments or there is no memory to hold it: with an error that begins with
 * OOM, if there is nothing else against it. */
void command_refuse(struct call *call);

/* Likewise one of `argc` arguments that cannot be held; call.argv has those
 * that have come, perhaps none. */
void command_refuse_long(struct call *call, size_t argc);

/* Frees what a call owns that will not be gone on with (its connection died);
 * a zeroed call is fine. */
void command_drop(struct call *call);
/* Bytes of the cache that a call keeps from being evicted between its turns. */
static inline size_t command_owned(const struct call *call)
{
    return call->owned_bytes + (call->blob ? cache_blob_len(call->blob) : 0);
}

/*
 * What is to become of argument number argc, of `len` bytes, that is about to
 * arrive behind argv[0] to argv[argc - 1].  DIVERT: receive it into a blob,
 * call.blob.  REFUSE: it can or may never be stored; skip its bytes, then
 * answer the request with command_refuse.  A value that stays in the
 * input may have up to `room` bytes.
 */
enum command_large { LARGE_KEEP, LARGE_DIVERT, LARGE_REFUSE };
enum command_large command_large(const struct server *server,
                                 struct session *session,
                                 const struct arg *argv, size_t argc,
                                 size_t len, size_t room);
/* Whether one of them was received into a blob: it has no bytes here. */
bool command_diverted(const struct arg *argv, size_t argc);

#define ERROR_NO_ROOM "OOM command not allowed when used memory > 'maxmemory'."

/* Answers with a value: copies it, or pins a long one into the output.  To be
 * called with the transaction open. */
void call_reply_value(struct call *call, const struct cache_view *view);

#endif
