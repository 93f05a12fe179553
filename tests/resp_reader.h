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

#include "tests/resp.h"

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
void resp_release(struct resp_reader *reader); /* back to all zero */

/* The next reply from a socket, waiting at most timeout_ms for each piece of
 * it; NULL: end of the connection, an error, too late, or broken. */
struct resp *resp_await(struct resp_reader *reader, int fd, int timeout_ms);

#endif
