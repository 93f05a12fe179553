/* SPDX-License-Identifier: BSD-3-Clause */
/* RESP2 and RESP3 replies. */

#include "reply.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Most numbers in headers have few digits; the result is behind them. */
enum { SMALL = 1000, SMALL_DIGITS = 3 };

static inline char *put_small(char *to, unsigned small)
{
    if (small >= 100)
        *to++ = (char)('0' + small / 100);
    if (small >= 10)
        *to++ = (char)('0' + small / 10 % 10);
    *to++ = (char)('0' + small % 10);
    return to;
}

/* "<type><digits>\r\n" and `more` bytes of room behind it, to which the result
 * points; NULL if there is none.  The header alone is committed. */
static inline char *add_header(struct buf *out, char type, uint64_t value,
                               size_t more)
{
    size_t digits = text_digits(value);
    char *from = buf_room(out, digits + 3 + more);
    if (!from)
        return NULL;
    *from = type;
    text_put_digits(from + 1, value, digits);
    memcpy(from + 1 + digits, "\r\n", 2);
    out->end += digits + 3;
    return from + digits + 3;
}

void reply_status(struct reply *r, const char *text)
{
    size_t len = strlen(text);
    char *to = buf_room(r->out, len + 3);
    if (!to)
        return;
    to[0] = '+';
    memcpy(to + 1, text, len);
    memcpy(to + 1 + len, "\r\n", 2);
    r->out->end += len + 3;
}

void reply_ok(struct reply *r)
{
    buf_add(r->out, "+OK\r\n", 5);
}

/* Ends the error whose line begins at `from`. */
static void end_error(struct buf *out, size_t from)
{
    if (out->failed)
        return;
    for (size_t i = from; i < buf_len(out); i++) {
        char *c = out->data + out->start + i;
        if (*c == '\r' || *c == '\n')
            *c = ' ';
    }
    buf_add(out, "\r\n", 2);
}

void reply_error(struct reply *r, const char *text)
{
    size_t from = buf_len(r->out);
    buf_add(r->out, "-", 1);
    buf_add_text(r->out, text);
    end_error(r->out, from);
}

void reply_errorf(struct reply *r, const char *format, ...)
{
    size_t from = buf_len(r->out);
    va_list args;
    va_start(args, format);
    buf_add(r->out, "-", 1);
    buf_addv(r->out, format, args);
    va_end(args);
    end_error(r->out, from);
}

void reply_int(struct reply *r, int64_t value)
{
    if (value >= 0) {
        add_header(r->out, ':', (uint64_t)value, 0);
        return;
    }
    char text[TEXT_INT_MAX];
    size_t len = text_of_int(value, text);
    char *to = buf_room(r->out, len + 3);
    if (!to)
        return;
    to[0] = ':';
    memcpy(to + 1, text, len);
    memcpy(to + 1 + len, "\r\n", 2);
    r->out->end += len + 3;
}

/* Of any length, and where room must be made first. */
__attribute__((noinline)) static char *any_bulk_room(struct reply *r,
                                                     size_t len)
{
    char *to = add_header(r->out, '$', len, len + 2);
    if (!to)
        return NULL;
    memcpy(to + len, "\r\n", 2);
    r->out->end += len + 2;
    return to;
}

char *reply_bulk_room(struct reply *r, size_t len)
{
    struct buf *out = r->out;
    if (len >= SMALL || !buf_has_room(out, len + SMALL_DIGITS + 5))
        return any_bulk_room(r, len);
    char *from = out->data + out->end;
    *from = '$';
    char *to = put_small(from + 1, (unsigned)len);
    memcpy(to, "\r\n", 2);
    memcpy(to + 2 + len, "\r\n", 2);
    out->end += (size_t)(to - from) + 4 + len;
    return to + 2;
}

void reply_bulk(struct reply *r, const void *bytes, size_t len)
{
    char *to = reply_bulk_room(r, len);
    if (to && len > 0)
        memcpy(to, bytes, len);
}

void reply_bulk_text(struct reply *r, const char *text)
{
    reply_bulk(r, text, strlen(text));
}

void reply_bulk_int(struct reply *r, int64_t value)
{
    char text[TEXT_INT_MAX];
    reply_bulk(r, text, text_of_int(value, text));
}

void reply_bulk_begin(struct reply *r, size_t len)
{
    add_header(r->out, '$', len, 0);
}

void reply_verbatim_begin(struct reply *r, size_t len)
{
    if (r->resp < 3) {
        reply_bulk_begin(r, len);
        return;
    }
    add_header(r->out, '=', len + 4, 0);
    buf_add_text(r->out, "txt:");
}

void reply_verbatim(struct reply *r, const void *text, size_t len)
{
    reply_verbatim_begin(r, len);
    buf_add(r->out, text, len);
    buf_add_text(r->out, "\r\n");
}

void reply_null(struct reply *r)
{
    buf_add_text(r->out, r->resp < 3 ? "$-1\r\n" : "_\r\n");
}

void reply_null_array(struct reply *r)
{
    buf_add_text(r->out, r->resp < 3 ? "*-1\r\n" : "_\r\n");
}

void reply_bool(struct reply *r, bool value)
{
    if (r->resp < 3)
        reply_int(r, value);
    else
        buf_add_text(r->out, value ? "#t\r\n" : "#f\r\n");
}

void reply_double(struct reply *r, double value)
{
    char text[32];
    /* Not left to printf: the sign of a NaN means nothing here. */
    if (isnan(value))
        strcpy(text, "nan");
    else
        snprintf(text, sizeof text, "%.17g", value);
    if (r->resp < 3)
        reply_bulk_text(r, text);
    else
        buf_addf(r->out, ",%s\r\n", text);
}

void reply_decimal(struct reply *r, const char *text, size_t len)
{
    if (r->resp < 3)
        reply_bulk(r, text, len);
    else
        buf_addf(r->out, ",%.*s\r\n", (int)len, text);
}

void reply_array(struct reply *r, size_t count)
{
    add_header(r->out, '*', count, 0);
}

void reply_map(struct reply *r, size_t pairs)
{
    if (r->resp < 3)
        add_header(r->out, '*', pairs * 2, 0);
    else
        add_header(r->out, '%', pairs, 0);
}

void reply_set(struct reply *r, size_t count)
{
    add_header(r->out, r->resp < 3 ? '*' : '~', count, 0);
}

void reply_push(struct reply *r, size_t count)
{
    add_header(r->out, r->resp < 3 ? '*' : '>', count, 0);
}
