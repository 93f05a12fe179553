/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HEAP_PROFILE_H
#define HEAP_PROFILE_H

/*
 * Where the memory of the process that is not entries comes from, by the
 * allocator's own sampling: see docs/profiling.md.
 */

#include <stdbool.h>

struct conf;
struct evhttp_request;
struct server;

bool heap_profile_wanted(const struct conf *conf);

/*
 * For main, before it has made anything: executes the program again with
 * profiling on, if it is wanted and is not.  NULL: go on; or a sentence why it
 * cannot be had.
 */
const char *heap_profile_begin(const struct conf *conf, char **argv);

/* Answers with the profile of now.  On the main thread. */
void heap_profile_serve(struct server *server, struct evhttp_request *req);

#endif
