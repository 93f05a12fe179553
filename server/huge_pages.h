/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HUGE_PAGES_H
#define HUGE_PAGES_H

/*
 * The cache asks for huge pages where they do no harm.  In heap and stacks they
 * would be memory that nobody uses, so there the system shall make none, though
 * its setting for all processes be "always".
 */

#include <stdbool.h>

/* Tells the system so.  Where it knows of no exception for who asks (before
 * Linux 6.18), and its setting is not "who asks" either, the cache has none.
 * What was forbidden to the process from outside stays so. */
void huge_pages_begin(void);

/* True if the system's settings, also those for pages of a single size, give
 * huge pages only to who asks.  root: "" or a made tree, for tests. */
bool huge_pages_are_advised(const char *root);

#endif
