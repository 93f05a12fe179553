/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RESP_H
#define RESP_H

/* A reply of RESP2 or RESP3 as a tree, and what can be done with it. */

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

void resp_free(struct resp *reply); /* NULL is fine */

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
