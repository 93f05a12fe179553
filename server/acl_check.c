/* SPDX-License-Identifier: BSD-3-Clause */
/* Holds a request against rules: the command, its keys, its channels. */

#include "acl_check.h"

#include <string.h>
#include <strings.h>

#include "command_info.h"

/* Arguments that are keys or channels, and what is wanted of their patterns. */
struct args {
    size_t first, last, step; /* first 0: there are none */
    uint8_t access[2];        /* of the first key, and of those behind it */
    bool whole;               /* equal to a pattern, not matching one */
};

/* ---------------------------------------------------------------- commands */

static bool first_allowed(const struct acl_selector *selector, size_t row,
                          const struct arg *first)
{
    for (size_t i = 0; i < selector->firsts.count; i++) {
        const struct acl_text *text = &selector->firsts.at[i];
        if (text->row == row && text->len == first->len &&
            strncasecmp(text->ptr, first->ptr, first->len) == 0)
            return true;
    }
    return false;
}

static bool command_allowed(const struct acl_selector *selector,
                            const struct command *command,
                            const struct arg *argv, size_t argc)
{
    size_t row = command_row(command);
    return command->flags & COMMAND_NO_AUTH ||
           acl_selector_has(selector, row) ||
           (argc > 1 && first_allowed(selector, row, &argv[1]));
}

/* ------------------------------------------------------- keys and channels */

/* The words up to the end or a bar, behind which another key's begin. */
static uint8_t access_of(const char *use)
{
    static const struct {
        const char *word;
        uint8_t access;
    } words[] = {
        {"access", ACL_READ},
        {"insert", ACL_WRITE},
        {"delete", ACL_WRITE},
        {"update", ACL_WRITE},
    };
    size_t len = strcspn(use, "|");
    uint8_t access = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (memmem(use, len, words[i].word, strlen(words[i].word)))
            access |= words[i].access;
    return access;
}

static struct args keys_of(const struct command *command,
                           const struct arg *argv, size_t argc)
{
    struct command_keys found;
    if (!command_keys(command, argv, argc, &found) || found.count == 0 ||
        strstr(command->keys.use, "not_key"))
        return (struct args){0};
    return (struct args){
        .first = found.first,
        .last = found.first + (found.count - 1) * found.step,
        .step = found.step,
        .access = {access_of(command_use_of(command, argv, argc, 0)),
                   access_of(command_use_of(command, argv, argc, 1))},
    };
}

static struct args channels_of(const struct command *command, size_t argc)
{
    static const struct {
        const char *name;
        bool several, patterns;
    } with_channels[] = {
        {"publish", false, false},  {"spublish", false, false},
        {"subscribe", true, false}, {"ssubscribe", true, false},
        {"psubscribe", true, true},
    };
    if (strcmp(command->group, "pubsub") != 0)
        return (struct args){0};
    for (size_t i = 0; i < sizeof with_channels / sizeof *with_channels; i++)
        if (strcmp(command->name, with_channels[i].name) == 0)
            return (struct args){
                .first = 1,
                .last = with_channels[i].several ? argc - 1 : 1,
                .step = 1,
                .whole = with_channels[i].patterns,
            };
    return (struct args){0};
}

static enum text_match matches(const struct acl_text *pattern,
                               const struct arg *arg, bool whole,
                               struct text_glob *glob, size_t *steps)
{
    if (!whole)
        return text_glob_some(glob, pattern->ptr, pattern->len, arg->ptr,
                              arg->len, false, steps);
    return pattern->len == arg->len &&
                   (arg->len == 0 ||
                    memcmp(pattern->ptr, arg->ptr, arg->len) == 0)
               ? TEXT_YES
               : TEXT_NO;
}

/* One of the patterns matches the argument. */
static enum text_match match_any(const struct acl_texts *patterns,
                                 const struct args *args, const struct arg *arg,
                                 struct acl_check *check, size_t *steps)
{
    uint8_t access = args->access[check->arg > args->first];
    enum text_match match = TEXT_NO;
    while (match == TEXT_NO && check->pattern < patterns->count) {
        const struct acl_text *pattern = &patterns->at[check->pattern];
        if (*steps == 0)
            return TEXT_MORE;
        if ((pattern->access & access) == access)
            match = matches(pattern, arg, args->whole, &check->glob, steps);
        if (match == TEXT_MORE)
            return TEXT_MORE;
        *steps -= *steps > 0;
        check->glob = (struct text_glob){0};
        check->pattern++;
    }
    check->pattern = 0;
    return match;
}

/* Every argument matches a pattern: TEXT_NO leaves check->arg at the first
 * that does not. */
