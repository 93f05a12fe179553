/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_COURSE_H
#define BENCH_COURSE_H

/*
 * The course of a sequence of legs: a thread reads a peer's resident memory at
 * regular times, and asks it which of some keys it holds.  EXISTS makes no key
 * a recent one, so asking does not change what is evicted.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/legs.h"
#include "bench/peer.h"

enum { COURSE_STEP_MS = 50, COURSE_MAX = 60000, COURSE_REST = -1 };

struct course;

/* A new file for what all courses sample; NULL (with a sentence on stderr) if
 * it cannot be made. */
FILE *course_file(const char *path);

/* Starts the thread; NULL (with a sentence on stderr) if it cannot. */
struct course *course_start(const struct peer *peer, const struct legs *legs,
                            uint64_t budget_bytes);

/* A leg begins, or with COURSE_REST what is not sampled.  For all that
 * follows, a course that is NULL is none. */
void course_phase(struct course *course, int number);

/* Ends it, writes the samples to the file and frees the course.  False if the
 * peer broke down meanwhile. */
bool course_stop(struct course *course, FILE *csv);

#endif
