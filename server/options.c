/* SPDX-License-Identifier: BSD-3-Clause */
/* Options while the server runs: checked together, stored, then applied. */

#include "options.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "governor.h"
#include "limits.h"
#include "log.h"
#include "protocol/parse.h"
#include "server.h"

/*
 * The lock guards the runtime fields of server->conf; the others do not change
 * after start and are read without it.  What conf holds and what was applied
 * change together under it, so that the last CONFIG SET wins in both.
 */
struct options {
    pthread_mutex_t lock;
    pthread_mutex_t file_lock; /* one rewrite at a time */
    _Atomic uint64_t budget_bytes;
    atomic_bool password_set;
    size_t password_len;
    char password[CONF_TEXT_MAX]; /* zeros behind it */
};

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
    explicit_bzero(options->password, sizeof options->password);
    pthread_mutex_destroy(&options->file_lock);
    pthread_mutex_destroy(&options->lock);
    free(options);
}

/* ---------------------------------------------------------------- effects */

/* The budget in bytes: 0 and percentages are shares of the machine, within the
 * option's bounds. */
static uint64_t budget_of(const struct conf *conf)
{
    uint64_t least = (uint64_t)conf_option(CONF_maxmemory)->least;
    uint64_t most = (uint64_t)conf_option(CONF_maxmemory)->most;
    uint64_t share;

    if (conf->maxmemory > 0)
        return (uint64_t)conf->maxmemory;
    share = conf->maxmemory == 0 ? OPTIONS_DEFAULT_SHARE
                                 : (uint64_t)-conf->maxmemory;
    share = governor_machine_bytes("") / 100 * share;
    if (share > most)
        return most;
    return share < least ? least : share;
}

static void apply_maxmemory(struct server *server, const struct conf *conf)
{
    uint64_t bytes = budget_of(conf);

    atomic_store(&server->options->budget_bytes, bytes);
    governor_set_budget(server->governor, bytes);
}

static void apply_maxmemory_policy(struct server *server,
                                   const struct conf *conf)
{
    enum { ALLKEYS_LRU, NOEVICTION };

    cache_set_evicting(server->cache, conf->maxmemory_policy != NOEVICTION);
}

static void apply_maxmemory_clients(struct server *server,
                                    const struct conf *conf)
{
    governor_set_clients_share(server->governor, conf->maxmemory_clients);
}

static void apply_requirepass(struct server *server, const struct conf *conf)
{
    struct options *options = server->options;
    size_t len = strlen(conf->requirepass);

    memset(options->password, 0, sizeof options->password);
    memcpy(options->password, conf->requirepass, len);
    options->password_len = len;
    atomic_store(&options->password_set, len > 0);
}

static void apply_loglevel(struct server *server, const struct conf *conf)
{
    log_set_level(server->log, (enum log_level)conf->loglevel);
}

/* What connections read: struct limits, all of it at once. */
static void apply_limits(struct server *server, const struct conf *conf)
{
    struct limits *limits = &server->limits;

    atomic_store(&limits->clients, conf->maxclients);
    atomic_store(&limits->bulk_bytes, conf->proto_max_bulk_len);
    atomic_store(&limits->request_args, conf->request_args_max);
    atomic_store(&limits->request_bytes, conf->request_bytes_max);
    atomic_store(&limits->inline_bytes, conf->inline_max);
    atomic_store(&limits->output_mark_bytes, conf->output_mark);
    atomic_store(&limits->output_limit_bytes, conf->output_limit);
    atomic_store(&limits->idle_ms, conf->timeout * 1000);
    atomic_store(&limits->request_ms, conf->request_timeout * 1000);
    atomic_store(&limits->stall_ms, conf->stall_timeout * 1000);
    atomic_store(&limits->auth_ms, conf->auth_timeout * 1000);
    atomic_store(&limits->stop_ms, conf->stop_timeout * 1000);
    atomic_store(&limits->keepalive_s, conf->tcp_keepalive);
}

/* ----------------------------------------------------------------- checks */

