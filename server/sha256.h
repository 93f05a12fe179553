/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHA256_H
#define SHA256_H

/* SHA-256 (FIPS 180-4), which is how users' passwords are kept and written
 * down.  A whole crypto library for these few lines would be out of measure. */

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_HEX = 64 };

void sha256(const void *bytes, size_t len, uint8_t digest[SHA256_BYTES]);
/* In small letters, with a \0. */
void sha256_hex(const uint8_t digest[SHA256_BYTES], char hex[SHA256_HEX + 1]);

#endif
