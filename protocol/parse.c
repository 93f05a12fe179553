/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The request parser.  Where it is in a RESP request:
 *
 *   *2\r\n  $3\r\n  GET\r\n  $70000\r\n  ......\r\n
 *   |       |       |                    |
 *   START   HEADER  BODY                 LARGE, then BODY or TRAILER
 *
 * `pos` stands at the first byte of the piece under way, and a piece is taken
 * when it is there as a whole.  The shortest prefix that decides about a
 * request decides it, so the same bytes give the same answer however they are
 * cut.
 */

#include "parse.h"
#include "argv.h"
#include "inline.h"
#include "plain.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* An argument longer than this is wrong for every client, so one who has not
 * said who he is learns no more. */
static const int64_t BULK_CEILING = 512 * 1024 * 1024;

enum state { START, INLINE, HEADER, BODY, LARGE, TRAILER, SKIP, DONE, FAILED };

void parser_init(struct parser *parser)
{
    *parser = (struct parser){.state = START};
}

void parser_release(struct parser *parser)
{
    argv_release(parser);
    parser_init(parser);
}

void parser_next(struct parser *parser)
{
    assert(parser->state == DONE);
    argv_clear(parser);
    parser->pos = parser->used = 0;
    parser->skipping = false;
    parser->state = START;
}

static enum parse_status fail(struct parser *parser, const char *why)
{
    snprintf(parser->error, sizeof parser->error, "Protocol error: %s", why);
    parser->state = FAILED;
    return PARSE_ERROR;
}

/* The limits forbid to keep it; the argument at pos has so many bytes. */
static enum parse_status too_long(struct parser *parser, size_t bytes)
{
    parser->too_long = true;
    parser->skip = bytes;
    return fail(parser, "too big request");
}

static enum parse_status done(struct parser *parser, size_t used)
{
    parser->pos = parser->used = used;
    parser->state = DONE;
    return PARSE_REQUEST;
}

/* "*n\r\n"; PARSE_REQUEST says that it is there and fine, or DONE already. */
static enum parse_status parse_start(struct parser *parser, const char *in,
                                     size_t len,
                                     const struct parse_limits *limits)
{
    const char *at = in + 1;
    int64_t count;
    switch (count_read(&at, in + len, &count)) {
    case COUNT_MORE:
        return PARSE_MORE;
    case COUNT_LONG:
        return fail(parser, "too big mbulk count string");
    case COUNT_BAD:
        return fail(parser, "invalid multibulk length");
    case COUNT_OK:
        break;
    }
    size_t used = (size_t)(at - in);
    if (count <= 0)
        return done(parser, used);
    if ((uint64_t)count > limits->args)
        return fail(parser, limits->anonymous && count <= INT_MAX
                                ? "unauthenticated multibulk length"
                                : "invalid multibulk length");
    parser->expected = (size_t)count;
    parser->base = (uintptr_t)in;
    parser->pos = used;
    parser->state = HEADER;
    return PARSE_REQUEST;
}

static enum parse_status no_dollar(struct parser *parser, char got)
{
    char why[] = "expected '$', got '?'";
    if (got == '\r' || got == '\n')
        got = ' ';
    if (got >= ' ' && got <= '~')
        why[sizeof why - 3] = got;
    return fail(parser, why);
}

/* What is wrong with the header of an argument at pos. */
static enum parse_status bad_header(struct parser *parser, enum count count)
{
    switch (count) {
    case COUNT_MORE:
        return PARSE_MORE;
    case COUNT_LONG:
        return fail(parser, "too big bulk count string");
    default:
        return fail(parser, "invalid bulk length");
    }
}

