/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOCK_H
#define LOCK_H

/*
 * A mutex that knows whether somebody waits for it.
 *
 * A pthread mutex is unfair: a thread that drops and retakes it back to back
 * can keep others waiting for as long as it likes.  So waiters are counted,
 * and whoever does long work in small pieces calls lock_take_politely, which
 * lets them go first.
 */

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

struct lock {
    pthread_mutex_t mutex;
    atomic_uint waiters;
};

enum { LOCK_SPINS = 100, LOCK_YIELDS = 20 };

static inline void lock_init(struct lock *lock)
{
    pthread_mutex_init(&lock->mutex, NULL);
    atomic_init(&lock->waiters, 0);
}

static inline void lock_pause(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#endif
}

static inline bool lock_try(struct lock *lock)
{
    return pthread_mutex_trylock(&lock->mutex) == 0;
}

static inline void lock_wait(struct lock *lock)
{
    atomic_fetch_add(&lock->waiters, 1);
    for (int i = 0; i < LOCK_SPINS; i++) {
        lock_pause();
        if (lock_try(lock)) {
            atomic_fetch_sub(&lock->waiters, 1);
            return;
        }
    }
    int failed = pthread_mutex_lock(&lock->mutex);
    assert(failed == 0);
    (void)failed;
    atomic_fetch_sub(&lock->waiters, 1);
}

static inline void lock_take(struct lock *lock)
{
    if (!lock_try(lock))
        lock_wait(lock);
}

/* As lock_take, after those who already wait (within reason). */
static inline void lock_take_politely(struct lock *lock)
{
    for (int i = 0; i < LOCK_YIELDS; i++) {
        if (atomic_load_explicit(&lock->waiters, memory_order_relaxed) == 0)
            break;
        sched_yield();
    }
    lock_take(lock);
}

static inline void lock_drop(struct lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}

#endif
