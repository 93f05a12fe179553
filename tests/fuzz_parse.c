/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes, cut anywhere: the same requests and errors as uncut, arguments
 * inside the input, no read beyond what has arrived.  And what is skimmed off
 * the input is what the parser takes.
 *
 *   | how | n | n lengths of pieces | the stream ...
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/skim.h"
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

/* From memory of exactly that size, so that a read beyond it is seen. */
static void check_skim(const char *stream, size_t len,
                       const struct parse_limits *limits)
{
    struct skim skim = {0};
    struct parser parser;
    char *in = malloc(len ? len : 1), *at = in;
    memcpy(in, stream, len);
    size_t taken = skim_run(&skim, in, len, limits);
    parser_init(&parser);
    for (size_t i = 0; i < skim.count; i++) {
        const struct skim_request *request = &skim.requests[i];
        size_t left = len - (size_t)(at - in);
        if (parser_run(&parser, at, left, limits) != PARSE_REQUEST ||
            parser.used != request->used || parser.argc != request->argc)
            abort();
        for (size_t k = 0; k < request->argc; k++)
            if (parser.argv[k].ptr != request->argv[k].ptr ||
                parser.argv[k].len != request->argv[k].len)
                abort();
        at += parser.used;
        parser_next(&parser);
    }
    if ((size_t)(at - in) != taken)
        abort();
    parser_release(&parser);
    free(in);
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

    check_skim(stream, len, &limits);
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
