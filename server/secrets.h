/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SECRETS_H
#define SECRETS_H

/* What nobody else may see of a request: passwords and who has them. */

#include "command.h"

#define SECRET_SHOWN "(redacted)"

/* True if argument i is to be shown as SECRET_SHOWN. */
bool secret_arg(const struct command *command, const struct arg *argv,
                size_t i);

#endif
