/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PARSE_H
#define PARSE_H

/*
 * An incremental parser of requests: RESP arrays of bulk strings, and inline
 * commands as typed into telnet.  It works wherever the input is cut, does
 * work in proportion to the input however small the pieces (of what it has
 * seen it reads at most the count under way again, 32 bytes), and limits
 * everything it reads.
 *
 *   conn keeps the bytes of the request under way in one run:
 *
 *     in                 in+parser.pos
 *     |*2 $3 GET $5 abc..|   not yet seen
 *
 * Arguments point into `in`; nothing is copied.  Quoted inline arguments are
 * unescaped in place, which never makes them longer.  The run may move between
 * calls.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arg {
    const char *ptr; /* NULL: the argument was diverted */
    size_t len;
};

/* What a limit forbids is refused as soon as it is announced, before any of it
 * is waited for. */
struct parse_limits {
    size_t args;    /* arguments of one request */
    size_t bulk;    /* bytes of one argument */
    size_t request; /* bytes of one request that stay in the input: headers
                       and line ends count, diverted arguments do not */
    size_t line;    /* bytes of an inline command before its LF */
    size_t held;    /* bytes of the request and of argv when that grows;
                       0: no limit */
    size_t divert;  /* an argument longer than this may be diverted */
    bool anonymous; /* the limits are those for clients that have not said who
                       they are: chooses the error texts */
};

enum parse_status {
    PARSE_MORE,    /* needs more bytes */
    PARSE_REQUEST, /* argv and argc are complete; `used` bytes belong to it;
                      argc 0: an empty request, to be skipped silently */
    PARSE_LARGE,   /* an argument of large_len bytes (> limits.divert) begins
                      at in + pos; the arguments before it are in argv */
    PARSE_ERROR,   /* `error` says why; the connection cannot go on, and every
                      further call says the same */
};

struct parser {
    struct arg *argv; /* owned; after PARSE_REQUEST and PARSE_LARGE the ptrs
                         point into the `in` of that call, else they are
                         private */
    size_t argc, argv_cap;
    size_t pos, used;
    size_t large_len;
    char error[80];  /* without "-ERR " and line end */
    size_t expected; /* of a RESP request: arguments that it announces */
    bool skipping;   /* see parser_skip */
    /* private */
    size_t bulk_len, settled, skip;
    uintptr_t base;
    uint8_t state;
    bool too_long;
};

void parser_init(struct parser *parser);
void parser_release(struct parser *parser); /* frees argv, back to init */

/*
 * Goes on with the request that starts at in[0]; len counts all its bytes
 * that are there, those seen in earlier calls included.  After PARSE_REQUEST
 * the caller runs it, drops `used` bytes and calls parser_next.
 */
enum parse_status parser_run(struct parser *parser, char *in, size_t len,
                             const struct parse_limits *limits);

/* It is at the beginning of a request, of which it has seen nothing. */
static inline bool parser_is_fresh(const struct parser *parser)
{
    return parser->state == 0;
}

/* After PARSE_REQUEST: ready for the next one.  Keeps argv's memory unless it
 * has grown large. */
void parser_next(struct parser *parser);

/*
 * A RESP request that cannot be kept, be it that parser_run said so
 * (PARSE_ERROR for limits.request or limits.held), be it that there is no
 * memory for what has come of it.  parser_give_up: true if that is what is
 * under way; then argv and argc are its arguments so far.  parser_skip forgets
 * them: from now on parser_run skips what is there, and in[0] to in[pos - 1]
 * are to be dropped, which parser_dropped notes.  It ends as an empty request
 * does.
 */
bool parser_unfinished(const struct parser *parser); /* it has come in part */
bool parser_give_up(struct parser *parser, char *in);
void parser_skip(struct parser *parser);
size_t parser_dropped(struct parser *parser);

/*
 * After PARSE_LARGE, one of: parser_keep, and the argument stays in the input
 * like any other (and is held against limits.request by the next parser_run);
 * or parser_divert, when the caller takes the large_len bytes from in + pos
 * out of the input itself (those already there and those to come) and then
 * goes on with parser_run at the CRLF behind them; the argument has ptr NULL
 * and len large_len.
 */
void parser_keep(struct parser *parser);
void parser_divert(struct parser *parser);

#endif
