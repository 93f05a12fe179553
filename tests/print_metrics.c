/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints docs/metrics.md, which is made from the metric table. */
#include "server/metrics.h"

int main(void)
{
    metrics_print_markdown(stdout);
    return 0;
}
