/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PARSE_DRIVER_H
#define PARSE_DRIVER_H

/*
 * Feeds a stream to the parser in pieces, as a connection would, and writes
 * down what came of it: "[GET|key][]!invalid bulk length", with "..." at the
 * end when a request is unfinished.  A diverted argument of 9 bytes is <9>.
 *
 * Every piece is joined to what is left in memory of exactly that size, so
 * that AddressSanitizer sees a read beyond it; unless `stay` gives the size of
 * one buffer that holds the whole stream and never moves.
 */

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/buf.h"
#include "protocol/parse.h"

struct driver {
    const struct parse_limits *limits;
    bool divert; /* what to do with PARSE_LARGE; else it is kept */
    size_t stay;
    struct buf said; /* with a \0 behind it after driver_end */
    /* private */
    struct parser parser;
    char *in;
    size_t len;  /* bytes in it */
    size_t owed; /* bytes of a diverted argument to come */
    bool over;
};

static inline void driver_say(struct driver *driver)
{
    const struct parser *parser = &driver->parser;
    buf_add_text(&driver->said, "[");
    assert(parser->used <= driver->len);
    for (size_t i = 0; i < parser->argc; i++) {
        const struct arg *arg = &parser->argv[i];
        if (i > 0)
            buf_add_text(&driver->said, "|");
        if (arg->ptr) {
            assert(arg->ptr >= driver->in);
            assert(arg->ptr + arg->len <= driver->in + parser->used);
            buf_add(&driver->said, arg->ptr, arg->len);
        } else {
            buf_addf(&driver->said, "<%zu>", arg->len);
        }
    }
    buf_add_text(&driver->said, "]");
}

/* Takes len bytes out of the input at `from`. */
static inline void driver_cut(struct driver *driver, size_t from, size_t len)
{
    memmove(driver->in + from, driver->in + from + len,
            driver->len - from - len);
    driver->len -= len;
}

/* Takes what is there of a diverted argument; true if that was all of it. */
static inline bool driver_take(struct driver *driver)
{
    size_t there = driver->len - driver->parser.pos;
    size_t taken = there < driver->owed ? there : driver->owed;
    driver_cut(driver, driver->parser.pos, taken);
    driver->owed -= taken;
    return driver->owed == 0;
}

/* Everything that can be done with the bytes that are there. */
static inline void driver_run(struct driver *driver)
{
    struct parser *parser = &driver->parser;
    while (!driver->over && driver_take(driver)) {
        switch (parser_run(parser, driver->in, driver->len, driver->limits)) {
        case PARSE_MORE:
            return;
        case PARSE_REQUEST:
            driver_say(driver);
            driver_cut(driver, 0, parser->used);
            parser_next(parser);
            break;
        case PARSE_LARGE:
            assert(parser->large_len > driver->limits->divert);
            for (size_t i = 0; i < parser->argc; i++)
                assert(!parser->argv[i].ptr ||
                       (parser->argv[i].ptr > driver->in &&
                        parser->argv[i].ptr + parser->argv[i].len <
                            driver->in + parser->pos));
            if (driver->divert) {
                driver->owed = parser->large_len;
                parser_divert(parser);
            } else {
                parser_keep(parser);
            }
            break;
        case PARSE_ERROR:
            assert(strncmp(parser->error, "Protocol error: ", 16) == 0);
            buf_addf(&driver->said, "!%s", parser->error + 16);
            assert(parser_run(parser, driver->in, driver->len,
                              driver->limits) == PARSE_ERROR);
            driver->over = true;
            break;
        }
    }
}

static inline void driver_feed(struct driver *driver, const char *piece,
                               size_t len)
{
    if (driver->over)
        return;
    if (!driver->stay || !driver->in) {
        size_t size = driver->stay ? driver->stay : driver->len + len;
        char *in = malloc(size ? size : 1);
        if (driver->len > 0)
            memcpy(in, driver->in, driver->len);
        free(driver->in);
        driver->in = in;
    }
    if (len > 0)
        memcpy(driver->in + driver->len, piece, len);
    driver->len += len;
    driver_run(driver);
}

/* What came of it, to be freed with buf_release(&driver->said). */
static inline const char *driver_end(struct driver *driver)
{
    if (!driver->over && (driver->len > 0 || driver->owed > 0))
        buf_add_text(&driver->said, "...");
    buf_add(&driver->said, "", 1);
    driver->said.end--;
    parser_release(&driver->parser);
    free(driver->in);
    driver->in = NULL;
    return driver->said.data;
}

#endif
