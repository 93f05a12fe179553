/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

/*
 * What a client writes and reads: GET, SET and DEL of keys of 16 bytes and
 * values of one size, in RESP and in memcached's text protocol.  Requests are
 * templates into which only the key is put, so that making one costs little.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_kind { WIRE_RESP, WIRE_MEMCACHED };

enum { WIRE_KEY = 16, WIRE_VALUE_MAX = 1 << 20, WIRE_LINE = 128 };

struct wire_template {
    char *text;
    size_t len, key_at;
};

struct wire {
    enum wire_kind kind;
    size_t value_bytes;
    struct wire_template get, set, del;
};

/* ttl_s: expiry of what is set; 0: never. */
void wire_init(struct wire *wire, enum wire_kind kind, size_t value_bytes,
               unsigned ttl_s);
void wire_free(struct wire *wire);

/* The 16 bytes of a key's name. */
void wire_key(char *to, uint64_t key);
/* Writes a request (template.len bytes) and returns its end. */
char *wire_write(const struct wire_template *template, char *to, uint64_t key);

/* Replies, cut anywhere: counts them and says what they were. */
struct wire_reader {
    enum wire_kind kind;
    bool in_value;
    size_t skip; /* bytes of a value still to come */
    size_t line_len;
    char line[WIRE_LINE]; /* a line that was cut */
    uint64_t hits, misses, errors;
    char error[WIRE_LINE]; /* the first one */
};

void wire_reader_init(struct wire_reader *reader, enum wire_kind kind);
/* Takes all bytes; returns how many replies ended in them. */
uint64_t wire_read(struct wire_reader *reader, const char *in, size_t len);

#endif
