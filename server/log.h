/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOG_H
#define LOG_H

/*
 * The log: a line is the time, the level and one sentence.  Any thread may
 * write.  A reader that does not keep up, or a full disk, costs lines and
 * never time: what cannot be written is dropped, counted, and the number is
 * told when writing works again.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct log;

/* In the order of the option's words. */
enum log_level { LOG_DEBUG, LOG_VERBOSE, LOG_NOTICE, LOG_WARNING };

/* path "": standard output.  NULL with errno set if it cannot be opened. */
struct log *log_new(const char *path, enum log_level level);
void log_free(struct log *log);
void log_set_level(struct log *log, enum log_level level);
/* Opens the path anew (a rotated file); on failure the old one stays in use
 * and errno is set. */
bool log_reopen(struct log *log);

/* False: a line of that level would not be written. */
bool log_wants(const struct log *log, enum log_level level);

/* The sentence has no line end of its own; control characters become '?'. */
void log_write(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * For what clients can cause as often as they like: at most one line a minute
 * for each `when`, a zeroed number that the caller keeps.
 */
void log_rarely(struct log *log, _Atomic int64_t *when, enum log_level level,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Lines dropped so far. */
uint64_t log_dropped(const struct log *log);

#endif
