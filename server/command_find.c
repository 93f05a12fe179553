/* SPDX-License-Identifier: BSD-3-Clause */

/* Rows of the command table by their names, and what a row says of a
 * request. */

#include "command.h"

#include <string.h>

#include "protocol/text.h"

static int compare(const char *text, size_t len, const char *word)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 'A' && c <= 'Z')
            c |= 0x20;
        int diff = c - (unsigned char)word[i];
        if (diff || !word[i])
            return diff ? diff : 1; /* also a \0 inside the text */
    }
    return word[len] ? -1 : 0;
}

static const struct command *find_between(size_t low, size_t high, size_t skip,
                                          const char *text, size_t len)
{
    while (low < high) {
        size_t middle = (low + high) / 2;
        int diff = compare(text, len, command_table[middle].name + skip);
        if (!diff)
            return &command_table[middle];
        if (diff < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool command_is_named(const struct command *command, const char *name,
                      size_t len)
{
    const char *word = command->name;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        if (c >= 'A' && c <= 'Z')
            c |= 0x20;
        if (c != word[i] || !c || c == '|')
            return false;
    }
    return !word[len];
}

const struct command *command_find(const char *name, size_t len)
{
    if (memchr(name, '|', len))
        return NULL;
    return find_between(0, command_count, 0, name, len);
}

size_t command_sub_count(const struct command *command)
{
    size_t len = strlen(command->name), count = 0;
    for (size_t row = command_row(command) + 1; row < command_count; row++) {
        const char *name = command_table[row].name;
        if (strncmp(name, command->name, len) != 0 || name[len] != '|')
            break;
        count++;
    }
    return count;
}

const struct command *command_find_sub(const struct command *container,
                                       const char *name, size_t len)
{
    size_t first = command_row(container) + 1;
    return find_between(first, first + command_sub_count(container),
                        strlen(container->name) + 1, name, len);
}

const struct command *command_container(const struct command *command)
{
    const char *bar = strchr(command->name, '|');
    if (!bar)
        return NULL;
    return find_between(0, command_count, 0, command->name,
                        (size_t)(bar - command->name));
}

void command_upper(const struct command *command, char upper[COMMAND_UPPER])
{
    size_t i = 0;
    for (; i < COMMAND_UPPER - 1 && command->name[i] && command->name[i] != '|';
         i++)
        upper[i] = (char)(command->name[i] & ~0x20);
    upper[i] = 0;
}

bool command_keys(const struct command *command, const struct arg *argv,
                  size_t argc, struct command_keys *keys)
{
    size_t first = (size_t)command->keys.first;
    size_t step = (size_t)command->keys.step;
    if (first == 0)
        return false;
    int last = command->keys.last;
    size_t end = last < 0 ? argc - (size_t)-last : (size_t)last;
    int64_t count = end < first ? 0 : (int64_t)((end - first) / step + 1);
    const struct arg *number = &argv[command->keys.counted_by];
    if (command->keys.counted_by &&
        (!text_to_int(number->ptr, number->len, &count) || count <= 0 ||
         (uint64_t)count > (argc - first) / step))
        return false;
    *keys = (struct command_keys){first, step, (size_t)count};
    return true;
}
