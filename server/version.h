/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VERSION_H
#define VERSION_H

/* Ebb's own version; the one of Redis that clients are told is an option. */

#define EBB_VERSION "0.1.0"

#endif
