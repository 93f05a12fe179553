/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HUGE_H
#define HUGE_H

/*
 * Huge pages.  A group is what one can hold: 32 slabs, 2 MiB.
 *
 *                 |  group  |  group  |  group  |
 *                 | ||||||| | || | || |         |
 *                    huge      small     holes
 *
 *   holes --made resident all at once--> huge --one of its slabs goes--> small
 *
 * With huge pages a look-up waits less for the translation of addresses.  But
 * when a part of one is purged, only the resident size falls: its memory stays
 * with it until the system is short of it.  So a page is split first, and what
 * is given back is free at once.  What was split becomes huge again when all of
 * it was a hole in between.
 *
 * Since Linux 6.12 those small pages of a split one that are all zeros are not
 * resident any more, until they are written to: the resident size would rise
 * without a slab more.  So the rest of the group is populated again, and
 * meanwhile the group is busy: none of its slabs may be purged, which would
 * then be filled again.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct slabs;

enum {
    HUGE_GROUP = 32, /* slabs */
    HUGE_LOW = 24,   /* in stock: it is time to make another group */
};

enum huge_state { HUGE_NONE, HUGE_WHOLE, HUGE_BUSY };

struct huge {
    atomic_bool wanted;
    _Atomic uint8_t *groups; /* by group number: enum huge_state */
    _Atomic uint32_t count;  /* of those that are huge */
    uint32_t rest; /* slabs still to be made resident one by one, after the
                      system had no huge page */
};

/* True if a whole group is too much to be free in a cache of that many slabs.
 */
static inline bool huge_is_much(uint32_t slabs)
{
    return slabs / 16 < HUGE_GROUP;
}

/* All with the pool locked. */

/* True if holes shall become resident by groups.  Otherwise huge_skipped is
 * told how many did one by one. */
bool huge_wanted(const struct slabs *slabs);
void huge_skipped(struct slabs *slabs, unsigned count);
/* The group that begins with that slab is resident, as a huge page or not. */
void huge_made(struct slabs *slabs, uint32_t number, bool huge);
/* Of the group of a slab. */
enum huge_state huge_state(const struct slabs *slabs, uint32_t number);
/* A slab of a huge page is going to be purged: its group is busy until that is
 * done, and then no huge page any more. */
void huge_leave(struct slabs *slabs, uint32_t number);
void huge_left(struct slabs *slabs, uint32_t number);

#endif
