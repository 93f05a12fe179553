/* SPDX-License-Identifier: BSD-3-Clause */
/* The client pool's books. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <assert.h>
#include <cmocka.h>
#include <pthread.h>

#include "server/pool.h"

static void no_more_is_taken_than_there_is(void **state)
{
    (void)state;
    struct pool *pool = pool_new(1000);
    assert_int_equal(pool_take(pool, 600), 600);
    assert_int_equal(pool_take(pool, 600), 400);
    assert_int_equal(pool_take(pool, 1), 0);
    pool_give(pool, 250);
    assert_int_equal(pool_used(pool), 750);
    assert_int_equal(pool_take(pool, 300), 250);
    pool_give(pool, 1000);
    assert_int_equal(pool_used(pool), 0);
    pool_free(pool);
}

static void what_is_borrowed_is_not_used(void **state)
{
    (void)state;
    struct pool *pool = pool_new(1000);
    assert_int_equal(pool_borrow(pool, 900), 900);
    assert_int_equal(pool_used(pool), 0);
    assert_false(pool_tight(pool));
    assert_int_equal(pool_take(pool, 200), 100);
    pool_keep(pool, 700);
    assert_int_equal(pool_used(pool), 800);
    assert_true(pool_tight(pool));
    pool_repay(pool, 200);
    assert_int_equal(pool_used(pool), 800);
    assert_int_equal(pool_take(pool, 500), 200);
    pool_give(pool, 1000);
    pool_free(pool);
}

static void it_is_tight_beyond_three_quarters(void **state)
{
    (void)state;
    struct pool *pool = pool_new(1000);
    pool_take(pool, 750);
    assert_false(pool_tight(pool));
    pool_take(pool, 1);
    assert_true(pool_tight(pool));
    pool_set_limit(pool, 2000);
    assert_false(pool_tight(pool));
    pool_set_limit(pool, 500);
    assert_true(pool_tight(pool));
    assert_int_equal(pool_take(pool, 1), 0);
    pool_give(pool, 751);
    pool_free(pool);
}

static void what_is_held_is_charged_whatever_the_limit(void **state)
{
    (void)state;
    struct pool *pool = pool_new(100);
    pool_charge(pool, 300);
    assert_int_equal(pool_used(pool), 300);
    assert_int_equal(pool_take(pool, 1), 0);
    pool_give(pool, 300);
    pool_free(pool);
}

static void connections_get_half_of_it(void **state)
{
    (void)state;
    struct pool *pool = pool_new(2 * 10 * POOL_CONNECTION);
    assert_true(pool_admits(pool, 0));
    assert_true(pool_admits(pool, 9));
    assert_false(pool_admits(pool, 10));
    pool_free(pool);
}

static void pins_are_counted_apart(void **state)
{
    (void)state;
    struct pool *pool = pool_new(100);
    pool_pin(pool, 400);
    assert_int_equal(pool_pinned(pool), 400);
    assert_false(pool_pins_tight(pool));
    pool_pin(pool, 4);
    assert_true(pool_pins_tight(pool));
    assert_int_equal(pool_used(pool), 0);
    pool_pin(pool, -404);
    assert_int_equal(pool_pinned(pool), 0);
    pool_free(pool);
}

static void *take_and_give(void *ctx)
{
    struct pool *pool = ctx;
    for (int i = 0; i < 100000; i++) {
        size_t got = pool_take(pool, 700), lent = pool_borrow(pool, 500);
        assert(got + lent <= 1000);
        pool_keep(pool, lent / 2);
        pool_repay(pool, lent - lent / 2);
        pool_give(pool, got + lent / 2);
    }
    return NULL;
}

static void threads_leave_the_books_square(void **state)
{
    pthread_t threads[4];
    (void)state;
    struct pool *pool = pool_new(1000);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, pool),
                         0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(pool_used(pool), 0);
    assert_int_equal(pool_take(pool, 2000), 1000);
    pool_give(pool, 1000);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_is_taken_than_there_is),
        cmocka_unit_test(what_is_borrowed_is_not_used),
        cmocka_unit_test(it_is_tight_beyond_three_quarters),
        cmocka_unit_test(what_is_held_is_charged_whatever_the_limit),
        cmocka_unit_test(connections_get_half_of_it),
        cmocka_unit_test(pins_are_counted_apart),
        cmocka_unit_test(threads_leave_the_books_square),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
