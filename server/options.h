/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

/*
 * Options while the server runs: CONFIG GET, SET and REWRITE go through here.
 * One lock guards the conf; an option that may change at runtime has one apply
 * function, which pushes its value to the part that uses it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"

struct server;
struct options;

enum {
    OPTIONS_WHY_MAX = 1024,
    OPTIONS_DEFAULT_SHARE = 80, /* percent of the machine: maxmemory 0 */
};

struct options *options_new(struct server *server);
void options_free(struct options *options);

/* NULL, or what no single option's bounds can tell: which of them do not go
 * together. */
const char *options_fit(struct server *server, const struct conf *conf);

/* Pushes every runtime option once, at start, when all parts are there. */
void options_apply_all(struct server *server);

/* True if a change of the option has an effect: of the runtime ones only. */
bool options_has_effect(enum conf_id id);

/*
 * Sets several options, all or none: pairs[2 * i] is a name, pairs[2 * i + 1]
 * its value, for i < count.  NULL, or the whole error text after "-" as Redis
 * words it; it lies in `why` (OPTIONS_WHY_MAX bytes).
 */
struct arg;
const char *options_set(struct server *server, const struct arg *pairs,
                        size_t count, char *why);

/* The text of an option as CONFIG GET shows it (maxmemory: the bytes in
 * force; a secret: "(redacted)" or ""). */
void options_get(struct server *server, enum conf_id id,
                 char text[CONF_TEXT_MAX]);

/* maxmemory in bytes, whatever way it was given. */
uint64_t options_budget(const struct server *server);

/* NULL, or why not (in `why`, CONF_TEXT_MAX bytes). */
const char *options_rewrite(struct server *server, char *why);

#endif
