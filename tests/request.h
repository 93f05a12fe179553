/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REQUEST_H
#define REQUEST_H

/* A request for two servers, and how their replies are to be compared. */

#include <stddef.h>

enum { REQUEST_ARGS = 40 };

/* How two servers' replies to a request are compared. */
enum compare {
    COMPARE_SAME,    /* byte by byte */
    COMPARE_SECONDS, /* numbers may be 1 apart */
    COMPARE_MS,      /* numbers may be 5000 apart */
    COMPARE_SORTED,  /* arrays in any order */
    COMPARE_PAIRS,   /* the same, two items stay together */
    COMPARE_SCAN,    /* sorted if both are complete, else by shape */
    COMPARE_HSCAN,   /* the same, of pairs */
    COMPARE_SHAPE,   /* types and lengths of arrays */
    COMPARE_KIND,    /* the outermost type, or the same error */
};

struct request {
    enum compare compare;
    size_t argc;
    struct {
        char *ptr; /* owned */
        size_t len;
    } argv[REQUEST_ARGS];
};

/* Copies the bytes; beyond REQUEST_ARGS arguments it does nothing. */
void request_add(struct request *request, const void *bytes, size_t len);
void request_release(struct request *request);

/* Appends the request as it is sent; the result is *bytes, reallocated. */
void request_encode(const struct request *request, char **bytes, size_t *len);
/* One line as redis-cli would take it. */
void request_print(const struct request *request);

#endif
