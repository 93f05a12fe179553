/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SANITIZED_H
#define SANITIZED_H

/* Under sanitizers resident memory is mostly theirs: tests of it have nothing
 * to measure then. */
#if defined(__has_feature)
#define SANITIZED_FEATURE(name) __has_feature(name)
#else
#define SANITIZED_FEATURE(name) 0
#endif

enum {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||           \
    SANITIZED_FEATURE(address_sanitizer) ||                                    \
    SANITIZED_FEATURE(thread_sanitizer)
    SANITIZED = 1
#else
    SANITIZED = 0
#endif
};

#endif
