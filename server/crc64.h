/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CRC64_H
#define CRC64_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of Redis's files: CRC-64 of Jones.  Of what came before and
 * these bytes; 0 at the beginning. */
uint64_t crc64(uint64_t crc, const void *bytes, size_t len);

#endif
