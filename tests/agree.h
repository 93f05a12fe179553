/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef AGREE_H
#define AGREE_H

/* Whether two servers' replies to a request are the same as far as it asks. */

#include <stdbool.h>

#include "tests/request.h"
#include "tests/resp_reader.h"

/* As request->compare says; may put their items in order. */
bool agree(const struct request *request, struct resp *a, struct resp *b);

#endif
