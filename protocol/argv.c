/* SPDX-License-Identifier: BSD-3-Clause */
/* The arguments of the request under way: their memory, and where they are. */

#include "argv.h"
#include "plain.h"

#include <stdlib.h>

enum {
    ARGV_LEAST = 8,    /* first size of argv */
    ARGV_FIRST = 1024, /* its first size for a client that announces more */
    ARGV_KEEP = 1024,  /* its largest size to be kept for the next request */
};

static bool grow(struct parser *parser, size_t most)
{
    size_t cap = parser->argv_cap;
    if (cap == 0) {
        cap = parser->expected < ARGV_FIRST ? parser->expected : ARGV_FIRST;
        cap = cap < ARGV_LEAST ? ARGV_LEAST : cap;
    } else if (__builtin_mul_overflow(cap, 2, &cap)) {
        return false;
    } else if (parser->expected > parser->argv_cap) {
        cap = least(cap, parser->expected);
    }
    size_t size;
    if (__builtin_mul_overflow(cap, sizeof *parser->argv, &size) || size > most)
        return false;
    struct arg *argv = realloc(parser->argv, size);
    if (!argv)
        return false;
    parser->argv = argv;
    parser->argv_cap = cap;
    return true;
}

bool argv_push(struct parser *parser, const char *ptr, size_t len, size_t most)
{
    if (parser->argc == parser->argv_cap && !grow(parser, most))
        return false;
    parser->argv[parser->argc++] = (struct arg){ptr, len};
    return true;
}

void argv_settle(struct parser *parser, char *in)
{
    struct arg *argv = parser->argv;
    if (parser->base != (uintptr_t)in) {
        for (size_t i = 0; i < parser->settled; i++)
            if (argv[i].ptr)
                argv[i].ptr = in + ((uintptr_t)argv[i].ptr - parser->base);
        parser->base = (uintptr_t)in;
    }
    for (size_t i = parser->settled; i < parser->argc; i++)
        if (argv[i].ptr)
            argv[i].ptr = in + (uintptr_t)argv[i].ptr;
    parser->settled = parser->argc;
}

void argv_release(struct parser *parser)
{
    free(parser->argv);
    parser->argv = NULL;
    parser->argv_cap = parser->argc = parser->settled = 0;
}

void argv_clear(struct parser *parser)
{
    if (parser->argv_cap > ARGV_KEEP)
        argv_release(parser);
    parser->argc = parser->settled = 0;
}
