/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for locks, and waking who waits. */

#include "lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SPINS = 100 };

static inline void pause_a_little(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#endif
}

void lock_wait(struct lock *lock)
{
    bool taken = false;
    atomic_fetch_add(&lock->waiters, 1);
    for (int i = 0; i < SPINS && !taken; i++) {
        pause_a_little();
        taken = atomic_load_explicit(&lock->state, memory_order_relaxed) ==
                    LOCK_FREE &&
                lock_try(lock);
    }
    /* Taken as AWAITED by all who slept: there may be more of them. */
    while (!taken) {
        taken = atomic_exchange_explicit(&lock->state, LOCK_AWAITED,
                                         memory_order_acquire) == LOCK_FREE;
        if (!taken)
            syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, LOCK_AWAITED,
                    NULL, NULL, 0);
        else
            lock_note(lock);
    }
    atomic_fetch_sub(&lock->waiters, 1);
}

void lock_wake(struct lock *lock)
{
    syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

#ifdef LOCK_TIMED
static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void lock_note(struct lock *lock)
{
    lock->since_ns = now_ns();
}

void lock_tell(const struct lock *lock)
{
    lock_held(lock, now_ns() - lock->since_ns);
}
#endif
