/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers to and from text, words, and the glob matcher. */

#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UINT_DIGITS = 20 }; /* of UINT64_MAX */

bool text_to_uint(const char *text, size_t len, uint64_t *value)
{
    if (len == 0 || len > UINT_DIGITS || (text[0] == '0' && len > 1))
        return false;
    uint64_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned char)text[i] - (unsigned)'0';
        if (digit > 9)
            return false;
        if (i == UINT_DIGITS - 1 && sum > (UINT64_MAX - digit) / 10)
            return false; /* only the last digit can overflow */
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

bool text_to_int(const char *text, size_t len, int64_t *value)
{
    bool minus = len > 0 && text[0] == '-';
    uint64_t size;
    if (!text_to_uint(text + minus, len - minus, &size))
        return false;
    if (minus) {
        if (size == 0 || size > (uint64_t)INT64_MAX + 1)
            return false;
        *value = (int64_t)(0 - size);
    } else {
        if (size > INT64_MAX)
            return false;
        *value = (int64_t)size;
    }
    return true;
}

size_t text_digits(uint64_t value)
{
    size_t digits = 1;
    while (value >= 10000) {
        value /= 10000;
        digits += 4;
    }
    return digits + (value >= 10) + (value >= 100) + (value >= 1000);
}

void text_put_digits(char *out, uint64_t value, size_t digits)
{
    static const char pairs[] = "00010203040506070809"
                                "10111213141516171819"
                                "20212223242526272829"
                                "30313233343536373839"
                                "40414243444546474849"
                                "50515253545556575859"
                                "60616263646566676869"
                                "70717273747576777879"
                                "80818283848586878889"
                                "90919293949596979899";
    while (digits >= 2) {
        digits -= 2;
        memcpy(out + digits, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (digits == 1)
        out[0] = (char)('0' + value % 10);
}

size_t text_of_int(int64_t value, char out[TEXT_INT_MAX])
{
    bool minus = value < 0;
    uint64_t size = minus ? 0 - (uint64_t)value : (uint64_t)value;
    size_t digits = text_digits(size);
    out[0] = '-';
    text_put_digits(out + minus, size, digits);
    out[minus + digits] = '\0';
    return minus + digits;
}

bool text_to_float(const char *text, size_t len, long double *value)
{
    char copy[TEXT_FLOAT_MAX], *end;
    if (len == 0 || len >= sizeof copy)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    errno = 0;
    long double number = strtold(copy, &end);
    if (isspace((unsigned char)copy[0]) || (size_t)(end - copy) != len ||
        isnan(number))
        return false;
    if (errno == ERANGE && (isinf(number) || number == 0))
        return false;
    *value = number;
    return true;
}

size_t text_of_float(long double value, char out[TEXT_FLOAT_MAX])
{
    if (isinf(value))
        return (size_t)snprintf(out, TEXT_FLOAT_MAX, "%s",
                                value > 0 ? "inf" : "-inf");
    size_t len = (size_t)snprintf(out, TEXT_FLOAT_MAX, "%.17Lf", value);
    while (out[len - 1] == '0')
        len--;
    len -= out[len - 1] == '.';
    if (len == 2 && memcmp(out, "-0", 2) == 0)
        out[0] = out[--len];
    out[len] = '\0';
    return len;
}

static signed char lower(signed char c)
{
    return c >= 'A' && c <= 'Z' ? (signed char)(c - 'A' + 'a') : c;
}

bool text_is(const char *text, size_t len, const char *word)
{
    for (size_t i = 0; i < len; i++)
        if (word[i] == '\0' || lower((signed char)text[i]) != word[i])
            return false;
    return word[len] == '\0';
}

/*
 * Does c belong to the class whose first byte after the '[' is *at?  Moves *at
 * behind the class.  Escaped bytes are compared with their case even when the
 * rest is not: so it is in Redis.
 */
static bool class_has(const char **at, const char *end, signed char c,
                      bool either_case)
{
    const char *p = *at;
    bool negated = p < end && *p == '^', found = false;
    signed char folded = either_case ? lower(c) : c;

    for (p += negated; p < end && *p != ']'; p++) {
        if (*p == '\\' && end - p >= 2) {
            p++;
            found |= (signed char)*p == c;
            continue;
        }
        signed char from = (signed char)*p, to = from;
        if (end - p >= 3 && p[1] == '-') {
            p += 2;
            to = (signed char)*p;
            if (from > to) {
                signed char swap = from;
                from = to;
                to = swap;
            }
        }
        if (either_case) {
            from = lower(from);
            to = lower(to);
        }
        found |= folded >= from && folded <= to;
    }
    *at = p < end ? p + 1 : p;
    return found != negated;
}

/* Matches c with the one element (anything but a star) at *at and moves *at
 * behind it. */
static bool element_is(const char **at, const char *end, signed char c,
                       bool either_case)
{
    const char *p = *at;
    switch (*p) {
    case '?':
        *at = p + 1;
        return true;
    case '[':
        *at = p + 1;
        return class_has(at, end, c, either_case);
    case '\\':
        p += end - p >= 2;
        break;
    default:
        break;
    }
    *at = p + 1;
    signed char wanted = (signed char)*p;
    return either_case ? lower(wanted) == lower(c) : wanted == c;
}

/* The one element at glob->pattern, which is not a star, and the next byte;
 * false: they do not match, and there is no star to take one byte more. */
static bool match_element(struct text_glob *glob, const char *pattern,
                          const char *end, const char *text, bool either_case,
                          size_t *looked_at)
{
    const char *from = pattern + glob->pattern, *at = from;
    bool matches =
        at < end &&
        element_is(&at, end, (signed char)text[glob->text], either_case);
    *looked_at = at > from ? (size_t)(at - from) : 1;
    if (matches) {
        glob->pattern += *looked_at;
        glob->text++;
        return true;
    }
    glob->pattern = glob->after_star;
    glob->text = ++glob->star_took;
    return glob->starred;
}

static enum text_match match_end(const struct text_glob *glob,
                                 const char *pattern, size_t pattern_len)
{
    for (size_t i = glob->pattern; i < pattern_len; i++)
        if (pattern[i] != '*')
            return TEXT_NO;
    return TEXT_YES;
}

/*
 * Every element but the star takes exactly one byte, so when a match fails it
 * is enough to let the last star take one byte more.
 */
enum text_match text_glob_some(struct text_glob *glob, const char *pattern,
                               size_t pattern_len, const char *text, size_t len,
                               bool either_case, size_t *steps)
{
    const char *end = pattern + pattern_len;
    if (len == 0)
        return pattern_len == 0 || (pattern_len == 1 && *pattern == '*')
                   ? TEXT_YES
                   : TEXT_NO;
    while (glob->text < len) {
        if (*steps == 0)
            return TEXT_MORE;
        size_t took = 1;
        if (glob->pattern < pattern_len && pattern[glob->pattern] == '*') {
            if (++glob->pattern == pattern_len)
                return TEXT_YES;
            glob->starred = true;
            glob->after_star = glob->pattern;
            glob->star_took = glob->text;
        } else if (!match_element(glob, pattern, end, text, either_case,
                                  &took)) {
            return TEXT_NO;
        }
        *steps -= took < *steps ? took : *steps;
    }
    return match_end(glob, pattern, pattern_len);
}

bool text_glob(const char *pattern, size_t pattern_len, const char *text,
               size_t len, bool either_case)
{
    struct text_glob glob = {0};
    size_t steps = SIZE_MAX;
    return text_glob_some(&glob, pattern, pattern_len, text, len, either_case,
                          &steps) == TEXT_YES;
}
