/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints docs/commands.md, which is made from the command table. */
#include "server/command_info.h"

int main(void)
{
    command_print_markdown(stdout);
    return 0;
}
