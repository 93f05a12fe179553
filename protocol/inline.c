/* SPDX-License-Identifier: BSD-3-Clause */
/* Words and quotes of inline commands. */

#include "inline.h"

static bool is_white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Vertical tab and form feed separate words only next to other white space:
 * so it is in Redis. */
static bool ends_word(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte meant by what follows a backslash within "..."; moves *at behind
 * it.  There is at least one byte. */
static char unescape(const char **at, const char *end)
{
    const char *p = *at;
    *at = p + 1;
    switch (*p) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'b':
        return '\b';
    case 'a':
        return '\a';
    case 'x':
        if (end - p >= 3 && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
            *at = p + 3;
            return (char)(hex(p[1]) * 16 + hex(p[2]));
        }
        return 'x';
    default:
        return *p;
    }
}

/* What is quoted, from behind the opening quote to behind the closing one. */
static bool take_quoted(const char **at, const char *end, char quote, char **to)
{
    const char *p = *at;
    while (p < end && *p != quote) {
        bool escape =
            *p == '\\' && end - p >= 2 && (quote == '"' || p[1] == quote);
        if (!escape) {
            *(*to)++ = *p++;
        } else if (quote == '"') {
            p++;
            *(*to)++ = unescape(&p, end);
        } else {
            *(*to)++ = quote;
            p += 2;
        }
    }
    if (p == end)
        return false;
    *at = p + 1;
    return *at == end || is_white(**at);
}

bool inline_skip(char **at, const char *end)
{
    while (*at < end && is_white(**at))
        ++*at;
    return *at < end;
}

bool inline_take(char **at, const char *end, const char **arg, size_t *len)
{
    const char *from = *at;
    char *to = *at;
    *arg = from;
    while (from < end && !ends_word(*from)) {
        if (*from == '"' || *from == '\'') {
            char quote = *from++;
            if (!take_quoted(&from, end, quote, &to))
                return false;
            break;
        }
        *to++ = *from++;
    }
    *len = (size_t)(to - *arg);
    *at += from - *at;
    return true;
}
