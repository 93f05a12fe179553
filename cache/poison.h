/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef POISON_H
#define POISON_H

/* Tells AddressSanitizer which cells are free; nothing in other builds. */

#include <stddef.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define POISON_ON 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define POISON_ON 1
#endif

#ifdef POISON_ON
#include <sanitizer/asan_interface.h>
#define poison(at, len)   ASAN_POISON_MEMORY_REGION(at, len)
#define unpoison(at, len) ASAN_UNPOISON_MEMORY_REGION(at, len)
#else
#define poison(at, len)   ((void)(at), (void)(len))
#define unpoison(at, len) ((void)(at), (void)(len))
#endif

#endif
