/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEXT_H
#define TEXT_H

/* Numbers and patterns as the protocol's users write them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_INT_MAX = 21 }; /* bytes of the longest decimal int64, with \0 */

/*
 * A decimal int64 in its one canonical spelling: no spaces, no plus, no
 * leading zeros, no "-0"; the whole of the text.  False otherwise, or when it
 * does not fit; *value is then untouched.
 */
bool text_to_int(const char *text, size_t len, int64_t *value);
bool text_to_uint(const char *text, size_t len, uint64_t *value);
/* Writes the digits and a \0; returns the length. */
size_t text_of_int(int64_t value, char out[TEXT_INT_MAX]);

/* In two steps, for writers that want to know the length first: how many
 * digits value has, and writing just these, without a \0. */
size_t text_digits(uint64_t value);
void text_put_digits(char *out, uint64_t value, size_t digits);

/*
 * A decimal or hexadecimal number with fraction and exponent, or "inf", as the
 * C library reads them; the whole of the text, fewer than TEXT_FLOAT_MAX bytes.
 * False otherwise, and for NaN and what is too large or too small.
 */
enum { TEXT_FLOAT_MAX = 5 * 1024 };
bool text_to_float(const char *text, size_t len, long double *value);
/* 17 digits behind the point, without the zeros that end them, and never an
 * exponent.  Returns the length; there is a \0 as well. */
size_t text_of_float(long double value, char out[TEXT_FLOAT_MAX]);

/* Equal, letters in either case; `word` is lower case and \0-terminated. */
bool text_is(const char *text, size_t len, const char *word);

/*
 * Glob match with the answers of Redis: * ? [a-z] [^a] \x.  Odd patterns mean
 * something too: a class may end with the pattern, [z-a] is [a-z], "[]" matches
 * nothing, "[^]" any byte, and of the patterns made of stars only "*" itself
 * matches the empty text.  Bytes from 0x80 count as negative in ranges.
 * Never reads beyond the lengths.
 */
bool text_glob(const char *pattern, size_t pattern_len, const char *text,
               size_t len, bool either_case);

/*
 * The same a part at a time, since both may be long: does at most about
 * *steps, counted down, and with TEXT_MORE wants to be called again.  A step
 * is a byte of the pattern held against the text; all of it takes at most
 * pattern_len * (len + 1) + len.
 */
struct text_glob {        /* zeroed at the beginning */
    size_t pattern, text; /* where it is */
    bool starred;         /* there was a star */
    size_t after_star, star_took;
};
enum text_match { TEXT_NO, TEXT_YES, TEXT_MORE };
enum text_match text_glob_some(struct text_glob *glob, const char *pattern,
                               size_t pattern_len, const char *text, size_t len,
                               bool either_case, size_t *steps);

#endif
