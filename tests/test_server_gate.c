/* SPDX-License-Identifier: BSD-3-Clause */
/* The gate: whoever closes it is alone, and all have their turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "server/gate.h"
#include "tests/sanitized.h"

enum { WORKERS = 4, ROUNDS = SANITIZED ? 5000 : 100000, REQUESTS = 5 };

/* Two numbers that are changed one after the other, without atomics: the race
 * detector sees it too if somebody looks meanwhile. */
struct shared {
    struct gate *gate;
    unsigned long first, second;
    atomic_uint differed, begun;
};

struct worker_thread {
    struct shared *shared;
    unsigned number;
    bool closes;
    pthread_t thread;
};

static void look(struct shared *shared)
{
    if (shared->first != shared->second)
        atomic_fetch_add(&shared->differed, 1);
}

static void change(struct shared *shared)
{
    look(shared);
    shared->first++;
    shared->second++;
}

static void *work(void *ctx)
{
    struct worker_thread *worker = ctx;
    struct shared *shared = worker->shared;
    struct gate *gate = shared->gate;
    atomic_fetch_add(&shared->begun, 1);
    while (shared->begun < WORKERS)
        continue;
    for (int round = 0; round < ROUNDS; round++) {
        gate_enter(gate, worker->number);
        for (int request = 0; request < REQUESTS; request++) {
            look(shared);
            if (worker->closes && request % 2) {
                gate_close(gate, worker->number);
                change(shared);
                gate_open(gate, worker->number);
            }
            gate_pause(gate, worker->number);
        }
        gate_leave(gate, worker->number);
    }
    return NULL;
}

static void run(unsigned closing)
{
    struct shared shared = {.gate = gate_new(WORKERS)};
    struct worker_thread workers[WORKERS];
    assert_non_null(shared.gate);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker_thread){
            .shared = &shared, .number = i, .closes = i < closing};
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    assert_int_equal(shared.differed, 0);
    assert_int_equal(shared.first, closing * ROUNDS * (REQUESTS / 2));
    assert_int_equal(shared.second, shared.first);
    gate_free(shared.gate);
}

static void nobody_is_inside_while_it_is_closed(void **state)
{
    (void)state;
    run(1);
}

static void all_may_want_to_be_alone(void **state)
{
    (void)state;
    run(WORKERS);
}

static void one_worker_needs_nobody(void **state)
{
    struct gate *gate = gate_new(1);
    (void)state;
    for (int i = 0; i < 3; i++) {
        gate_enter(gate, 0);
        gate_close(gate, 0);
        gate_open(gate, 0);
        gate_pause(gate, 0);
        gate_leave(gate, 0);
    }
    gate_free(gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_inside_while_it_is_closed),
        cmocka_unit_test(all_may_want_to_be_alone),
        cmocka_unit_test(one_worker_needs_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
