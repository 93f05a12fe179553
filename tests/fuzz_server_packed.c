/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes: what is taken for a packed hash is what would have been written
 * for its fields, byte for byte; nothing is read beyond. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/packed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct packed packed = packed_of((const char *)data, size);
    if (!packed_valid(&packed))
        return 0;
    char *made = malloc(size);
    size_t len = packed_put_number(made, packed_count(&packed, NULL));
    struct packed_walk walk = packed_begin(&packed);
    struct packed_field field;
    while (packed_next(&walk, &field)) {
        len += packed_put_lengths(made + len, field.name_len, field.value_len);
        memcpy(made + len, data + field.name, field.name_len);
        len += field.name_len;
        memcpy(made + len, data + field.value, field.value_len);
        len += field.value_len;
    }
    if (len != size || memcmp(made, data, size) != 0)
        abort();
    free(made);
    return 0;
}
