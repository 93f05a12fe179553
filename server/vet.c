/* SPDX-License-Identifier: BSD-3-Clause */
/* Subscriptions of clients whose users have other rules now. */

#include "vet.h"

#include <stdlib.h>

#include "acl.h"
#include "acl_check.h"
#include "conn.h"
#include "server.h"
#include "worker.h"

enum { LOOK_STEPS = 16 }; /* what a subscription costs beside its patterns */

/* Where it is; new subscriptions come behind all others: they were admitted,
 * and are looked at once more. */
struct vet {
    uint64_t since; /* session->channels_since: else it begins anew */
    const struct subscription *at;
    struct acl_check check;
};

static const struct subscription *first_of(const struct subscriber *subscriber,
                                           int kind)
{
    for (; kind <= TOPIC_SHARD; kind++)
        if (subscriber->first[kind])
            return subscriber->first[kind];
    return NULL;
}

static const struct subscription *after(const struct subscription *at)
{
    return at->other ? at->other
                     : first_of(at->subscriber, (int)at->topic->kind + 1);
}

static struct vet *begin(struct subscriber *subscriber, uint64_t since)
{
    if (!subscriber->vet)
        subscriber->vet = calloc(1, sizeof *subscriber->vet);
    struct vet *vet = subscriber->vet;
    if (vet && vet->since != since)
        *vet = (struct vet){since, first_of(subscriber, TOPIC_CHANNEL), {0}};
    return vet;
}

static void end(struct subscriber *subscriber, uint64_t since)
{
    subscriber->vetted = since;
    free(subscriber->vet);
    subscriber->vet = NULL;
}

void vet_forget(struct subscriber *subscriber,
                const struct subscription *subscription)
{
    struct vet *vet = subscriber->vet;
    if (!vet || vet->at != subscription)
        return;
    vet->at = after(subscription);
    vet->check = (struct acl_check){0};
}

static void keep_up(struct conn *conn)
{
    struct server *server = conn_worker(conn)->server;
    acl_keep_up(server->acl, conn_session(conn), server->acl_version);
}

static enum text_match match(const struct session *session,
                             const struct topic *topic, struct acl_check *check,
                             size_t *steps)
{
    struct arg name = {topic->name, topic->len};
    return acl_channel_some(session->rules, name, topic->kind == TOPIC_PATTERN,
                            check, steps);
}

enum vetting subscriber_vet(struct conn *conn, size_t *steps)
{
    keep_up(conn);
    const struct session *session = conn_session(conn);
    struct subscriber *subscriber = session->subscriber;
    uint64_t since = session->channels_since;
    if (!subscriber || subscriber->vetted == since)
        return VET_ALLOWED;
    if (session->acl_pass != 0) {
        end(subscriber, since);
        return VET_ALLOWED;
    }
    struct vet *vet = begin(subscriber, since);
    if (!vet)
        return VET_FORBIDDEN; /* rather than let it listen */
    for (; vet->at; vet->at = after(vet->at)) {
        if (*steps <= LOOK_STEPS)
            return VET_MORE;
        *steps -= LOOK_STEPS;
        switch (match(session, vet->at->topic, &vet->check, steps)) {
        case TEXT_MORE:
            return VET_MORE;
        case TEXT_NO:
            return VET_FORBIDDEN;
        case TEXT_YES:
            vet->check = (struct acl_check){0};
        }
    }
    end(subscriber, since);
    return VET_ALLOWED;
}

bool subscriber_hears(struct conn *conn, const struct topic *topic)
{
    const struct session *session = conn_session(conn);
    struct acl_check check = {0};
    size_t steps = ACL_SLICE_STEPS;
    if (topic->kind > TOPIC_SHARD)
        return true;
    if (session->acl_pass == conn_worker(conn)->server->acl_version)
        return true;
    keep_up(conn);
    if (acl_user_gone(session))
        return false;
    return session->acl_pass != 0 ||
           session->subscriber->vetted == session->channels_since ||
           match(session, topic, &check, &steps) == TEXT_YES;
}

enum vetting subscriber_may_join(struct conn *conn, const struct arg *name,
                                 enum topic_kind kind, size_t *steps)
{
    keep_up(conn);
    const struct session *session = conn_session(conn);
    struct acl_check check = {0};
    bool all = *steps == ACL_SLICE_STEPS;
    if (session->acl_pass != 0)
        return VET_ALLOWED;
    switch (acl_channel_some(session->rules, *name, kind == TOPIC_PATTERN,
                             &check, steps)) {
    case TEXT_YES:
        return VET_ALLOWED;
    case TEXT_MORE:
        return all ? VET_FORBIDDEN : VET_MORE;
    default:
        return VET_FORBIDDEN;
    }
}
