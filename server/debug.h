/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEBUG_H
#define DEBUG_H

/* What DEBUG's subcommands share; each is run as a command is. */

#include "call.h"

enum command_result debug_populate(struct call *call);
enum command_result debug_protocol(struct call *call);
enum command_result debug_sleep(struct call *call);

#endif
