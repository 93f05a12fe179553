/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOUD_H
#define LOUD_H

/* A channel "loud" of numbered messages, those who read it, and those who do
 * not.  What goes wrong fails the cmocka test. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/live.h"

void loud_subscribe(redisContext *redis, const char *channel);
/* A socket that has subscribed and never reads again, with little room for
 * what it does not read. */
int loud_deaf(const struct live *live, const char *channel);
/* The messages from..to-1, of so many bytes, in one pipeline. */
void loud_publish(redisContext *redis, int from, int to, size_t len);

/* A thread that reads all messages from 0 on. */
struct loud_listener {
    pthread_t thread;
    redisContext *redis;
    int count;
    _Atomic int heard; /* messages, in order */
    atomic_bool ended;
};

void loud_listen(struct loud_listener *listener, const struct live *live,
                 int count);
/* Until it has heard so many, or has ended. */
void loud_await(const struct loud_listener *listener, int count);
/* It must have heard all. */
void loud_end(struct loud_listener *listener);

#endif
