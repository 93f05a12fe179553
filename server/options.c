/* SPDX-License-Identifier: BSD-3-Clause */
/* Options while the server runs: checked together, stored, then applied. */

#include "options.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acl_file.h"
#include "governor.h"
#include "limits.h"
#include "log.h"
#include "option_rules.h"
#include "protocol/parse.h"
#include "server.h"

struct options *options_new(struct server *server)
{
    struct options *options = calloc(1, sizeof *options);

    (void)server;
    if (options == NULL)
        return NULL;
    pthread_mutex_init(&options->lock, NULL);
    pthread_mutex_init(&options->file_lock, NULL);
    return options;
}

void options_free(struct options *options)
{
    if (options == NULL)
        return;
    pthread_mutex_destroy(&options->file_lock);
    pthread_mutex_destroy(&options->lock);
    free(options);
}

bool options_has_effect(enum conf_id id)
{
    return option_rules[id].apply != NULL;
}

/* Numbers and single dots between them. */
static bool is_version(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || text[digits] == '\0')
        return digits > 0;
    return text[digits] == '.' && is_version(text + digits + 1);
}

const char *options_fit(struct server *server, const struct conf *conf)
{
    char why[CONF_TEXT_MAX];

    if (option_rules[CONF_maxmemory_clients].check(server, conf, why) != NULL)
        return "maxmemory-clients must be at most half of maxmemory";
    if (option_rules[CONF_output_mark].check(server, conf, why) != NULL)
        return "output-mark must be at most output-limit";
    if (!is_version(conf->reported_version))
        return "reported-version must be numbers with dots between, as 7.2.4";
    return NULL;
}

void options_apply_all(struct server *server)
{
    pthread_mutex_lock(&server->options->lock);
    for (int id = 0; id < CONF_COUNT; id++)
        if (option_rules[id].apply != NULL)
            if (option_rules[id].apply != NULL)
                option_rules[id].apply(server, &server->conf);
    pthread_mutex_unlock(&server->options->lock);
}

/* -------------------------------------------------------------------- SET */

/* One CONFIG SET under way. */
struct change {
    struct server *server;
    const struct arg *pairs;
    size_t count;
    bool named[CONF_COUNT];
    struct conf conf; /* as it would be */
    char *why;        /* OPTIONS_WHY_MAX bytes */
};

static const char *refuse(struct change *change, size_t i, const char *reason)
{
    const struct arg *name = &change->pairs[2 * i];
    int len = name->len < LIMIT_ERROR_ECHO ? (int)name->len : LIMIT_ERROR_ECHO;

    snprintf(change->why, OPTIONS_WHY_MAX,
             "ERR CONFIG SET failed (possibly related to argument '%.*s') - "
             "%s",
             len, name->ptr, reason);
    return change->why;
}

static enum conf_id name_of(const struct change *change, size_t i)
{
    return conf_find(change->pairs[2 * i].ptr, change->pairs[2 * i].len);
}

/* What is fixed may be set to what it is: programs for Redis turn saving off.
 * Names first, then values: as Redis does it, so that the same mistakes are
 * answered with the same error. */
static const char *check_names(struct change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        const struct arg *name = &change->pairs[2 * i];
        enum conf_id id = name_of(change, i);

        if (id == CONF_COUNT) {
            snprintf(change->why, OPTIONS_WHY_MAX,
                     "ERR Unknown option or number of arguments for CONFIG "
                     "SET - '%.*s'",
                     name->len < LIMIT_ERROR_ECHO ? (int)name->len
                                                  : LIMIT_ERROR_ECHO,
                     name->ptr);
            return change->why;
        }
        if (conf_option(id)->change == CONF_STARTUP)
            return refuse(change, i, "can't set immutable config");
        if (change->named[id])
            return refuse(change, i, "duplicate parameter");
        change->named[id] = true;
    }
    return NULL;
}

static const char *check_values(struct change *change)
{
    char why[CONF_TEXT_MAX];

    for (size_t i = 0; i < change->count; i++) {
        const struct arg *value = &change->pairs[2 * i + 1];
        const char *reason = conf_set(&change->conf, name_of(change, i),
                                      value->ptr, value->len, why);

        if (reason != NULL)
            return refuse(change, i, reason);
    }
    for (size_t i = 0; i < change->count; i++) {
        const struct option_rule *rule = &option_rules[name_of(change, i)];
        const char *reason = NULL;

        if (rule->check != NULL)
            reason = rule->check(change->server, &change->conf, why);
        if (reason != NULL)
            return refuse(change, i, reason);
    }
    return NULL;
}

static void get(struct server *server, enum conf_id id, char *text)
{
    bool secret = conf_option(id)->flags & CONF_SECRET;

    if (id == CONF_maxmemory) {
        snprintf(text, CONF_TEXT_MAX, "%" PRIu64, options_budget(server));
        return;
    }
    conf_get(&server->conf, id, text);
    if (secret && text[0] != '\0')
        strcpy(text, "(redacted)");
}

/* Only the fields that were named are written: the rest is read by others
 * without the lock. */
static void commit(struct change *change)
{
    struct server *server = change->server;
    char text[CONF_TEXT_MAX], why[CONF_TEXT_MAX];

    for (size_t i = 0; i < change->count; i++) {
        const struct arg *value = &change->pairs[2 * i + 1];
        enum conf_id id = name_of(change, i);

        conf_set(&server->conf, id, value->ptr, value->len, why);
        if (option_rules[id].apply != NULL)
            option_rules[id].apply(server, &server->conf);
        get(server, id, text);
        log_write(server->log, LOG_NOTICE, "CONFIG SET %s is now '%s'",
                  conf_option(id)->name, text);
    }
}

const char *options_set(struct server *server, const struct arg *pairs,
                        size_t count, char *why)
{
    struct change change = {
        .server = server, .pairs = pairs, .count = count, .why = why};
    const char *error = check_names(&change);

    if (error != NULL)
        return error;
    pthread_mutex_lock(&server->options->lock);
    change.conf = server->conf;
    error = check_values(&change);
    if (error == NULL)
        commit(&change);
    pthread_mutex_unlock(&server->options->lock);
    explicit_bzero(change.conf.requirepass, sizeof change.conf.requirepass);
    return error;
}

/* -------------------------------------------------------- GET and REWRITE */

void options_get(struct server *server, enum conf_id id,
                 char text[CONF_TEXT_MAX])
{
    pthread_mutex_lock(&server->options->lock);
    get(server, id, text);
    pthread_mutex_unlock(&server->options->lock);
}

uint64_t options_budget(const struct server *server)
{
    return governor_budget(server->governor);
}

const char *options_rewrite(struct server *server, char *why)
{
    struct options *options = server->options;
    struct conf conf;
    const char *error;

    pthread_mutex_lock(&options->lock);
    conf = server->conf;
    pthread_mutex_unlock(&options->lock);
    conf.users = NULL;
    pthread_mutex_lock(&options->file_lock);
    error = conf.aclfile[0] != '\0' || acl_file_export(server->acl, &conf)
                ? conf_rewrite(&conf, why)
                : "out of memory";
    pthread_mutex_unlock(&options->file_lock);
    conf_users_free(&conf);
    explicit_bzero(conf.requirepass, sizeof conf.requirepass);
    return error;
}
