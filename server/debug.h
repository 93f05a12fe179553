/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEBUG_H
#define DEBUG_H

#include "call.h"

/* enable-debug-command does not allow DEBUG to this client, which was replied.
 */
bool debug_forbids(struct call *call);

/* DEBUG's subcommands; each is run as a command is. */

enum command_result debug_populate(struct call *call);
enum command_result debug_protocol(struct call *call);
enum command_result debug_sleep(struct call *call);

#endif
