/* SPDX-License-Identifier: BSD-3-Clause */
/* What the words of a rule do to a selector: commands, keys, channels. */

#include "acl_rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "command_categories.h"
#include "command_info.h"
#include "protocol/text.h"

/* ------------------------------------------------------------------ texts */

static void texts_clear(struct acl_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->at[i].ptr);
    free(texts->at);
    *texts = (struct acl_texts){0};
}

/* A new text at the end: its row or access is 0.  NULL with *error. */
static struct acl_text *texts_add(struct acl_texts *texts, size_t most,
                                  struct arg text, enum acl_error *error)
{
    *error = texts->count < most ? ACL_NO_MEMORY : ACL_LIMIT;
    if (texts->count == most)
        return NULL;
    struct acl_text *at =
        realloc(texts->at, (texts->count + 1) * sizeof *texts->at);
    if (!at)
        return NULL;
    texts->at = at;
    at += texts->count;
    *at = (struct acl_text){.ptr = malloc(text.len + 1),
                            .len = (uint32_t)text.len};
    if (!at->ptr)
        return NULL;
    if (text.len > 0)
        memcpy(at->ptr, text.ptr, text.len);
    at->ptr[text.len] = 0;
    texts->count++;
    *error = ACL_FINE;
    return at;
}

static struct acl_text *texts_find(const struct acl_texts *texts,
                                   struct arg text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (texts->at[i].len == text.len &&
            memcmp(texts->at[i].ptr, text.ptr, text.len) == 0)
            return &texts->at[i];
    return NULL;
}

static enum acl_error texts_copy(struct acl_texts *to,
                                 const struct acl_texts *from)
{
    enum acl_error error = ACL_FINE;
    for (size_t i = 0; i < from->count; i++) {
        const struct acl_text *text = &from->at[i];
        struct acl_text *copy = texts_add(
            to, from->count, (struct arg){text->ptr, text->len}, &error);
        if (!copy)
            break;
        copy->row = text->row;
    }
    return error;
}

/* Words are written with spaces between. */
static bool has_spaces(struct arg text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!text.ptr[i] || isspace((unsigned char)text.ptr[i]))
            return true;
    return false;
}

/* --------------------------------------------------------------- commands */

static void set_bit(struct acl_selector *selector, size_t row, bool value)
{
    uint64_t bit = UINT64_C(1) << (row % 64);
    if (value)
        selector->commands[row / 64] |= bit;
    else
        selector->commands[row / 64] &= ~bit;
}

static void set_all(struct acl_selector *selector, bool value)
{
    for (size_t row = 0; row < command_count; row++)
        set_bit(selector, row, value);
    selector->future = value;
    texts_clear(&selector->firsts);
}

static void drop_firsts(struct acl_selector *selector, size_t row)
{
    struct acl_texts *firsts = &selector->firsts;
    size_t kept = 0;
    for (size_t i = 0; i < firsts->count; i++)
        if (firsts->at[i].row == row)
            free(firsts->at[i].ptr);
        else
            firsts->at[kept++] = firsts->at[i];
    firsts->count = kept;
}

/* A command takes its subcommands with it. */
void acl_selector_allow(struct acl_selector *selector,
                        const struct command *command, bool allow)
{
    size_t row = command_row(command), subs = command_sub_count(command);
    for (size_t i = 0; i <= subs; i++)
        set_bit(selector, row + i, allow);
    drop_firsts(selector, row);
}

void acl_selector_category(struct acl_selector *selector, size_t category,
                           bool allow)
{
    for (size_t row = 0; row < command_count; row++)
        if (command_in_category(&command_table[row], category))
            acl_selector_allow(selector, &command_table[row], allow);
}

static enum acl_error set_category(struct acl_selector *selector,
                                   struct arg name, bool allow)
{
    if (text_is(name.ptr, name.len, "all")) {
        set_all(selector, allow);
        return ACL_FINE;
    }
    size_t category = command_category_find(name.ptr, name.len);
    if (category == COMMAND_CATEGORIES)
        return ACL_UNKNOWN;
    acl_selector_category(selector, category, allow);
    return ACL_FINE;
}

/* "+select|0": a command of which only some first arguments are allowed.  The
 * name is the part before the last bar. */
static enum acl_error add_first(struct acl_selector *selector, struct arg word,
                                size_t name_len)
{
    struct arg name = {word.ptr, name_len};
    struct arg first = {word.ptr + name_len + 1, word.len - name_len - 1};
    const struct command *command = command_named(&name);
    enum acl_error error;
    if (!command)
        return ACL_UNKNOWN;
    if (command_container(command))
        return ACL_FIRST_OF_SUB;
    if (first.len == 0 || has_spaces(first))
        return ACL_SYNTAX;
    if (command_sub_count(command) > 0) {
        command = command_named(&word);
        if (!command)
            return ACL_UNKNOWN;
        acl_selector_allow(selector, command, true);
        return ACL_FINE;
    }
    for (size_t i = 0; i < selector->firsts.count; i++) {
        const struct acl_text *text = &selector->firsts.at[i];
        if (text->row == command_row(command) && text->len == first.len &&
            strncasecmp(text->ptr, first.ptr, first.len) == 0)
            return ACL_FINE;
    }
    struct acl_text *text =
        texts_add(&selector->firsts, ACL_FIRSTS_MAX, first, &error);
    if (text)
        text->row = (uint16_t)command_row(command);
    return error;
}

