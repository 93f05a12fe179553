/* SPDX-License-Identifier: BSD-3-Clause */
/* The users and the sessions that are them. */

#include "acl.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "acl_check.h"
#include "pubsub.h"

static const struct arg default_name = {"default", 7};

/*
 * `edit` is held by who changes users, and alone suffices to read them; `lock`
 * guards the few instructions that put a change in force, and sessions.
 */
struct acl {
    pthread_mutex_t edit, lock; /* to be taken in this order */
    _Atomic uint64_t *version;
    _Atomic bool open, nopass;
    struct acl_users users;
    struct acl_user *default_user;
    struct acl_rules *initial; /* of "default", as requirepass makes it */
    _Atomic size_t retired;    /* bytes of rules that sessions still have */
};

/* -------------------------------------------------------------- begin, end */

static struct acl_rules *all_allowed(const char *password)
{
    struct acl_rules *rules = acl_rules_new();
    if (rules && acl_rules_allow_all(rules) == ACL_FINE &&
        acl_rules_password(rules, password, strlen(password)) == ACL_FINE &&
        acl_rules_seal(rules) == ACL_FINE)
        return rules;
    acl_rules_disown(rules);
    return NULL;
}

/* Others are put in their place.  Those of the beginning are short, and may be
 * in force again.  With the lock. */
static void retire(struct acl *acl, struct acl_rules *rules)
{
    if (rules != acl->initial && !rules->retired)
        acl_rules_retire(rules, &acl->retired);
}

size_t acl_retired(const struct acl *acl)
{
    return atomic_load(&acl->retired);
}

/* Sessions look again.  With the lock. */
static void changed(struct acl *acl)
{
    const struct acl_rules *rules = acl->default_user->rules;
    atomic_store(&acl->nopass, rules->nopass);
    atomic_store(&acl->open, rules->nopass && rules->enabled);
    atomic_fetch_add(acl->version, 1);
}

struct acl *acl_new(_Atomic uint64_t *version)
{
    static_assert(ACL_ROWS_MAX <= UINT16_MAX, "rows are kept in 16 bits");
    assert(command_count <= ACL_ROWS_MAX);
    struct acl *acl = calloc(1, sizeof *acl);
    if (!acl)
        return NULL;
    pthread_mutex_init(&acl->edit, NULL);
    pthread_mutex_init(&acl->lock, NULL);
    acl->version = version;
    acl->initial = all_allowed("");
    if (!acl->initial ||
        acl_users_add(&acl->users, default_name, acl_rules_own(acl->initial)) !=
            ACL_FINE) {
        acl_free(acl);
        return NULL;
    }
    acl->default_user = acl->users.at[0];
    changed(acl);
    return acl;
}

void acl_free(struct acl *acl)
{
    if (!acl)
        return;
    acl_users_release(&acl->users);
    acl_rules_disown(acl->initial);
    pthread_mutex_destroy(&acl->lock);
    pthread_mutex_destroy(&acl->edit);
    free(acl);
}

/* ---------------------------------------------------------------- sessions */

bool acl_is_open(const struct acl *acl)
{
    return atomic_load(&acl->open);
}

bool acl_is_nopass(const struct acl *acl)
{
    return atomic_load(&acl->nopass);
}

/* With the lock. */
static void show_rules(struct acl *acl, struct session *session)
{
    uint64_t version = atomic_load(acl->version);
    struct acl_rules *rules = acl_rules_own(session->user->rules);
    acl_rules_disown(session->rules);
    session->rules = rules;
    session->channels_since = rules->channels_since;
    session->acl_seen = version;
    session->acl_pass = rules->everything ? version : 0;
}

/* With the lock. */
static void become(struct acl *acl, struct session *session,
                   struct acl_user *user)
{
    struct subscriber *subscriber = session->subscriber;
    bool vetted = subscriber &&
                  subscriber->vetted == session->user->rules->channels_since;
    user->owners++;
    if (session->user)
        acl_user_disown(session->user);
    session->user = user;
    show_rules(acl, session);
    /* What it might listen to as who it was it may as this one. */
    if (subscriber)
        subscriber->vetted =
            vetted ? session->channels_since : SUBSCRIBER_NEVER;
}

void acl_enter(struct acl *acl, struct session *session)
{
    pthread_mutex_lock(&acl->lock);
    become(acl, session, acl->default_user);
    session->authenticated = acl_is_open(acl);
    pthread_mutex_unlock(&acl->lock);
}

