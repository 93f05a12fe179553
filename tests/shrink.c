/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts are left out one after the other, each half as long as before. */

#include "tests/shrink.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void shrink(bool *left_out, size_t count, unsigned attempts,
            shrink_fails *fails, void *ctx)
{
    bool *before = malloc(count);
    assert(before);
    for (size_t part = count / 2; part > 0 && attempts > 0; part /= 2)
        for (size_t from = 0; from + 1 < count && attempts > 0; from += part) {
            bool changed = false;
            memcpy(before, left_out, count);
            for (size_t i = from; i < from + part && i + 1 < count; i++) {
                changed = changed || !left_out[i];
                left_out[i] = true;
            }
            if (!changed)
                continue;
            attempts--;
            if (!fails(ctx, left_out, count))
                memcpy(left_out, before, count);
        }
    free(before);
}