static enum acl_error command_word(struct acl_selector *selector,
                                   struct arg word)
{
    bool allow = word.ptr[0] == '+';
    struct arg name = {word.ptr + 1, word.len - 1};
    if (name.len > 0 && name.ptr[0] == '@')
        return set_category(selector, (struct arg){name.ptr + 1, name.len - 1},
                            allow);
    const char *bar = memrchr(name.ptr, '|', name.len);
    if (allow && bar)
        return add_first(selector, name, (size_t)(bar - name.ptr));
    const struct command *command = command_named(&name);
    if (!command)
        return ACL_UNKNOWN;
    acl_selector_allow(selector, command, allow);
    return ACL_FINE;
}

/* --------------------------------------------------------------- patterns */

/* "~p" or "%R~p", "%W~p", "%RW~p": where p begins, 0 if it is none of them. */
static size_t read_access(struct arg word, uint8_t *access)
{
    *access = word.ptr[0] == '~' ? ACL_READ | ACL_WRITE : 0;
    if (*access)
        return 1;
    for (size_t i = 1; i < word.len; i++) {
        int letter = toupper((unsigned char)word.ptr[i]);
        uint8_t bit = letter == 'R' ? ACL_READ : letter == 'W' ? ACL_WRITE : 0;
        if (word.ptr[i] == '~' && *access)
            return i + 1;
        if (!bit || *access & bit)
            return 0;
        *access |= bit;
    }
    return 0;
}

static enum acl_error key_word(struct acl_selector *selector, struct arg word)
{
    enum acl_error error = ACL_FINE;
    uint8_t access;
    if (selector->all_keys)
        return ACL_KEYS_AFTER_ALL;
    size_t at = read_access(word, &access);
    struct arg pattern = {word.ptr + at, word.len - at};
    if (at == 0 || has_spaces(pattern))
        return ACL_SYNTAX;
    struct acl_text *text = texts_find(&selector->keys, pattern);
    if (!text)
        text = texts_add(&selector->keys, ACL_PATTERNS_MAX, pattern, &error);
    if (text)
        text->access |= access;
    return error;
}

static enum acl_error channel_word(struct acl_selector *selector,
                                   struct arg word)
{
    enum acl_error error = ACL_FINE;
    struct arg pattern = {word.ptr + 1, word.len - 1};
    if (selector->all_channels)
        return ACL_CHANNELS_AFTER_ALL;
    if (has_spaces(pattern))
        return ACL_SYNTAX;
    if (!texts_find(&selector->channels, pattern))
        texts_add(&selector->channels, ACL_PATTERNS_MAX, pattern, &error);
    return error;
}

/* ------------------------------------------------------------------ words */

static bool plain_word(struct acl_selector *selector, struct arg word)
{
    static const struct {
        const char *word;
        enum { COMMANDS, KEYS, CHANNELS } what;
        bool all;
    } plain[] = {
        {"allcommands", COMMANDS, true}, {"nocommands", COMMANDS, false},
        {"allkeys", KEYS, true},         {"~*", KEYS, true},
        {"resetkeys", KEYS, false},      {"allchannels", CHANNELS, true},
        {"&*", CHANNELS, true},          {"resetchannels", CHANNELS, false},
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (!text_is(word.ptr, word.len, plain[i].word))
            continue;
        if (plain[i].what == COMMANDS) {
            set_all(selector, plain[i].all);
        } else if (plain[i].what == KEYS) {
            selector->all_keys = plain[i].all;
            texts_clear(&selector->keys);
        } else {
            selector->all_channels = plain[i].all;
            texts_clear(&selector->channels);
        }
        return true;
    }
    return false;
}

enum acl_error acl_selector_word(struct acl_selector *selector, struct arg word)
{
    if (word.len > ACL_WORD_MAX)
        return ACL_LIMIT;
    if (plain_word(selector, word))
        return ACL_FINE;
    switch (word.len > 0 ? word.ptr[0] : 0) {
    case '~':
    case '%':
        return key_word(selector, word);
    case '&':
        return channel_word(selector, word);
    case '+':
    case '-':
        return command_word(selector, word);
    default:
        return ACL_SYNTAX;
    }
}

/* ------------------------------------------------------------- copy, free */

enum acl_error acl_selector_copy(struct acl_selector *to,
                                 const struct acl_selector *from)
{
    enum acl_error error = ACL_FINE;
    *to = *from;
    to->keys = to->channels = to->firsts = (struct acl_texts){0};
    error = texts_copy(&to->keys, &from->keys);
    if (error == ACL_FINE)
        error = texts_copy(&to->channels, &from->channels);
    if (error == ACL_FINE)
        error = texts_copy(&to->firsts, &from->firsts);
    return error;
}

void acl_selector_release(struct acl_selector *selector)
{
    texts_clear(&selector->keys);
    texts_clear(&selector->channels);
    texts_clear(&selector->firsts);
}
