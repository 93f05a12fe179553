/* SPDX-License-Identifier: BSD-3-Clause */
/* The format of DUMP. */

#include "dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    TYPE_STRING = 0,
    LEN_14 = 0x40,
    LEN_32 = 0x80,
    LEN_64 = 0x81,
    NUMBER_8 = 0xc0,
    NUMBER_16 = 0xc1,
    NUMBER_32 = 0xc2,
    PACKED = 0xc3,
};

/* Bytes of a number, the high ones first, or the low ones. */
static void put_high_first(char *to, uint64_t value, size_t bytes)
{
    while (bytes-- > 0) {
        to[bytes] = (char)value;
        value >>= 8;
    }
}

static void put_low_first(char *to, uint64_t value, size_t bytes)
{
    for (; bytes-- > 0; value >>= 8)
        *to++ = (char)value;
}

static uint64_t get_low_first(const char *from, size_t bytes)
{
    uint64_t value = 0;
    while (bytes-- > 0)
        value = value << 8 | (unsigned char)from[bytes];
    return value;
}

/* ----------------------------------------------------------------- writing */

size_t dump_head(size_t len, char head[DUMP_HEAD])
{
    head[0] = TYPE_STRING;
    if (len < 1 << 6) {
        head[1] = (char)len;
        return 2;
    }
    if (len < 1 << 14) {
        put_high_first(head + 1, LEN_14 << 8 | len, 2);
        return 3;
    }
    bool wide = len > UINT32_MAX;
    head[1] = (char)(wide ? LEN_64 : LEN_32);
    put_high_first(head + 2, len, wide ? 8 : 4);
    return wide ? 10 : 6;
}

size_t dump_number(int64_t number, char head[DUMP_HEAD])
{
    if (number < INT32_MIN || number > INT32_MAX)
        return 0;
    bool one = number >= INT8_MIN && number <= INT8_MAX;
    bool two = number >= INT16_MIN && number <= INT16_MAX;
    size_t bytes = one ? 1 : two ? 2 : 4;
    head[0] = TYPE_STRING;
    head[1] = (char)(one ? NUMBER_8 : two ? NUMBER_16 : NUMBER_32);
    put_low_first(head + 2, (uint64_t)number, bytes);
    return 2 + bytes;
}

void dump_foot(uint64_t crc, char foot[DUMP_FOOT])
{
    put_low_first(foot, DUMP_VERSION, 2);
    put_low_first(foot + 2, crc, 8);
}

/* ----------------------------------------------------------------- reading */

bool dump_checksum(const char foot[DUMP_FOOT], uint64_t *crc)
{
    *crc = get_low_first(foot + 2, 8);
    return get_low_first(foot, 2) <= DUMP_VERSION;
}

/* A length at *at, which goes behind it. */
static bool read_len(const char *head, size_t here, size_t *at, uint64_t *len)
{
    if (*at >= here)
        return false;
    unsigned first = (unsigned char)head[*at];
    size_t more = first < LEN_14    ? 0
                  : first < LEN_32  ? 1
                  : first == LEN_32 ? 4
                  : first == LEN_64 ? 8
                                    : SIZE_MAX;
    if (more > here - *at - 1)
        return false;
    *len = more < 4 ? first & 63 : 0;
    for (size_t i = 1; i <= more; i++)
        *len = *len << 8 | (unsigned char)head[*at + i];
    *at += 1 + more;
    return true;
}

static bool read_number(const char *head, size_t here, size_t len,
                        struct dump_string *string)
{
    unsigned kind = (unsigned char)head[1];
    size_t bytes = (size_t)1 << (kind - NUMBER_8);
    if (2 + bytes > here || 2 + bytes != len)
        return false;
    uint64_t bits = get_low_first(head + 2, bytes);
    int64_t number = bytes == 1   ? (int8_t)bits
                     : bytes == 2 ? (int16_t)bits
                                  : (int32_t)bits;
    string->kind = DUMP_TEXT_HERE;
    string->len =
        (size_t)snprintf(string->text, sizeof string->text, "%" PRId64, number);
    return true;
}

bool dump_read(const char *head, size_t here, size_t len,
               struct dump_string *string)
{
    size_t at = 1;
    uint64_t stored, whole;
    if (here < 2 || head[0] != TYPE_STRING)
        return false;
    unsigned kind = (unsigned char)head[1];
    if (kind >= NUMBER_8 && kind <= NUMBER_32)
        return read_number(head, here, len, string);
    string->kind = kind == PACKED ? DUMP_LZF : DUMP_RAW;
    at += kind == PACKED;
    if (!read_len(head, here, &at, &stored))
        return false;
    whole = stored;
    if (kind == PACKED && !read_len(head, here, &at, &whole))
        return false;
    /* Nothing may follow, nor may the foot belong to it. */
    if (stored != len - at)
        return false;
    string->len = (size_t)whole;
    string->at = at;
    string->stored = (size_t)stored;
    return true;
}