/* "$n\r\n" at pos; PARSE_REQUEST says that there is one and it is fine. */
static inline enum parse_status parse_header(struct parser *parser,
                                             const char *in, size_t len,
                                             const struct parse_limits *limits)
{
    const char *at = in + parser->pos;
    if (parser->pos == len)
        return PARSE_MORE;
    if (*at != '$')
        return no_dollar(parser, *at);
    at++;
    int64_t bulk_len;
    enum count count = count_read(&at, in + len, &bulk_len);
    if (count != COUNT_OK)
        return bad_header(parser, count);
    if (bulk_len < 0)
        return fail(parser, "invalid bulk length");
    if ((uint64_t)bulk_len > limits->bulk)
        return fail(parser, limits->anonymous && bulk_len <= BULK_CEILING
                                ? "unauthenticated bulk length"
                                : "invalid bulk length");
    parser->pos = (size_t)(at - in);
    parser->bulk_len = (size_t)bulk_len;
    return PARSE_REQUEST;
}

/* Bytes that argv may have. */
static size_t argv_most(const struct parser *parser,
                        const struct parse_limits *limits)
{
    if (limits->held == 0)
        return SIZE_MAX;
    return limits->held > parser->pos ? limits->held - parser->pos : 0;
}

/* The bytes of an argument in the input at pos, or just the CRLF behind one
 * that was diverted.  PARSE_REQUEST: taken. */
static inline enum parse_status parse_body(struct parser *parser,
                                           const char *in, size_t len,
                                           const struct parse_limits *limits,
                                           bool diverted)
{
    size_t pos = parser->pos, here = diverted ? 0 : parser->bulk_len;
    if (limits->request < 2 || pos > limits->request - 2 ||
        here > limits->request - 2 - pos)
        return too_long(parser, here + 2);
    if (len - pos < 2 || len - pos - 2 < here)
        return PARSE_MORE;
    if (!is_crlf(in + pos + here))
        return fail(parser, "expected CRLF after bulk");
    const char *offset = diverted ? NULL : (const char *)(uintptr_t)pos;
    if (!argv_push(parser, offset, parser->bulk_len, argv_most(parser, limits)))
        return too_long(parser, here + 2);
    parser->pos = pos + here + 2;
    return PARSE_REQUEST;
}

/* Takes the plain arguments; stops before the first that is none. */
static inline void take_plain(struct parser *parser, char *in, size_t len,
                              const struct parse_limits *limits)
{
    const char *at = in + parser->pos, *next;
    const char *end = in + least(len, limits->request);
    size_t most = least(limits->bulk, limits->divert);
    size_t argc = parser->argc,
           stop = least(parser->expected, parser->argv_cap);
    bool settled = parser->settled == argc && parser->base == (uintptr_t)in;
    uintptr_t origin = settled ? 0 : (uintptr_t)in;
    while (argc < stop &&
           (next = plain_take(at, end, most, &parser->argv[argc])) != NULL) {
        struct arg *arg = &parser->argv[argc++];
        arg->ptr = (const char *)((uintptr_t)arg->ptr - origin);
        at = next;
    }
    parser->argc = argc;
    parser->pos = (size_t)(at - in);
    if (settled)
        parser->settled = argc;
}

static enum parse_status parse_bulks(struct parser *parser, char *in,
                                     size_t len,
                                     const struct parse_limits *limits)
{
    while (parser->argc < parser->expected) {
        enum parse_status status;
        if (parser->state == HEADER) {
            take_plain(parser, in, len, limits);
            if (parser->argc == parser->expected)
                break;
            status = parse_header(parser, in, len, limits);
            if (status != PARSE_REQUEST)
                return status;
            if (parser->bulk_len > limits->divert) {
                parser->large_len = parser->bulk_len;
                parser->state = LARGE;
                argv_settle(parser, in);
                return PARSE_LARGE;
            }
            parser->state = BODY;
        }
        bool diverted = parser->state == TRAILER;
        status = parse_body(parser, in, len, limits, diverted);
        if (status != PARSE_REQUEST)
            return status;
        parser->state = HEADER;
    }
    argv_settle(parser, in);
    return done(parser, parser->pos);
}

/* What is left of a request that is not kept. */
static enum parse_status parse_skip(struct parser *parser, const char *in,
                                    size_t len,
                                    const struct parse_limits *limits)
{
    for (;;) {
        size_t here = least(parser->skip, len - parser->pos);
        parser->pos += here;
        parser->skip -= here;
        if (parser->skip > 0)
            return PARSE_MORE;
        if (parser->expected == 0)
            return done(parser, parser->pos);
        enum parse_status status = parse_header(parser, in, len, limits);
        if (status != PARSE_REQUEST)
            return status;
        parser->skip = parser->bulk_len + 2;
        parser->expected--;
    }
}

