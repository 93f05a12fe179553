/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BLOB_H
#define BLOB_H

/* A value being received, as cache_put sees it. */

#include "core.h"

uint32_t blob_pieces(const struct cache_blob *blob); /* first piece, or 0 */
struct cache_span blob_tail(const struct cache_blob *blob);
/* An entry has taken the pieces over: frees the rest. */
void blob_adopted(struct cache_blob *blob);

#endif
