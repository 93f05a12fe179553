/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RESIDENT_H
#define RESIDENT_H

/* How much of the process is in memory. */

#include <stddef.h>

/* Bytes, from /proc/self/statm; 0 if that cannot be read, or says nothing
 * because a sanitizer's memory is part of it.  Any thread. */
size_t resident_read(void);

#endif
