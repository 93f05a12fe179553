/* SPDX-License-Identifier: BSD-3-Clause */
/* Arguments of the bench programs. */

#include "bench/args.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct suffix {
    const char *name;
    unsigned shift;
} suffixes[] = {{"", 0}, {"kb", 10}, {"mb", 20}, {"gb", 30}};

/* 0, or -1 if the text is no number. */
static int read_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || !isdigit((unsigned char)text[0]))
        return -1;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        unsigned shift = suffixes[i].shift;
        if (strcasecmp(end, suffixes[i].name) != 0 ||
            value > UINT64_MAX >> shift)
            continue;
        *number = (uint64_t)value << shift;
        return 0;
    }
    return -1;
}

static void print_help(const struct args_row *rows, const char *purpose)
{
    printf("%s\n", purpose);
    for (const struct args_row *row = rows; row->name != NULL; row++) {
        if (row->number != NULL)
            printf("  --%-12s %s (%llu)\n", row->name, row->help,
                   (unsigned long long)*row->number);
        else
            printf("  --%-12s %s (%s)\n", row->name, row->help,
                   *row->text != NULL ? *row->text : "");
    }
}

static void refuse(const char *what, const char *about)
{
    fprintf(stderr, "%s: %s; --help lists the arguments\n", about, what);
    exit(1);
}

void args_read(const struct args_row *rows, const char *purpose, int argc,
               char **argv)
{
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help(rows, purpose);
            exit(0);
        }
        const struct args_row *row = rows;
        while (row->name != NULL && (strncmp(argv[i], "--", 2) != 0 ||
                                     strcmp(argv[i] + 2, row->name) != 0))
            row++;
        if (row->name == NULL)
            refuse("no such argument", argv[i]);
        if (i + 1 == argc)
            refuse("needs a value", argv[i]);
        if (row->number == NULL)
            *row->text = argv[i + 1];
        else if (read_number(argv[i + 1], row->number) != 0)
            refuse("must be a number", argv[i]);
    }
}

void args_within(const char *name, uint64_t value, uint64_t least,
                 uint64_t most)
{
    if (value >= least && value <= most)
        return;
    fprintf(stderr, "--%s %llu: must be ", name, (unsigned long long)value);
    if (most == UINT64_MAX)
        fprintf(stderr, "at least %llu\n", (unsigned long long)least);
    else
        fprintf(stderr, "%llu to %llu\n", (unsigned long long)least,
                (unsigned long long)most);
    exit(1);
}

unsigned args_word(const char *name, const char *text, const char *const *words)
{
    unsigned i = 0;
    while (words[i] != NULL && strcmp(words[i], text) != 0)
        i++;
    if (words[i] != NULL)
        return i;
    fprintf(stderr, "--%s %s: must be one of", name, text);
    for (i = 0; words[i] != NULL; i++)
        fprintf(stderr, " %s", words[i]);
    fputc('\n', stderr);
    exit(1);
}

/* Copies what stands before the next comma; what comes behind it, or NULL. */
static const char *next_part(const char *text, char *part, size_t size)
{
    size_t len = strcspn(text, ",");
    snprintf(part, size, "%.*s", (int)len, text);
    return text[len] == ',' ? text + len + 1 : NULL;
}

unsigned args_numbers(const char *name, const char *text, uint64_t least,
                      uint64_t most, uint64_t *numbers, unsigned max)
{
    char part[32], dashed[32];
    unsigned count = 0;
    snprintf(dashed, sizeof dashed, "--%s", name);
    while (text != NULL) {
        text = next_part(text, part, sizeof part);
        if (count == max)
            refuse("too many numbers", dashed);
        if (read_number(part, &numbers[count]) != 0)
            refuse("must be numbers with commas between them", dashed);
        args_within(name, numbers[count++], least, most);
    }
    return count;
}

void args_words(const char *name, const char *text, const char *const *words,
                bool *named)
{
    char part[32];
    while (text != NULL) {
        text = next_part(text, part, sizeof part);
        named[args_word(name, part, words)] = true;
    }
}
