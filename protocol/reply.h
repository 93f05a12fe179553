/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLY_H
#define REPLY_H

/*
 * Writers of replies.  A command says what it means (a map, a null, a double)
 * and the protocol version of the connection decides how it looks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct reply {
    struct buf *out;
    int resp; /* 2 or 3 */
};

void reply_status(struct reply *r, const char *text); /* +text */
void reply_ok(struct reply *r);
/* One line "-<text>"; CR and LF inside become spaces.  The text starts with
 * its code: "ERR syntax error". */
__attribute__((cold)) void reply_error(struct reply *r, const char *text);
__attribute__((cold)) void reply_errorf(struct reply *r, const char *format,
                                        ...)
    __attribute__((format(printf, 2, 3)));
void reply_int(struct reply *r, int64_t value);
void reply_bulk(struct reply *r, const void *bytes, size_t len);
/* The same, of bytes that the caller puts there at once; NULL: no room, and
 * `failed` is set. */
char *reply_bulk_room(struct reply *r, size_t len);
void reply_bulk_text(struct reply *r, const char *text);
void reply_bulk_int(struct reply *r, int64_t value); /* digits in a bulk */
/* The header of a bulk of len bytes; the bytes and CRLF are the caller's. */
void reply_bulk_begin(struct reply *r, size_t len);
/* Text to be shown as it is: a verbatim string in RESP3, a bulk in RESP2. */
void reply_verbatim(struct reply *r, const void *text, size_t len);
/* What comes before the text of len bytes; they and CRLF are the caller's. */
void reply_verbatim_begin(struct reply *r, size_t len);
void reply_null(struct reply *r);                 /* $-1 or _ */
void reply_null_array(struct reply *r);           /* *-1 or _ */
void reply_bool(struct reply *r, bool value);     /* :1/:0 or #t/#f */
void reply_double(struct reply *r, double value); /* bulk or , */
/* A number that is text already: bulk or , */
void reply_decimal(struct reply *r, const char *text, size_t len);
void reply_array(struct reply *r, size_t count);
void reply_map(struct reply *r, size_t pairs);  /* flat array in RESP2 */
void reply_set(struct reply *r, size_t count);  /* array in RESP2 */
void reply_push(struct reply *r, size_t count); /* array in RESP2 */

#endif
