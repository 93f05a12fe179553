/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints what is made from the option table: print_options markdown|sample. */
#include <string.h>

#include "conf/conf.h"

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "markdown") == 0)
        conf_print_markdown(stdout);
    else if (argc == 2 && strcmp(argv[1], "sample") == 0)
        conf_print_sample(stdout);
    else
        return 2;
    return 0;
}
