/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_ARGS_H
#define BENCH_ARGS_H

/*
 * Arguments of the bench programs: `--name value`, one row each.  A row has
 * either a number (sizes as 64mb, 1gb are numbers) or a text; what it holds
 * before is its default.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct args_row {
    const char *name; /* without the dashes */
    uint64_t *number;
    const char **text;
    const char *help;
};

/* Reads argv into the rows, which end with a row without name.  Prints help
 * and exits 0 for --help; complains and exits 1 about anything it does not
 * know.  `purpose` is the first line of the help. */
void args_read(const struct args_row *rows, const char *purpose, int argc,
               char **argv);

/* Complain and exit 1 unless the value of an argument is within the bounds, or
 * is one of the words, which end with NULL; its place among them.  The same of
 * values with commas between them: how many there are, at most `max`; those
 * places that are named become true. */
void args_within(const char *name, uint64_t value, uint64_t least,
                 uint64_t most);
unsigned args_word(const char *name, const char *text,
                   const char *const *words);
unsigned args_numbers(const char *name, const char *text, uint64_t least,
                      uint64_t most, uint64_t *numbers, unsigned max);
void args_words(const char *name, const char *text, const char *const *words,
                bool *named);

#endif
