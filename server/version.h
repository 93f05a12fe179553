/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VERSION_H
#define VERSION_H

/* Ebb's own version, and the one of the protocol that it reports to clients. */

#define EBB_VERSION       "0.1.0"
#define EBB_REDIS_VERSION "7.2.4"

#endif
