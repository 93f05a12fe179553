/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages between threads: in order, some at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <stdlib.h>

#include "server/mailbox.h"

enum { MESSAGES = 10 * MAILBOX_SLICE };

struct owner {
    struct mailbox *mailbox;
    uintptr_t next; /* message that is expected */
};

static uintptr_t dropped;

static void expect(void)
{
    fail(); /* it is deliver that knows what to do */
}

static void deliver(void *ctx, mailbox_run *run, void *number)
{
    struct owner *owner = ctx;
    assert_true(run == expect);
    assert_int_equal((uintptr_t)number, owner->next++);
}

static void drop(void *number)
{
    (void)number;
    dropped++;
}

static void post(struct owner *owner, uintptr_t from, uintptr_t to)
{
    for (uintptr_t i = from; i < to; i++)
        mailbox_post(owner->mailbox, expect, (void *)i, drop);
}

static void many_are_delivered_some_at_a_time(void **state)
{
    struct event_base *base = event_base_new();
    struct owner owner = {.next = 0};
    (void)state;
    owner.mailbox = mailbox_new(base, deliver, &owner);
    post(&owner, 0, MESSAGES / 2);
    event_base_loop(base, EVLOOP_ONCE);
    assert_in_range(owner.next, 1, MAILBOX_SLICE);
    post(&owner, MESSAGES / 2, MESSAGES);
    while (owner.next < MESSAGES) {
        uintptr_t before = owner.next;
        event_base_loop(base, EVLOOP_ONCE);
        assert_in_range(owner.next, before + 1, before + MAILBOX_SLICE);
    }
    event_base_loop(base, EVLOOP_NONBLOCK);
    /* Those that were taken and not delivered go with the mailbox, too. */
    post(&owner, MESSAGES, 2 * MESSAGES);
    event_base_loop(base, EVLOOP_ONCE);
    dropped = 0;
    mailbox_free(owner.mailbox);
    assert_int_equal(owner.next + dropped, 2 * MESSAGES);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_are_delivered_some_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
