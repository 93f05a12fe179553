/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FRAMES_H
#define FRAMES_H

/* What the kernel says of the physical pages of this process. */

#include <stdbool.h>
#include <stddef.h>

struct frames {
    int pagemap, flags; /* descriptors; flags: -1 if it tells root only */
};

void frames_open(struct frames *frames);
void frames_close(struct frames *frames);
/* Bytes of these that have memory of their own. */
size_t frames_own(const struct frames *frames, const char *from, size_t len);
/* Of these bytes, what is the page of zeros that all share, and what is part of
 * a page larger than 4 KiB, mapped as one or not.  Only if it tells. */
size_t frames_zero(const struct frames *frames, const char *from, size_t len);
size_t frames_compound(const struct frames *frames, const char *from,
                       size_t len);

/* False, with a line for the test's output: the kernel does not tell; it makes
 * no huge page for who asks. */
bool frames_tell(const struct frames *frames);
bool frames_are_huge(void);

#endif