static const char *explain(char why[CONF_TEXT_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const char *explain(char why[CONF_TEXT_MAX], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, CONF_TEXT_MAX, format, args);
    va_end(args);
    return why;
}

static const char *check_maxmemory(struct server *server,
                                   const struct conf *conf, char *why)
{
    struct governor_state state;

    governor_state(server->governor, &state);
    if (budget_of(conf) >= state.floor_bytes)
        return NULL;
    return explain(why, "argument must be at least %" PRIu64 " bytes",
                   state.floor_bytes);
}

static const char *check_maxmemory_clients(struct server *server,
                                           const struct conf *conf, char *why)
{
    uint64_t budget = budget_of(conf);
    int64_t share = conf->maxmemory_clients;
    uint64_t bytes =
        share < 0 ? budget / 100 * (uint64_t)-share : (uint64_t)share;

    (void)server;
    (void)why;
    return bytes <= budget / 2 ? NULL
                               : "argument must be at most half of maxmemory";
}

/* Each client is a descriptor; the process may raise how many it may have up
 * to the hard limit. */
static const char *check_maxclients(struct server *server,
                                    const struct conf *conf, char *why)
{
    rlim_t wanted = (rlim_t)conf->maxclients + LIMIT_OWN_FDS;
    struct rlimit limit;

    (void)server;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return NULL;
    if (limit.rlim_max >= wanted) {
        limit.rlim_cur = wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
            return NULL;
    }
    return explain(why,
                   "The operating system is not able to handle the specified "
                   "number of clients, try with %" PRIu64,
                   (uint64_t)limit.rlim_max - LIMIT_OWN_FDS);
}

/* What an option does when it changes, and what is asked before; NULL: it
 * cannot change, or nothing is asked. */
struct rule {
    void (*apply)(struct server *server, const struct conf *conf);
    const char *(*check)(struct server *server, const struct conf *conf,
                         char *why);
};

static const struct rule rules[CONF_COUNT] = {
    [CONF_maxmemory] = {apply_maxmemory, check_maxmemory},
    [CONF_maxmemory_policy] = {apply_maxmemory_policy, NULL},
    [CONF_maxmemory_clients] = {apply_maxmemory_clients,
                                check_maxmemory_clients},
    [CONF_maxclients] = {apply_limits, check_maxclients},
    [CONF_timeout] = {apply_limits, NULL},
    [CONF_request_timeout] = {apply_limits, NULL},
    [CONF_stall_timeout] = {apply_limits, NULL},
    [CONF_auth_timeout] = {apply_limits, NULL},
    [CONF_stop_timeout] = {apply_limits, NULL},
    [CONF_tcp_keepalive] = {apply_limits, NULL},
    [CONF_proto_max_bulk_len] = {apply_limits, NULL},
    [CONF_request_args_max] = {apply_limits, NULL},
    [CONF_request_bytes_max] = {apply_limits, NULL},
    [CONF_inline_max] = {apply_limits, NULL},
    [CONF_output_mark] = {apply_limits, NULL},
    [CONF_output_limit] = {apply_limits, NULL},
    [CONF_requirepass] = {apply_requirepass, NULL},
    [CONF_loglevel] = {apply_loglevel, NULL},
};

bool options_has_effect(enum conf_id id)
{
    return rules[id].apply != NULL;
}

void options_apply_all(struct server *server)
{
    pthread_mutex_lock(&server->options->lock);
    for (int id = 0; id < CONF_COUNT; id++)
        if (rules[id].apply != NULL)
            rules[id].apply(server, &server->conf);
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

/* Names first, then values: as Redis does it, so that the same mistakes are
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
        if (conf_option(id)->change != CONF_RUNTIME)
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
        const struct rule *rule = &rules[name_of(change, i)];
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
        rules[id].apply(server, &server->conf);
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
    return atomic_load(&server->options->budget_bytes);
}

const char *options_rewrite(struct server *server, char *why)
{
    struct options *options = server->options;
    struct conf conf;
    const char *error;

    pthread_mutex_lock(&options->lock);
    conf = server->conf;
    pthread_mutex_unlock(&options->lock);
    pthread_mutex_lock(&options->file_lock);
    error = conf_rewrite(&conf, why);
    pthread_mutex_unlock(&options->file_lock);
    explicit_bzero(conf.requirepass, sizeof conf.requirepass);
    return error;
}

/* --------------------------------------------------------------- password */

bool options_password_set(struct server *server)
{
    return atomic_load(&server->options->password_set);
}

/* Both sides lie in zeroed buffers of one size and all of it is compared:
 * neither the length of the password nor where a guess goes wrong shows. */
bool options_password_ok(struct server *server, const char *text, size_t len)
{
    struct options *options = server->options;
    char given[CONF_TEXT_MAX] = {0};
    volatile unsigned char differ = 0;
    bool right;

    memcpy(given, text, len < sizeof given ? len : sizeof given);
    pthread_mutex_lock(&options->lock);
    for (size_t i = 0; i < sizeof given; i++)
        differ |= (unsigned char)(given[i] ^ options->password[i]);
    right = (differ == 0) & (len == options->password_len);
    pthread_mutex_unlock(&options->lock);
    explicit_bzero(given, sizeof given);
    return right || !options_password_set(server);
}
