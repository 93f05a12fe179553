/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MONITOR_H
#define MONITOR_H

/*
 * MONITOR: a line for every command that was run, on any worker.
 *
 *   +1700000000.123456 [0 127.0.0.1:50000] "SET" "key" "value"
 *
 * Monitors are subscribers of a topic without a name, so that their lines go
 * the way of messages.
 */

#include "command.h"

/* After a command was run, if changes_listened(server, LISTENER_MONITOR). */
void monitor_tell(struct call *call);

#endif
