/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LZF_H
#define LZF_H

/*
 * Decompressing LZF, a part at a time.
 *
 *   input   | instruction | instruction | ...   at most 33 bytes each
 *   output  | history | decoded, not yet taken |   at most 264 bytes each
 */

#include <stdbool.h>
#include <stddef.h>

enum {
    LZF_HISTORY = 8192, /* how far back an instruction may reach */
    LZF_IN = 33,        /* longest instruction */
    LZF_OUT = 264,      /* the most that one makes */
    LZF_ROOM = 4 * LZF_HISTORY,
};

struct lzf { /* zeroed at the beginning */
    size_t filled, taken;
    char out[LZF_ROOM];
};

/*
 * Decodes what there is room for; *used: how much of the input.  Instructions
 * that are not there as a whole stay, unless the input is the `last`.  False:
 * it is malformed.
 */
bool lzf_decode(struct lzf *lzf, const char *in, size_t len, bool last,
                size_t *used);

/* What was decoded and not taken yet; taking it. */
static inline size_t lzf_ready(const struct lzf *lzf, const char **bytes)
{
    *bytes = lzf->out + lzf->taken;
    return lzf->filled - lzf->taken;
}
static inline void lzf_take(struct lzf *lzf, size_t len)
{
    lzf->taken += len;
}

#endif
