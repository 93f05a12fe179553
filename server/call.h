/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CALL_H
#define CALL_H

/* What the commands on keys and values share. */

#include "command.h"
#include "commands.h"
#include "protocol/text.h"
#include "server.h"

#define ERROR_SYNTAX    "ERR syntax error"
#define ERROR_NOT_INT   "ERR value is not an integer or out of range"
#define ERROR_NOT_FLOAT "ERR value is not a valid float"
#define ERROR_WRONG_TYPE                                                       \
    "WRONGTYPE Operation against a key holding the wrong kind of value"

enum {
    CALL_SLICE_KEYS = 1000,      /* keys of one transaction of a long command */
    CALL_SLICE_ITEMS = 1000,     /* of call_each */
    CALL_EACH_BYTES = 64 * 1024, /* of its replies */
    CALL_NAMES = 1024,           /* of commands or events in one request */
    CALL_ATOMIC_KEYS = 16384,    /* keys that are served as one */
    CALL_ATOMIC_BYTES = 4 * 1024 * 1024, /* and of replies that are copied */
    CALL_COPY_MAX = 16 * 1024 /* longest value that is copied to the output */
};

/* The argument is this word, given in lower case. */
static inline bool arg_is(const struct arg *arg, const char *word)
{
    return text_is(arg->ptr, arg->len, word);
}

static inline size_t less_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Replies with an error: COMMAND_DONE. */
enum command_result call_error(struct call *call, const char *text);
/* Likewise for a subcommand with arguments that the row allows and it does
 * not. */
enum command_result call_error_arguments(struct call *call);
/* "invalid expire time in 'x' command" */
enum command_result call_error_expire(struct call *call);

/* Replies with lines of help: COMMAND_DONE. */
enum command_result call_help(struct call *call, const char *const *lines,
                              size_t count);

/*
 * serve(call, i, ctx) for each i < count, in slices that end when what was
 * replied should be sent first; the result is run()'s, who calls it again with
 * the same count.  call->state is NULL at the first slice.
 */
enum command_result
call_each(struct call *call, size_t count,
          void (*serve)(struct call *call, size_t i, void *ctx), void *ctx);

/* Replies with an argument, in slices if it is long; the result is run()'s. */
enum command_result call_reply_argument(struct call *call, size_t arg);

/* No more than CALL_NAMES arguments from argv[2] on; false: an error was
 * replied. */
bool call_names_fit(struct call *call);

/* A pattern of `len` bytes, or several together, has at most `max`; false: an
 * error was replied. */
bool call_pattern_fits(struct call *call, size_t len, size_t max);

/* The number in an argument; false: an error was replied. */
bool call_int(struct call *call, size_t arg, int64_t *value);

/* Milliseconds, not negative; false: an error was replied. */
bool call_timeout(struct call *call, size_t arg, int64_t *ms);
/* The number of a database in an argument; false: an error was replied. */
bool call_database(struct call *call, size_t arg, unsigned *db);

struct cache_key call_key_of(const struct call *call, size_t arg);

/* Hints that these will be looked up: what they wait for comes side by side.
 * For CALL_AHEAD at most. */
enum { CALL_AHEAD = 32 };
void call_prefetch(const struct call *call, const struct cache_key *keys,
                   size_t count);

/*
 * Finds the call's key, or any.  CACHE_COUNT counts only in the first run;
 * CACHE_TOUCH does nothing if the client asked for CLIENT NO-TOUCH.
 */
bool call_find(struct call *call, unsigned how, struct cache_view *view);
bool call_find_key(struct call *call, const struct cache_key *key, unsigned how,
                   struct cache_view *view);

/*
 * As call_find_key, for a key that may hold nothing but that type.  False: it
 * holds another, which was replied; else *found tells whether it is there.
 */
bool call_find_typed(struct call *call, const struct cache_key *key,
                     enum cache_type type, unsigned how,
                     struct cache_view *view, bool *found);

/* The same for the call's key and a string. */
bool call_find_string(struct call *call, unsigned how, struct cache_view *view,
                      bool *found);
/* For a string that must be there.  False: if it is not, a null was replied. */
bool call_need_string(struct call *call, unsigned how, struct cache_view *view);

/*
 * Makes the row's value argument what is to be stored.  False: it is long and
 * has not been made a blob yet; return COMMAND_LONG.
 */
bool call_value(struct call *call, struct cache_write *write);

/* Nothing is stored under that key, and somebody wants to be told of new ones:
 * to be asked before it is, and told then. */
bool call_is_new(struct call *call, const struct cache_key *key);

/* Stores under the call's key.  COMMAND_DONE: done, nothing replied yet. */
enum command_result call_put(struct call *call,
                             const struct cache_write *write);

/* As call_reply_value, with `len` bytes of it from `at` on. */
void call_reply_part(struct call *call, const struct cache_view *view,
                     size_t at, size_t len);

/* A bulk of the first `len` bytes of a value, which is all or none of it, with
 * something before and something behind. */
void call_reply_framed(struct call *call, const struct cache_view *view,
                       size_t len, struct arg before, struct arg behind);

/* The number in a value; false: it is none. */
bool call_int_of(const struct cache_view *view, int64_t *number);
bool call_float_of(const struct cache_view *view, long double *number);

/* As TYPE and OBJECT ENCODING name it. */
const char *call_type_name(enum cache_type type);
const char *call_encoding_name(const struct cache_view *view);

/*
 * Between close and open no client's command is run elsewhere: what is done in
 * several transactions is one.  For a few milliseconds at most, and outside
 * any transaction.
 */
void call_close_gate(struct call *call);
void call_open_gate(struct call *call);

/* Blobs, outside any transaction.  Bytes as a new one; NULL: no room.  Adding
 * to one that is being filled; false: no room. */
struct cache_blob *call_blob_of(struct call *call, const char *bytes,
                                size_t len);
bool call_blob_add(struct call *call, struct cache_blob *blob,
                   const char *bytes, size_t len);

/*
 * An old value that is replied with although the entry is about to change:
 * call_keep_value before the change, call_send_kept after it succeeded.
 */
struct call_kept {
    size_t len, tail_len;
    char tail[CACHE_INLINE_MAX];
};
void call_keep_value(struct call *call, const struct cache_view *view,
                     struct call_kept *kept);
void call_send_kept(struct call *call, const struct call_kept *kept);

/* Replies with a part of a value that is kept, outside any transaction. */
struct call_reader;
void call_reply_kept(struct call *call, struct call_reader *reader, size_t at,
                     size_t len);
/* Bytes that the call has replied and that were not yet sent. */
size_t call_replied(const struct call *call);

#endif
