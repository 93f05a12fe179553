/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HASH_STORE_H
#define HASH_STORE_H

/*
 * Runs a command that changes the hash of argument 1.  A short result is put
 * together under the lock, a long one is made outside of it, as call_make.h
 * tells.
 */

#include "hash_edit.h"

enum command_result hash_store(struct call *call, const struct hash_verb *verb);

#endif