/* A line of inline arguments. */
static enum parse_status parse_line(struct parser *parser, char *in, size_t len,
                                    const struct parse_limits *limits)
{
    size_t most = len <= limits->line ? len : limits->line + 1;
    char *newline = NULL;
    if (parser->pos < most)
        newline = memchr(in + parser->pos, '\n', most - parser->pos);
    if (!newline) {
        parser->pos = len;
        return len > limits->line ? fail(parser, "too big inline request")
                                  : PARSE_MORE;
    }
    /* A CR before the LF is white space like any other. */
    char *at = in;
    parser->expected = 0;
    while (inline_skip(&at, newline)) {
        struct arg arg;
        if (!inline_take(&at, newline, &arg.ptr, &arg.len))
            return fail(parser, "unbalanced quotes in request");
        if (parser->argc == limits->args)
            return fail(parser, limits->anonymous
                                    ? "unauthenticated multibulk length"
                                    : "invalid multibulk length");
        if (arg.len > limits->bulk)
            return fail(parser, limits->anonymous
                                    ? "unauthenticated bulk length"
                                    : "invalid bulk length");
        if (!argv_push(parser, arg.ptr, arg.len, SIZE_MAX))
            return fail(parser, "no memory for arguments");
    }
    return done(parser, (size_t)(newline + 1 - in));
}

/*
 * What no client means as the first byte of an inline command: the types of
 * RESP3, control bytes other than white space (TLS begins with one), and
 * whatever is not ASCII.
 */
static bool foreign(unsigned char first)
{
    if (first < ' ')
        return first < '\t' || first > '\r';
    return first >= 0x80 || memchr("%~|>(,#=_!", first, 10) != NULL;
}

enum parse_status parser_run(struct parser *parser, char *in, size_t len,
                             const struct parse_limits *limits)
{
    if (parser->state == START) {
        if (len == 0)
            return PARSE_MORE;
        if (in[0] == '*') {
            enum parse_status status = parse_start(parser, in, len, limits);
            if (status != PARSE_REQUEST || parser->state == DONE)
                return status;
        } else if (foreign((unsigned char)in[0])) {
            return fail(parser, "unexpected byte");
        } else {
            parser->state = INLINE;
        }
    }
    assert(parser->state != LARGE && parser->state != DONE);
    if (parser->state == FAILED)
        return PARSE_ERROR;
    assert(parser->pos <= len);
    if (parser->state == SKIP)
        return parse_skip(parser, in, len, limits);
    if (parser->state == INLINE)
        return parse_line(parser, in, len, limits);
    return parse_bulks(parser, in, len, limits);
}

bool parser_unfinished(const struct parser *parser)
{
    return parser->state == HEADER || parser->state == BODY ||
           parser->state == TRAILER;
}

bool parser_give_up(struct parser *parser, char *in)
{
    switch (parser->state) {
    case HEADER:
        parser->skip = 0;
        break;
    case BODY:
        parser->skip = parser->bulk_len + 2;
        break;
    case TRAILER:
        parser->skip = 2;
        break;
    case FAILED:
        if (parser->too_long)
            break;
        return false;
    default:
        return false;
    }
    argv_settle(parser, in);
    return true;
}

void parser_skip(struct parser *parser)
{
    size_t left = parser->expected - parser->argc;
    /* The argument under way is one of them, and counted by `skip`. */
    parser->expected = left - (parser->skip > 0);
    argv_release(parser);
    parser->too_long = false;
    parser->skipping = true;
    parser->state = SKIP;
}

size_t parser_dropped(struct parser *parser)
{
    size_t dropped = parser->pos;
    parser->pos = 0;
    return dropped;
}

void parser_keep(struct parser *parser)
{
    assert(parser->state == LARGE);
    parser->state = BODY;
}

void parser_divert(struct parser *parser)
{
    assert(parser->state == LARGE);
    parser->state = TRAILER;
}
