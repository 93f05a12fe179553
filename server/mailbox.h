/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MAILBOX_H
#define MAILBOX_H

/*
 * Messages from any thread to the thread of an event base, run there in the
 * order they were posted, some before other events have their turn.
 */

/* So many: about a millisecond's.  Of what is published elsewhere fewer would
 * come together, and each client be written to more often. */
enum { MAILBOX_SLICE = 2048 };

struct event_base;
struct mailbox;

/* A function of any type; `deliver` knows which and calls it. */
typedef void mailbox_run(void);
typedef void mailbox_deliver(void *owner, mailbox_run *run, void *ctx);

/* NULL if the system gives no descriptor or memory. */
struct mailbox *mailbox_new(struct event_base *base, mailbox_deliver *deliver,
                            void *owner);
/* On the base's thread or after it ended.  Drops what was not delivered. */
void mailbox_free(struct mailbox *mailbox);
/*
 * Any thread.  Waits for nothing but the few instructions of a lock; without
 * memory for the message the process ends.  drop: frees the ctx of a message
 * that is not delivered, NULL if there is nothing to free.
 */
void mailbox_post(struct mailbox *mailbox, mailbox_run *run, void *ctx,
                  void (*drop)(void *ctx));
/* The same, but the owner may not see it before mailbox_wake: for many in a
 * row. */
void mailbox_leave(struct mailbox *mailbox, mailbox_run *run, void *ctx,
                   void (*drop)(void *ctx));
void mailbox_wake(struct mailbox *mailbox);

#endif
