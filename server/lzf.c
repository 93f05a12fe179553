/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LZF: a byte below 32 says how many bytes follow as they are; of any other the
 * high three bits say how many bytes are repeated, and the rest, with the next,
 * from how far back.
 */

#include "lzf.h"

#include <string.h>

/* Makes room by dropping what no instruction can reach any more. */
static void slide(struct lzf *lzf)
{
    if (lzf->taken <= LZF_HISTORY)
        return;
    size_t drop = lzf->taken - LZF_HISTORY;
    memmove(lzf->out, lzf->out + drop, lzf->filled - drop);
    lzf->filled -= drop;
    lzf->taken -= drop;
}

/* Bytes of the instruction; 0: it is not all there. */
static size_t instruction(const unsigned char *in, size_t len)
{
    size_t wants = in[0] < 32 ? in[0] + 2u : in[0] >> 5 == 7 ? 3 : 2;
    return wants <= len ? wants : 0;
}

/* False: it reaches back behind the beginning. */
static bool repeat(struct lzf *lzf, const unsigned char *in)
{
    size_t len = in[0] >> 5, last = 1;
    if (len == 7)
        len += in[last++];
    len += 2;
    size_t back = ((size_t)(in[0] & 31) << 8 | in[last]) + 1;
    if (back > lzf->filled)
        return false;
    /* The two may overlap: byte by byte. */
    char *to = lzf->out + lzf->filled;
    const char *from = to - back;
    for (size_t i = 0; i < len; i++)
        to[i] = from[i];
    lzf->filled += len;
    return true;
}

bool lzf_decode(struct lzf *lzf, const char *in, size_t len, bool last,
                size_t *used)
{
    const unsigned char *at = (const unsigned char *)in;
    slide(lzf);
    *used = 0;
    while (*used < len && lzf->filled + LZF_OUT <= LZF_ROOM) {
        const unsigned char *next = at + *used;
        size_t size = instruction(next, len - *used);
        if (size == 0)
            return !last;
        if (next[0] >= 32) {
            if (!repeat(lzf, next))
                return false;
        } else {
            memcpy(lzf->out + lzf->filled, next + 1, size - 1);
            lzf->filled += size - 1;
        }
        *used += size;
    }
    return true;
}
