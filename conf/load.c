/* SPDX-License-Identifier: BSD-3-Clause */
/* Options from a file, the command line and the environment. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "foreign.h"
#include "lines.h"
#include "users.h"
#include "value.h"

static bool is_user(struct word name)
{
    return name.len == 4 && strncasecmp(name.ptr, "user", 4) == 0;
}

/* An option and its values; NULL, or why not. */
static const char *set(struct conf *conf, struct word name,
                       const struct word *values, size_t count, char *why)
{
    const char *refusal;
    enum conf_id id = conf_find(name.ptr, name.len);

    if (id != CONF_COUNT)
        return words_set(conf, id, values, count, why);
    if (is_user(name))
        return users_take(conf, values, count);
    if (foreign_take(conf, name, values, count, &refusal, why))
        return NULL;
    return refusal ? refusal : "no such option";
}

/* One line; NULL, or a message without the place. */
static const char *load_line(struct conf *conf, char *line, size_t len,
                             char *why)
{
    char shown[4 * WORDS_SHOWN + 4], reason[CONF_TEXT_MAX];
    struct words words;
    const char *refusal = words_split(&words, line, len);

    if (refusal != NULL || words.count == 0)
        return refusal;
    refusal = set(conf, words.at[0], words.at + 1, words.count - 1, reason);
    if (refusal == NULL)
        return NULL;
    /* The name only: the rest of the line may be a password. */
    words_show(words.at[0], shown);
    return value_say(why, "%s: %s", shown, refusal);
}

/* Where the file is, whatever folder the process is in later. */
static const char *note_path(struct conf *conf, const char *path, char *why)
{
    char *whole = realpath(path, NULL);
    const char *message = NULL;

    if (whole == NULL)
        message =
            value_say(why, "can't open '%.300s': %s", path, strerror(errno));
    else if (strlen(whole) >= sizeof conf->file)
        message = value_say(why, "the path of the file is longer than %d bytes",
                            CONF_TEXT_MAX - 1);
    else
        strcpy(conf->file, whole);
    free(whole);
    return message;
}

const char *conf_load_file(struct conf *conf, const char *path, char *why)
{
    struct lines lines;
    char reason[CONF_TEXT_MAX];
    const char *message = lines_open(&lines, path, why);

    if (message != NULL)
        return message;
    while (message == NULL && lines_next(&lines, &message, why)) {
        const char *refusal = load_line(conf, lines.line, lines.len, reason);
        if (refusal != NULL)
            message =
                value_say(why, "%.250s:%u: %s", path, lines.number, refusal);
    }
    lines_close(&lines);
    return message != NULL ? message : note_path(conf, path, why);
}

/* The environment's name of an option: EBB_REQUIREPASS. */
static void env_name(const struct conf_option *option, char text[CONF_TEXT_MAX])
{
    value_say(text, "EBB_%s", option->name);
    for (; *text; text++)
        *text = *text == '-' ? '_' : (char)toupper((unsigned char)*text);
}

/* One flag, --name and `count` values. */
static const char *load_flag(struct conf *conf, char **argv, int count,
                             char *why)
{
    struct word name = {argv[0], strlen(argv[0])}, values[CONF_VALUES_MAX];
    char shown[4 * WORDS_SHOWN + 4], reason[CONF_TEXT_MAX];
    const char *refusal;
    enum conf_id id;

    words_show(name, shown);
    if (strncmp(name.ptr, "--", 2) != 0)
        return value_say(why, "%s: not an option, these begin with --", shown);
    name = (struct word){name.ptr + 2, name.len - 2};
    id = conf_find(name.ptr, name.len);
    if (id != CONF_COUNT && conf_option(id)->flags & CONF_SECRET) {
        env_name(conf_option(id), reason);
        return value_say(why,
                         "%s: not on the command line, where others can read "
                         "it; use the file or %s",
                         shown, reason);
    }

    if (is_user(name))
        return value_say(why,
                         "%s: not on the command line, where others can read "
                         "it; use the file",
                         shown);
    if (count > CONF_VALUES_MAX)
        return value_say(why, "%s: too many words", shown);
    for (int i = 0; i < count; i++)
        values[i] = (struct word){argv[i + 1], strlen(argv[i + 1])};
    refusal = set(conf, name, values, (size_t)count, reason);
    return refusal ? value_say(why, "%s: %s", shown, refusal) : NULL;
}

const char *conf_load_args(struct conf *conf, int argc, char **argv, char *why)
{
    const char *message = NULL;
    int at = 1;

    if (at < argc && argv[at][0] != '-')
        message = conf_load_file(conf, argv[at++], why);
    while (message == NULL && at < argc) {
        int next = at + 1;
        while (next < argc && strncmp(argv[next], "--", 2) != 0)
            next++;
        message = load_flag(conf, argv + at, next - at - 1, why);
        at = next;
    }
    return message;
}

const char *conf_load_env(struct conf *conf, char *why)
{
    char name[CONF_TEXT_MAX], reason[CONF_TEXT_MAX];

    for (unsigned i = 0; i < CONF_COUNT; i++) {
        enum conf_id id = (enum conf_id)i;
        const char *value, *refusal;

        if (!(conf_option(id)->flags & CONF_SECRET))
            continue;
        env_name(conf_option(id), name);
        value = getenv(name);
        if (value == NULL)
            continue;
        /* Most likely a variable that was to be filled in: no password at all
         * is not what was meant. */
        refusal = *value ? conf_set(conf, id, value, strlen(value), reason)
                         : "is empty; unset it or give it a value";
        if (refusal != NULL)
            return value_say(why, "%s: %s", name, refusal);
        conf->from_env[id] = true;
    }
    return NULL;
}
