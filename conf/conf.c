/* SPDX-License-Identifier: BSD-3-Clause */
/* The option table at work: initial values, find, set, get. */
#include "conf.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "value.h"

static const struct conf_option table[CONF_COUNT] = {
#define X(kind, field, name, initial, least, most, unit, change, flags, help)  \
    {name, CONF_KIND_##kind, initial, least, most,                             \
     unit, CONF_##change,    flags,   help,  offsetof(struct conf, field)},
    CONF_OPTIONS(X)
#undef X
};

const struct conf_option *conf_option(enum conf_id id)
{
    assert(id < CONF_COUNT);
    return &table[id];
}

enum conf_id conf_find(const char *name, size_t len)
{
    for (unsigned id = 0; id < CONF_COUNT; id++) {
        const char *row = table[id].name;
        if (strlen(row) == len && strncasecmp(row, name, len) == 0)
            return (enum conf_id)id;
    }
    return CONF_COUNT;
}

void conf_init(struct conf *conf)
{
    char why[CONF_TEXT_MAX];

    memset(conf, 0, sizeof *conf);
    for (unsigned id = 0; id < CONF_COUNT; id++) {
        const char *initial = table[id].initial;
        const char *refusal =
            conf_set(conf, (enum conf_id)id, initial, strlen(initial), why);
        assert(refusal == NULL);
        (void)refusal;
    }
}

const char *conf_set(struct conf *conf, enum conf_id id, const char *text,
                     size_t len, char *why)
{
    const struct conf_option *option = conf_option(id);
    const char *refusal;

    if (option->change == CONF_FIXED &&
        (len != strlen(option->initial) ||
         strncasecmp(text, option->initial, len) != 0))
        return value_say(why, "can't set immutable config (%s)", option->help);

    refusal = value_read(option, text, len, (char *)conf + option->offset, why);
    if (refusal == NULL)
        conf->from_env[id] = false;
    return refusal;
}

void conf_get(const struct conf *conf, enum conf_id id,
              char text[CONF_TEXT_MAX])
{
    const struct conf_option *option = conf_option(id);

    value_write(option, (const char *)conf + option->offset, text);
}
