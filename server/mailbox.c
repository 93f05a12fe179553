/* SPDX-License-Identifier: BSD-3-Clause */
/* A list under a lock, and an eventfd that wakes the owner when it was empty.
 */

#include "mailbox.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct message {
    struct message *next;
    mailbox_run *run;
    void *ctx;
    void (*drop)(void *ctx);
};

struct mailbox {
    pthread_mutex_t lock;
    struct message *first, **end;
    int fd;
    struct event *event;
    mailbox_deliver *deliver;
    void *owner;
    struct message *taken, **taken_end; /* the owner has, and not yet run */
};

static void take_all(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    *mailbox->taken_end = mailbox->first;
    if (mailbox->first)
        mailbox->taken_end = mailbox->end;
    mailbox->first = NULL;
    mailbox->end = &mailbox->first;
    pthread_mutex_unlock(&mailbox->lock);
}

/* The next one; NULL: there is none. */
static struct message *next_taken(struct mailbox *mailbox)
{
    struct message *message = mailbox->taken;
    if (message)
        mailbox->taken = message->next;
    if (!mailbox->taken)
        mailbox->taken_end = &mailbox->taken;
    return message;
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    struct mailbox *mailbox = ctx;
    (void)what;
    /* Read before the list is taken: a message that comes later finds the
     * list empty and wakes again. */
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0)
        return;
    take_all(mailbox);
    struct message *message;
    for (int left = MAILBOX_SLICE;
         left > 0 && (message = next_taken(mailbox)) != NULL; left--) {
        mailbox->deliver(mailbox->owner, message->run, message->ctx);
        free(message);
    }
    if (mailbox->taken)
        mailbox_wake(mailbox);
}

struct mailbox *mailbox_new(struct event_base *base, mailbox_deliver *deliver,
                            void *owner)
{
    struct mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (!mailbox)
        return NULL;
    pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->end = &mailbox->first;
    mailbox->taken_end = &mailbox->taken;
    mailbox->deliver = deliver;
    mailbox->owner = owner;
    mailbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mailbox->fd >= 0)
        mailbox->event = event_new(base, mailbox->fd, EV_READ | EV_PERSIST,
                                   on_wake, mailbox);
    if (!mailbox->event || event_add(mailbox->event, NULL) != 0) {
        mailbox_free(mailbox);
        return NULL;
    }
    return mailbox;
}

void mailbox_free(struct mailbox *mailbox)
{
    if (!mailbox)
        return;
    struct message *message;
    take_all(mailbox);
    while ((message = next_taken(mailbox)) != NULL) {
        if (message->drop)
            message->drop(message->ctx);
        free(message);
    }
    if (mailbox->event)
        event_free(mailbox->event);
    if (mailbox->fd >= 0)
        close(mailbox->fd);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

/* True if the list was empty: nobody was woken yet. */
static bool append(struct mailbox *mailbox, mailbox_run *run, void *ctx,
                   void (*drop)(void *ctx))
{
    struct message *message = malloc(sizeof *message);
    if (!message) {
        fputs("No memory for a message between threads\n", stderr);
        abort();
    }
    *message = (struct message){.run = run, .ctx = ctx, .drop = drop};

    pthread_mutex_lock(&mailbox->lock);
    bool empty = mailbox->first == NULL;
    *mailbox->end = message;
    mailbox->end = &message->next;
    pthread_mutex_unlock(&mailbox->lock);
    return empty;
}

void mailbox_post(struct mailbox *mailbox, mailbox_run *run, void *ctx,
                  void (*drop)(void *ctx))
{
    if (append(mailbox, run, ctx, drop))
        mailbox_wake(mailbox);
}

void mailbox_leave(struct mailbox *mailbox, mailbox_run *run, void *ctx,
                   void (*drop)(void *ctx))
{
    append(mailbox, run, ctx, drop);
}

void mailbox_wake(struct mailbox *mailbox)
{
    uint64_t one = 1;
    ssize_t written = write(mailbox->fd, &one, sizeof one);
    (void)written; /* fails only when it is about to wake anyway */
}
