/* SPDX-License-Identifier: BSD-3-Clause */
/* Cells set aside. */

#include <stdlib.h>

#include "room.h"
#include "spares.h"

uint32_t spares_take(struct cache *cache, struct cache_spares *spares,
                     unsigned class)
{
    const struct slabs *slabs = &cache->slabs;
    if (!spares || spares->heads[class] == 0) {
        /* At the limit no slab of the stock is begun here: room_take first
         * looks for less, and makes its caller pay.  But the index must not
         * fall behind. */
        if (class == sizes_of_segment(&slabs->sizes) || !room_is_short(cache))
            return cell_take(&cache->slabs, class);
        return slabs_exceed(slabs) ? 0 : cell_take_in_use(&cache->slabs, class);
    }
    uint32_t loc = spares->heads[class];
    spares->heads[class] = *(uint32_t *)slabs_at(&cache->slabs, loc);
    spares->cells--;
    return loc;
}

bool spares_put(struct cache *cache, struct cache_spares **spares,
                unsigned class, uint32_t loc)
{
    if (!*spares)
        *spares = calloc(1, sizeof **spares);
    if (!*spares) {
        cell_free(&cache->slabs, loc);
        return false;
    }
    *(uint32_t *)slabs_at(&cache->slabs, loc) = (*spares)->heads[class];
    (*spares)->heads[class] = loc;
    (*spares)->cells++;
    return true;
}

void spares_free(struct cache *cache, struct cache_spares *spares)
{
    for (unsigned class = 0; spares && spares->cells > 0; class ++)
        while (spares->heads[class] != 0) {
            uint32_t loc = spares->heads[class];
            spares->heads[class] = *(uint32_t *)slabs_at(&cache->slabs, loc);
            spares->cells--;
            cell_free(&cache->slabs, loc);
        }
    free(spares);
}
