/* SPDX-License-Identifier: BSD-3-Clause */
/* CRC-64.  The remainder of a byte is that of its low half and that of its high
 * half together, so that two small tables are as good as a large one. */

#include "crc64.h"

// clang-format off
static const uint64_t low[16] = {
    UINT64_C(0x0000000000000000), UINT64_C(0x7ad870c830358979),
    UINT64_C(0xf5b0e190606b12f2), UINT64_C(0x8f689158505e9b8b),
    UINT64_C(0xc038e5739841b68f), UINT64_C(0xbae095bba8743ff6),
    UINT64_C(0x358804e3f82aa47d), UINT64_C(0x4f50742bc81f2d04),
    UINT64_C(0xab28ecb46814fe75), UINT64_C(0xd1f09c7c5821770c),
    UINT64_C(0x5e980d24087fec87), UINT64_C(0x24407dec384a65fe),
    UINT64_C(0x6b1009c7f05548fa), UINT64_C(0x11c8790fc060c183),
    UINT64_C(0x9ea0e857903e5a08), UINT64_C(0xe478989fa00bd371),
};

static const uint64_t high[16] = {
    UINT64_C(0x0000000000000000), UINT64_C(0x7d08ff3b88be6f81),
    UINT64_C(0xfa11fe77117cdf02), UINT64_C(0x8719014c99c2b083),
    UINT64_C(0xdf7adabd7a6e2d6f), UINT64_C(0xa2722586f2d042ee),
    UINT64_C(0x256b24ca6b12f26d), UINT64_C(0x5863dbf1e3ac9dec),
    UINT64_C(0x95ac9329ac4bc9b5), UINT64_C(0xe8a46c1224f5a634),
    UINT64_C(0x6fbd6d5ebd3716b7), UINT64_C(0x12b5926535897936),
    UINT64_C(0x4ad64994d625e4da), UINT64_C(0x37deb6af5e9b8b5b),
    UINT64_C(0xb0c7b7e3c7593bd8), UINT64_C(0xcdcf48d84fe75459),
};
// clang-format on

uint64_t crc64(uint64_t crc, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (; len > 0; len--) {
        unsigned byte = (unsigned)(crc ^ *at++) & 0xff;
        crc = crc >> 8 ^ low[byte & 15] ^ high[byte >> 4];
    }
    return crc;
}
