/* SPDX-License-Identifier: BSD-3-Clause */
/* Payloads for RESTORE: whatever they say, nothing beyond them is read, and in
 * whatever parts they come the same is made of them. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/dump.h"
#include "server/lzf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A hash of what is made; false: malformed. */
static bool decode(const char *in, size_t len, size_t part, uint64_t *hash)
{
    struct lzf *lzf = calloc(1, sizeof *lzf);
    size_t at = 0;
    bool good = true;
    assert(lzf);
    *hash = 0;
    while (good && at < len) {
        size_t left = len - at, used;
        size_t n = left < part ? left : part;
        char *copy = malloc(n); /* of exactly its size */
        assert(copy);
        memcpy(copy, in + at, n);
        good = lzf_decode(lzf, copy, n, n == left, &used);
        free(copy);
        assert(used <= n);
        const char *bytes;
        size_t ready = lzf_ready(lzf, &bytes);
        for (size_t i = 0; i < ready; i++)
            *hash = *hash * 31 + (unsigned char)bytes[i];
        lzf_take(lzf, ready);
        at += used;
        if (used == 0 && ready == 0)
            part++;
    }
    free(lzf);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dump_string string;
    size_t here = size < DUMP_HEAD ? size : DUMP_HEAD;
    char *head = malloc(here + 1);
    uint64_t whole, parts;
    assert(head);
    memcpy(head, data, here);
    if (dump_read(head, here, size, &string) && string.kind != DUMP_TEXT_HERE)
        assert(string.at + string.stored == size);
    free(head);
    const char *in = (const char *)data;
    if (decode(in, size, size, &whole)) {
        assert(decode(in, size, 1 + size / 3, &parts));
        assert(whole == parts);
    }
    return 0;
}
