/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VALUE_H
#define VALUE_H

/* Values between text and the fields of struct conf; for conf/ alone. */

#include "conf.h"

/*
 * Reads the text as the row wants it and stores it in the field.  NULL, or the
 * refusal, as conf_set; then the field is as it was.
 */
const char *value_read(const struct conf_option *option, const char *text,
                       size_t len, void *field, char *why);
void value_write(const struct conf_option *option, const void *field,
                 char text[CONF_TEXT_MAX]);

/* "100mb" rather than 104857600 where that is the same. */
void value_write_size(int64_t bytes, char text[CONF_TEXT_MAX]);

/* Writes into `why` (CONF_TEXT_MAX bytes), cut short if need be; returns it. */
const char *value_say(char *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
