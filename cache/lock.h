/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOCK_H
#define LOCK_H

/*
 * A mutex that knows whether somebody waits for it.
 *
 *   FREE --take--> TAKEN --others come--> AWAITED: whoever drops it wakes one
 *
 * The second of the three mutexes in Drepper, "Futexes Are Tricky" (2011).  It
 * is taken for every look-up, mostly without a rival, and is inline for that: a
 * pthread mutex, which has kinds and owners, takes five times as many
 * instructions.
 *
 * It is unfair: a thread that drops and retakes it back to back can keep others
 * waiting for as long as it likes.  So waiters are counted, and whoever does
 * long work in small pieces calls lock_take_politely, which lets them go first.
 */

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum lock_state { LOCK_FREE, LOCK_TAKEN, LOCK_AWAITED };

struct lock {
    _Atomic uint32_t state; /* enum lock_state */
    atomic_uint waiters;
#ifdef LOCK_TIMED
    uint64_t since_ns; /* it is taken */
#endif
};

enum { LOCK_YIELDS = 20 };

/* Takes a lock that somebody has: spins a little, then sleeps. */
void lock_wait(struct lock *lock);
/* Wakes one who sleeps. */
void lock_wake(struct lock *lock);

/*
 * Built with LOCK_TIMED, whoever drops a lock calls lock_held, which the
 * program has, with how long it was held.
 */
#ifdef LOCK_TIMED
void lock_held(const struct lock *lock, uint64_t ns);
void lock_note(struct lock *lock);
void lock_tell(const struct lock *lock);
#else
static inline void lock_note(struct lock *lock)
{
    (void)lock;
}
static inline void lock_tell(const struct lock *lock)
{
    (void)lock;
}
#endif

static inline void lock_init(struct lock *lock)
{
    atomic_init(&lock->state, LOCK_FREE);
    atomic_init(&lock->waiters, 0);
}

static inline bool lock_try(struct lock *lock)
{
    uint32_t free = LOCK_FREE;
    bool taken = atomic_compare_exchange_strong_explicit(
        &lock->state, &free, LOCK_TAKEN, memory_order_acquire,
        memory_order_relaxed);
    if (taken)
        lock_note(lock);
    return taken;
}

static inline void lock_take(struct lock *lock)
{
    if (__builtin_expect(!lock_try(lock), 0))
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
    lock_tell(lock);
    if (__builtin_expect(atomic_exchange_explicit(&lock->state, LOCK_FREE,
                                                  memory_order_release) ==
                             LOCK_AWAITED,
                         0))
        lock_wake(lock);
}

#endif
