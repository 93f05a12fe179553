/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SKIM_H
#define SKIM_H

/*
 * A look at requests before they are parsed, for hints of what will be needed
 * soon.  Nothing depends on what it finds.
 */

#include <stddef.h>

#include "parse.h"

/*
 * The first arguments of the request at `in`, up to `max`; *count says how
 * many.  Returns the bytes of the request, or 0: it is not wholly there, is
 * inline, or is odd.  The arguments found until then are told all the same.
 */
size_t skim_request(const char *in, size_t len, struct arg *args, size_t max,
                    size_t *count);

#endif
