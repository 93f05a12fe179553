/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VET_H
#define VET_H

/*
 * What a client is subscribed to, held against the rules of its user when
 * these change.  A client may have many subscriptions, and a user many
 * patterns, so that it takes several turns.
 *
 *   ACL SETUSER -> subscriber_vet on each worker, a part at a time
 *                      -> all is allowed: vetted
 *                      -> something is not: the client is closed
 *   a message meanwhile -> subscriber_hears: only if its channel is allowed
 *
 * On the client's thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "protocol/parse.h"
#include "pubsub.h"

struct conn;

enum vetting { VET_MORE, VET_ALLOWED, VET_FORBIDDEN };

/* Goes on for about 0.1 ms, or a part of that if *steps is less than
 * ACL_SLICE_STEPS; these are counted down. */
enum vetting subscriber_vet(struct conn *conn, size_t *steps);

/* The client may be told of messages of the topic.  What cannot be decided at
 * once is denied. */
bool subscriber_hears(struct conn *conn, const struct topic *topic);

/* The client may subscribe to it by the rules of now.  VET_MORE: the steps ran
 * out. */
enum vetting subscriber_may_join(struct conn *conn, const struct arg *name,
                                 enum topic_kind kind, size_t *steps);

/* The subscription is about to end. */
void vet_forget(struct subscriber *subscriber,
                const struct subscription *subscription);

#endif