void acl_leave(struct acl *acl, struct session *session)
{
    pthread_mutex_lock(&acl->lock);
    acl_rules_disown(session->rules);
    if (session->user)
        acl_user_disown(session->user);
    session->rules = NULL;
    session->user = NULL;
    pthread_mutex_unlock(&acl->lock);
}

/* The password is hashed without the lock, and whatever the name is. */
static bool admits(struct acl *acl, struct session *session, struct arg name,
                   struct arg password)
{
    pthread_mutex_lock(&acl->lock);
    struct acl_user *user = acl_users_find(&acl->users, name);
    struct acl_rules *rules = user ? acl_rules_own(user->rules) : NULL;
    if (user)
        user->owners++;
    pthread_mutex_unlock(&acl->lock);

    bool right = acl_rules_admit(rules, password.ptr, password.len);

    pthread_mutex_lock(&acl->lock);
    right = right && !atomic_load(&user->gone);
    if (right && session) {
        become(acl, session, user);
        session->authenticated = true;
    }
    if (user)
        acl_user_disown(user);
    pthread_mutex_unlock(&acl->lock);
    acl_rules_disown(rules);
    return right;
}

bool acl_login(struct acl *acl, struct session *session, struct arg name,
               struct arg password)
{
    return admits(acl, session, name, password);
}

bool acl_password_ok(struct acl *acl, const char *text, size_t len)
{
    return admits(acl, NULL, default_name, (struct arg){text, len});
}

bool acl_look_again(struct acl *acl, struct session *session)
{
    pthread_mutex_lock(&acl->lock);
    show_rules(acl, session);
    pthread_mutex_unlock(&acl->lock);
    return !acl_user_gone(session);
}

const char *acl_user_name(const struct session *session)
{
    return session->user ? session->user->name : default_name.ptr;
}

bool acl_user_gone(const struct session *session)
{
    return session->user && atomic_load(&session->user->gone);
}

bool acl_user_is(struct acl *acl, const struct session *session,
                 struct arg name)
{
    pthread_mutex_lock(&acl->lock);
    bool same =
        session->user && session->user == acl_users_find(&acl->users, name);
    pthread_mutex_unlock(&acl->lock);
    return same;
}

/* ------------------------------------------------------------------- users */

/* Before rules take the place of others, for the next version.  With `edit`. */
static void succeed(struct acl *acl, struct acl_rules *rules,
                    const struct acl_rules *old)
{
    rules->channels_since = acl_keeps_channels(rules, old)
                                ? old->channels_since
                                : atomic_load(acl->version) + 1;
}

/* Gives a user of the set in force other rules, which are taken over.  With
 * `edit`. */
static void exchange(struct acl *acl, struct acl_user *user,
                     struct acl_rules *rules)
{
    struct acl_rules *old = user->rules;
    succeed(acl, rules, old);
    pthread_mutex_lock(&acl->lock);
    user->rules = rules;
    retire(acl, old);
    acl->users.bytes += rules->bytes - old->bytes;
    changed(acl);
    pthread_mutex_unlock(&acl->lock);
    acl_rules_disown(old);
}

/* With `edit`.  The rules are taken over. */
static enum acl_error put(struct acl *acl, struct arg name,
                          struct acl_user *user, struct acl_rules *rules)
{
    struct acl_users *users = &acl->users;
    enum acl_error error = ACL_FINE;
    if (!user) {
        pthread_mutex_lock(&acl->lock);
        error = acl_users_add(users, name, rules);
        pthread_mutex_unlock(&acl->lock);
    } else if (users->bytes - user->rules->bytes + rules->bytes >
               ACL_BYTES_MAX) {
        acl_rules_disown(rules);
        error = ACL_LIMIT;
    } else {
        exchange(acl, user, rules);
    }
    return error;
}

const char *acl_set_user(struct acl *acl, struct arg name,
                         const struct arg *words, size_t count, char *why)
{
    if (!acl_name_fits(name))
        return "Usernames can't contain spaces or null characters";
    pthread_mutex_lock(&acl->edit);
    struct acl_user *user = acl_users_find(&acl->users, name);
    struct acl_rules *rules =
        user ? acl_rules_copy(user->rules) : acl_rules_new();
    const char *error = rules ? acl_rules_words(rules, words, count, why)
                              : acl_error_text(ACL_NO_MEMORY);
    if (error) {
        acl_rules_disown(rules);
    } else {
        enum acl_error result = put(acl, name, user, rules);
        if (result != ACL_FINE)
            error = acl_error_text(result);
    }
    pthread_mutex_unlock(&acl->edit);
    return error;
}

