/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes, cut anywhere: the same requests and errors as uncut, arguments
 * inside the input, no read beyond what has arrived.
 *
 *   | how | n | n lengths of pieces | the stream ...
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/parse_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HOW_ANONYMOUS = 1, HOW_LARGE = 2, HOW_DIVERT = 4, HOW_BYTEWISE = 8 };

static struct parse_limits limits_for(unsigned how)
{
    if (how & HOW_ANONYMOUS)
        return (struct parse_limits){.args = 10,
                                     .bulk = 50,
                                     .request = 100,
                                     .line = 80,
                                     .divert = how & HOW_LARGE ? 3 : SIZE_MAX,
                                     .anonymous = true};
    return (struct parse_limits){.args = 1048576,
                                 .bulk = 512 * 1024 * 1024,
                                 .request = 64 * 1024 * 1024,
                                 .line = 65536,
                                 .divert = how & HOW_LARGE ? 7 : 8192};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size < 2u + data[1])
        return 0;
    unsigned how = data[0], count = data[1];
    const uint8_t *lengths = data + 2;
    const char *stream = (const char *)lengths + count;
    size_t len = size - 2 - count;
    struct parse_limits limits = limits_for(how);
    struct driver whole = {.limits = &limits, .divert = how & HOW_DIVERT};
    struct driver cut = whole;

    driver_feed(&whole, stream, len);
    for (unsigned i = 0; len > 0; i++) {
        size_t piece = how & HOW_BYTEWISE ? 1 : i < count ? lengths[i] : len;
        piece = piece < len ? piece : len;
        driver_feed(&cut, stream, piece);
        stream += piece;
        len -= piece;
    }
    driver_end(&whole);
    driver_end(&cut);
    if (buf_len(&whole.said) != buf_len(&cut.said) ||
        memcmp(whole.said.data, cut.said.data, buf_len(&cut.said)) != 0)
        abort();
    buf_release(&whole.said);
    buf_release(&cut.said);
    return 0;
}
