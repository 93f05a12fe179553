/* SPDX-License-Identifier: BSD-3-Clause */
/* Tells what happens to keys. */

#include "changes.h"

void changes_tell(struct server *server, const struct change *change)
{
    (void)server;
    (void)change;
}
