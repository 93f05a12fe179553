/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Prefixes of keys: rows in the order in which they came, found by a table of
 * their numbers plus one, twice as long, that is probed from a prefix's hash
 * on.  Both double as needed.
 */

#include "prefixes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MIN = 64 };

static const double deviations = 1.96; /* 95 % are within so many */

struct prefixes {
    const char *sep;
    size_t sep_len;
    unsigned depth;
    uint64_t random;
    struct prefix all;
    struct prefix *rows;
    uint16_t *numbers; /* 2 * cap; 0: empty */
    size_t count, cap;
};

struct prefixes *prefixes_new(const char *sep, size_t sep_len, unsigned depth,
                              uint64_t random)
{
    struct prefixes *prefixes = calloc(1, sizeof *prefixes);
    if (!prefixes)
        return NULL;
    prefixes->sep = sep;
    prefixes->sep_len = sep_len;
    prefixes->depth = depth;
    prefixes->random = random;
    return prefixes;
}

void prefixes_free(struct prefixes *prefixes)
{
    if (!prefixes)
        return;
    free(prefixes->rows);
    free(prefixes->numbers);
    free(prefixes);
}

size_t prefixes_held(const struct prefixes *prefixes)
{
    return sizeof *prefixes + prefixes->cap * sizeof *prefixes->rows +
           2 * prefixes->cap * sizeof *prefixes->numbers;
}

/* -------------------------------------------------------------- the table */

static size_t prefix_len(const struct prefixes *prefixes, const char *key,
                         size_t len)
{
    size_t end = 0;
    if (len > PREFIXES_KEY)
        len = PREFIXES_KEY;
    for (unsigned i = 0; i < prefixes->depth; i++) {
        const char *at =
            memmem(key + end, len - end, prefixes->sep, prefixes->sep_len);
        if (!at)
            break;
        end = (size_t)(at - key) + prefixes->sep_len;
    }
    return end;
}

static uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static size_t hash_of(const struct prefixes *prefixes, unsigned db,
                      const char *text, size_t len)
{
    uint64_t hash = mixed(prefixes->random, db << 8 | len);
    for (size_t at = 0; at < len; at += 8) {
        uint64_t word = 0;
        memcpy(&word, text + at, len - at < 8 ? len - at : 8);
        hash = mixed(hash, word);
    }
    return (size_t)mixed(hash, prefixes->random);
}

/* Where its number is, or belongs. */
static uint16_t *probe(const struct prefixes *prefixes, unsigned db,
                       const char *text, size_t len)
{
    size_t mask = 2 * prefixes->cap - 1;
    size_t at = hash_of(prefixes, db, text, len) & mask;
    for (;; at = (at + 1) & mask) {
        uint16_t *number = &prefixes->numbers[at];
        if (*number == 0)
            return number;
        const struct prefix *row = &prefixes->rows[*number - 1];
        if (row->db == db && row->len == len &&
            memcmp(row->text, text, len) == 0)
            return number;
    }
}

static void renumber(struct prefixes *prefixes)
{
    memset(prefixes->numbers, 0, 2 * prefixes->cap * sizeof(uint16_t));
    for (size_t i = 0; i < prefixes->count; i++) {
        const struct prefix *row = &prefixes->rows[i];
        *probe(prefixes, row->db, row->text, row->len) = (uint16_t)(i + 1);
    }
}

static bool grow(struct prefixes *prefixes)
{
    size_t cap = prefixes->cap ? 2 * prefixes->cap : ROWS_MIN;
    if (cap > PREFIXES_MAX)
        return false;
    void *rows = realloc(prefixes->rows, cap * sizeof *prefixes->rows);
    if (rows)
        prefixes->rows = rows;
    void *numbers = realloc(prefixes->numbers, 2 * cap * sizeof(uint16_t));
    if (numbers)
        prefixes->numbers = numbers;
    if (!rows || !numbers)
        return false;
    prefixes->cap = cap;
    renumber(prefixes);
    return true;
}

/* NULL: it is not there, and there is no room for it. */
static struct prefix *row_of(struct prefixes *prefixes, unsigned db,
                             const char *key, size_t key_len)
{
    size_t len = prefix_len(prefixes, key, key_len);
    uint16_t *number = prefixes->cap ? probe(prefixes, db, key, len) : NULL;
    if (number && *number)
        return &prefixes->rows[*number - 1];
    if (prefixes->count == prefixes->cap) {
        if (!grow(prefixes))
            return NULL;
        number = probe(prefixes, db, key, len);
    }
    struct prefix *row = &prefixes->rows[prefixes->count];
    *row = (struct prefix){.db = (uint8_t)db, .len = (uint8_t)len};
    memcpy(row->text, key, len);
    *number = (uint16_t)++prefixes->count;
    return row;
}

/* ----------------------------------------------------------------- in, out */

static void add_key(struct prefix *row, size_t bytes)
{
    row->keys++;
    row->bytes += (double)bytes;
    row->squares += (double)bytes * (double)bytes;
}

void prefixes_add_key(struct prefixes *prefixes, unsigned db, const char *key,
                      size_t len, size_t bytes)
{
    struct prefix *row = row_of(prefixes, db, key, len);
    if (row)
        add_key(row, bytes);
    add_key(&prefixes->all, bytes);
}

void prefixes_add_hit(struct prefixes *prefixes, unsigned db, const char *key,
                      size_t len)
{
    struct prefix *row = row_of(prefixes, db, key, len);
    if (row)
        row->hits++;
    prefixes->all.hits++;
}

const struct prefix *prefixes_all(const struct prefixes *prefixes)
{
    return &prefixes->all;
}

static int by_bytes(const void *a, const void *b)
{
    const struct prefix *one = a, *other = b;
    if (one->bytes != other->bytes)
        return one->bytes < other->bytes ? 1 : -1;
    if (one->hits != other->hits)
        return one->hits < other->hits ? 1 : -1;
    int order = memcmp(one->text, other->text, sizeof one->text);
    return order ? order : one->db - other->db;
}

const struct prefix *prefixes_sorted(struct prefixes *prefixes, size_t *count)
{
    if (prefixes->count > 0)
        qsort(prefixes->rows, prefixes->count, sizeof *prefixes->rows,
              by_bytes);
    if (prefixes->cap > 0)
        renumber(prefixes);
    *count = prefixes->count;
    return prefixes->rows;
}

/* ----------------------------------------------------------------- margins */

/* Of a random sample without repetition. */
static double left_out(uint64_t sampled, uint64_t whole)
{
    return sampled < whole ? 1 - (double)sampled / (double)whole : 0;
}

/* With two more of each kind (Agresti and Coull), so that none or all of a few
 * is not taken for certain. */
double prefixes_share_margin(uint64_t some, uint64_t sampled, uint64_t whole)
{
    double n = (double)sampled + 4;
    double share = ((double)some + 2) / n;
    double found = sampled ? (double)some / (double)sampled : 0;
    double margin =
        fabs(share - found) + deviations * sqrt(share * (1 - share) / n);
    return fmin(margin, 1) * sqrt(left_out(sampled, whole));
}

double prefixes_sum_margin(double sum, double squares, uint64_t sampled,
                           uint64_t whole)
{
    double n = (double)sampled, left = left_out(sampled, whole);
    if (sampled < 2)
        return left > 0 ? INFINITY : 0;
    double variance = fmax(squares - sum * sum / n, 0) / (n - 1);
    return deviations * (double)whole * sqrt(left * variance / n);
}
