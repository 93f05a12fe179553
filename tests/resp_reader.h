/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RESP_READER_H
#define RESP_READER_H

/*
 * A strict reader of RESP2 and RESP3 replies for tests: bytes in, trees out.
 *
 *   struct resp_reader reader = {0};
 *   resp_feed(&reader, bytes, len);              in pieces of any size
 *   while (resp_next(&reader, &reply) == RESP_READ) {
 *       ... reply->kind, reply->text, reply->items[i] ...
 *       resp_free(reply);
 *   }
 *   resp_release(&reader);
 *
 * It knows + - : $ * _ # , % ~ > = ( and !; attributes and streamed types it
 * calls broken, as it does everything malformed: a CR or LF alone within a
 * line, a count not in its canonical spelling, a missing CRLF, more than 16
 * levels.  Work is linear in the bytes fed.  Out of memory it aborts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resp {
    char kind; /* the type byte; '_' for the nulls of RESP2 as well */
    /* + - $ = ( ! and , : the bytes (of = without "txt:"), \0 behind them */
    const char *text;
    size_t len;
    int64_t integer;    /* of : and, 0 or 1, of # */
    double number;      /* of , */
    struct resp *items; /* of * ~ > and, key value key value, of % */
    size_t count;       /* of items: a map of n pairs has 2n */
    const char *raw;    /* all bytes of this reply as they came */
    size_t raw_len;
};

struct resp_reader {
    char *bytes; /* owned */
    size_t start, end, cap;
    size_t scanned; /* bytes of the next reply known to be well formed */
    size_t owed;    /* values missing until it is complete, 0: not begun */
    bool broken;
};

enum resp_result {
    RESP_READ,   /* *reply is the caller's, for resp_free */
    RESP_MORE,   /* feed more bytes */
    RESP_BROKEN, /* malformed from here on; stays so */
};

void resp_feed(struct resp_reader *reader, const void *bytes, size_t len);
enum resp_result resp_next(struct resp_reader *reader, struct resp **reply);
void resp_free(struct resp *reply);            /* NULL is fine */
void resp_release(struct resp_reader *reader); /* back to all zero */

/* The next reply from a socket, waiting at most timeout_ms for each piece of
 * it; NULL: end of the connection, an error, too late, or broken. */
struct resp *resp_await(struct resp_reader *reader, int fd, int timeout_ms);

/* The value behind a key of a map (%), or of a flat array of pairs (*) as
 * RESP2 has it; NULL if there is none. */
const struct resp *resp_find(const struct resp *map, const char *key);
bool resp_is(const struct resp *reply, char kind, const char *text);
/* The order of their bytes, as memcmp. */
int resp_order(const struct resp *a, const struct resp *b);

/*
 * As text on one line, for messages and comparisons: +OK -ERR no :1 "bulk\n"
 * nil true 1.5 [:1 :2] {"k": :1, "l": nil} ~[:1] >[:1] ="text".  The caller
 * frees it.  NULL gives (no reply).
 */
char *resp_show(const struct resp *reply);

#endif
