/* SPDX-License-Identifier: BSD-3-Clause */
/* The longer a round has lasted, the less a turn may do. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
// cmocka wants the above first
#include <cmocka.h>

#include "server/round.h"

static void turns_become_smaller(void **state)
{
    (void)state;
    struct server *server = calloc(1, sizeof *server);
    struct worker *worker =
        aligned_alloc(_Alignof(struct worker), sizeof *worker);
    assert_non_null(server);
    assert_non_null(worker);
    server->ticks.scale = UINT64_C(1) << 32; /* a tick is a nanosecond */
    worker->server = server;
    round_end(worker);
    assert_int_equal(round_parts(worker), 1); /* it begins now */
    uint64_t begun = worker->round;
    assert_true(round_parts(worker) >= 1);
    assert_true(worker->round == begun);
    worker->round = begun - 4 * ROUND_NS;
    assert_true(round_parts(worker) >= 5);
    worker->round = begun - (uint64_t)1000 * ROUND_NS;
    assert_int_equal(round_parts(worker), ROUND_PARTS);
    worker->round = UINT64_MAX; /* by the clock of another core */
    assert_int_equal(round_parts(worker), 1);
    round_end(worker);
    assert_int_equal(round_parts(worker), 1);
    free(worker);
    free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_become_smaller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