static enum text_match match_all(const struct acl_texts *patterns,
                                 const struct args *args,
                                 const struct arg *argv,
                                 struct acl_check *check, size_t *steps)
{
    if (args->first == 0)
        return TEXT_YES;
    if (check->arg == 0)
        check->arg = args->first;
    for (; check->arg <= args->last; check->arg += args->step) {
        enum text_match match =
            match_any(patterns, args, &argv[check->arg], check, steps);
        if (match != TEXT_YES)
            return match;
    }
    check->arg = 0;
    return TEXT_YES;
}

/* --------------------------------------------------------------- selectors */

static enum acl_verdict verdict_of(enum text_match match,
                                   enum acl_verdict forbidden)
{
    return match == TEXT_YES    ? ACL_ALLOWED
           : match == TEXT_MORE ? ACL_MORE
                                : forbidden;
}

/* What check->part says. */
static enum acl_verdict check_part(const struct acl_selector *selector,
                                   const struct command *command,
                                   const struct arg *argv, size_t argc,
                                   struct acl_check *check, size_t *steps)
{
    struct args args = {0};
    switch (check->part) {
    case ACL_COMMAND_NEXT:
        return command_allowed(selector, command, argv, argc) ? ACL_ALLOWED
                                                              : ACL_NO_COMMAND;
    case ACL_KEYS_NEXT:
        if (!selector->all_keys)
            args = keys_of(command, argv, argc);
        return verdict_of(match_all(&selector->keys, &args, argv, check, steps),
                          ACL_NO_KEY);
    case ACL_CHANNELS_NEXT:
        if (!selector->all_channels)
            args = channels_of(command, argc);
        return verdict_of(
            match_all(&selector->channels, &args, argv, check, steps),
            ACL_NO_CHANNEL);
    }
    return ACL_NO_COMMAND;
}

/* Of what several selectors say against it one thing is told. */
static void note(struct acl_check *check, enum acl_verdict verdict)
{
    if (verdict > check->worst ||
        (verdict == check->worst && check->arg > check->at)) {
        check->worst = verdict;
        check->at = check->arg;
    }
}

enum acl_verdict acl_check(const struct acl_rules *rules,
                           const struct command *command,
                           const struct arg *argv, size_t argc,
                           struct acl_check *check, size_t *steps)
{
    while (check->selector < rules->selector_count) {
        enum acl_verdict verdict =
            check_part(&rules->selectors[check->selector], command, argv, argc,
                       check, steps);
        if (verdict == ACL_MORE)
            return ACL_MORE;
        if (verdict == ACL_ALLOWED) {
            if (check->part == ACL_CHANNELS_NEXT)
                return ACL_ALLOWED;
            check->part++;
            continue;
        }
        note(check, verdict);
        check->selector++;
        check->part = ACL_COMMAND_NEXT;
        check->arg = 0;
    }
    return check->worst;
}

enum text_match acl_channel_some(const struct acl_rules *rules,
                                 struct arg channel, bool is_pattern,
                                 struct acl_check *check, size_t *steps)
{
    struct args args = {.first = 1, .last = 1, .step = 1, .whole = is_pattern};
    for (; check->selector < rules->selector_count; check->selector++) {
        const struct acl_selector *selector =
            &rules->selectors[check->selector];
        if (selector->all_channels)
            return TEXT_YES;
        enum text_match match =
            match_any(&selector->channels, &args, &channel, check, steps);
        if (match != TEXT_NO)
            return match;
    }
    return TEXT_NO;
}

/* ------------------------------------------------------------- comparing */

/* A place among the channels of all selectors. */
struct channel_at {
    const struct acl_rules *rules;
    size_t selector, pattern;
};

/* NULL: there are no more. */
static const struct acl_text *channel_next(struct channel_at *at)
{
    for (; at->selector < at->rules->selector_count; at->selector++) {
        const struct acl_texts *channels =
            &at->rules->selectors[at->selector].channels;
        if (at->pattern < channels->count)
            return &channels->at[at->pattern++];
        at->pattern = 0;
    }
    return NULL;
}

static bool any_channel(const struct acl_rules *rules)
{
    for (size_t i = 0; i < rules->selector_count; i++)
        if (rules->selectors[i].all_channels)
            return true;
    return false;
}

bool acl_keeps_channels(const struct acl_rules *now,
                        const struct acl_rules *before)
{
    struct channel_at at = {now, 0, 0}, old = {before, 0, 0};
    const struct acl_text *kept, *lost;
    if (any_channel(now) || any_channel(before))
        return any_channel(now);
    while ((lost = channel_next(&old)) != NULL) {
        do
            kept = channel_next(&at);
        while (kept && (kept->len != lost->len ||
                        memcmp(kept->ptr, lost->ptr, lost->len) != 0));
        if (!kept)
            return false;
    }
    return true;
}