void acl_set_password(struct acl *acl, const char *text)
{
    pthread_mutex_lock(&acl->edit);
    struct acl_rules *initial = all_allowed(text);
    struct acl_rules *rules = acl_rules_copy(acl->default_user->rules);
    if (initial && rules &&
        acl_rules_password(rules, text, strlen(text)) == ACL_FINE &&
        acl_rules_seal(rules) == ACL_FINE) {
        acl_rules_disown(acl->initial);
        acl->initial = initial;
        exchange(acl, acl->default_user, rules);
    } else {
        abort(); /* rather than go on without a password */
    }
    pthread_mutex_unlock(&acl->edit);
}

size_t acl_delete_users(struct acl *acl, const struct arg *names, size_t count)
{
    size_t deleted = 0;
    pthread_mutex_lock(&acl->edit);
    pthread_mutex_lock(&acl->lock);
    for (size_t i = 0; i < count; i++) {
        struct acl_user *user = acl_users_find(&acl->users, names[i]);
        if (user)
            retire(acl, user->rules);
        deleted += acl_users_remove(&acl->users, names[i]);
    }
    changed(acl);
    pthread_mutex_unlock(&acl->lock);
    pthread_mutex_unlock(&acl->edit);
    return deleted;
}

struct acl_rules *acl_rules_of(struct acl *acl, struct arg name)
{
    pthread_mutex_lock(&acl->lock);
    struct acl_user *user = acl_users_find(&acl->users, name);
    struct acl_rules *rules = user ? acl_rules_own(user->rules) : NULL;
    pthread_mutex_unlock(&acl->lock);
    return rules;
}

static bool same_text(const struct acl_rules *a, const struct acl_rules *b)
{
    return buf_len(&a->text) == buf_len(&b->text) &&
           memcmp(a->text.data + a->text.start, b->text.data + b->text.start,
                  buf_len(&a->text)) == 0;
}

void acl_each(struct acl *acl, const struct acl_visit *visit)
{
    pthread_mutex_lock(&acl->edit);
    if (visit->first)
        visit->first(visit->ctx, acl->users.count);
    for (size_t i = 0; i < acl->users.count; i++) {
        struct acl_user *user = acl->users.at[i];
        visit->each(visit->ctx, acl_name(user), user->rules,
                    user == acl->default_user &&
                        same_text(user->rules, acl->initial));
    }
    pthread_mutex_unlock(&acl->edit);
}

/* ----------------------------------------------------------------- replace */

/* The set has a user "default", who is to be the one that sessions know. */
static bool complete(struct acl *acl, struct acl_users *users)
{
    return acl_users_find(users, default_name) ||
           acl_users_add(users, default_name, acl_rules_own(acl->initial)) ==
               ACL_FINE;
}

/* Who is in both stays the one that sessions know, with the new rules. */
static void keep_known(struct acl *acl, struct acl_users *users)
{
    for (size_t i = 0; i < users->count; i++) {
        struct acl_user *user = users->at[i];
        struct acl_user *known = acl_users_find(&acl->users, acl_name(user));
        if (!known)
            continue;
        struct acl_rules *rules = known->rules;
        succeed(acl, user->rules, rules);
        known->rules = user->rules;
        user->rules = rules;
        retire(acl, rules);
        known->owners++;
        users->at[i] = known;
        acl_user_disown(user);
    }
}

bool acl_replace(struct acl *acl, struct acl_users *users)
{
    pthread_mutex_lock(&acl->edit);
    bool well = complete(acl, users);
    pthread_mutex_lock(&acl->lock);
    if (well) {
        struct acl_users old = acl->users;
        keep_known(acl, users);
        acl->users = *users;
        *users = (struct acl_users){0};
        for (size_t i = 0; i < old.count; i++)
            if (acl_users_find(&acl->users, acl_name(old.at[i])) != old.at[i]) {
                retire(acl, old.at[i]->rules);
                atomic_store(&old.at[i]->gone, true);
            }
        acl_users_release(&old);
        changed(acl);
    }
    pthread_mutex_unlock(&acl->lock);
    pthread_mutex_unlock(&acl->edit);
    return well;
}
