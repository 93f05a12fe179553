/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as the words of a user's rules, and as a file of users: taken or
 * refused within bounds, and what was taken is written and read back the same.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/acl_check.h"
#include "server/acl_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
    if (!holds)
        abort();
}

/* The bytes between separators. */
static size_t split(const char *text, size_t len, char separator,
                    struct arg *words, size_t most)
{
    size_t count = 0;
    const char *end = text + len;
    while (count < most) {
        const char *stop = memchr(text, separator, (size_t)(end - text));
        size_t word = (size_t)((stop ? stop : end) - text);
        words[count++] = (struct arg){text, word};
        if (!stop)
            break;
        text = stop + 1;
    }
    return count;
}

static bool same_bits(const struct acl_rules *a, const struct acl_rules *b)
{
    if (a->selector_count != b->selector_count)
        return false;
    for (size_t i = 0; i < a->selector_count; i++)
        if (memcmp(a->selectors[i].commands, b->selectors[i].commands,
                   sizeof a->selectors[i].commands) != 0)
            return false;
    return true;
}

static bool same_text(const struct buf *a, const struct buf *b)
{
    return buf_len(a) == buf_len(b) &&
           memcmp(a->data + a->start, b->data + b->start, buf_len(a)) == 0;
}

/* The text of rules makes the same rules. */
static void check_text(const struct acl_rules *rules)
{
    static struct arg words[ACL_WORDS_MAX + 2];
    static char why[ACL_WHY_MAX];
    struct acl_rules *again = acl_rules_new();
    size_t count =
        split(rules->text.data + rules->text.start, buf_len(&rules->text), ' ',
              words, sizeof words / sizeof *words);
    expect(again != NULL);
    expect(acl_rules_words(again, words, count, why) == NULL);
    expect(same_text(&rules->text, &again->text));
    expect(same_bits(rules, again));
    expect(rules->everything == again->everything);
    acl_rules_disown(again);
}

/* Small steps and one large say the same of a request. */
static void check_requests(const struct acl_rules *rules)
{
    static const struct arg argv[] = {
        {"mset", 4}, {"a", 1}, {"", 0}, {"key:12", 6}, {"v", 1}};
    const struct command *row = command_find("mset", 4);
    struct acl_check at_once = {0}, slowly = {0};
    size_t all = SIZE_MAX;
    enum acl_verdict a = acl_check(rules, row, argv, 5, &at_once, &all), b;
    do {
        size_t few = 3;
        b = acl_check(rules, row, argv, 5, &slowly, &few);
    } while (b == ACL_MORE);
    expect(a == b && at_once.at == slowly.at);
    expect(!rules->everything || a == ACL_ALLOWED);
}

static void try_words(const char *text, size_t len)
{
    static struct arg words[ACL_WORDS_MAX + 2];
    static char why[ACL_WHY_MAX];
    struct acl_rules *rules = acl_rules_new();
    size_t count = split(text, len, '\n', words, sizeof words / sizeof *words);
    const char *error = acl_rules_words(rules, words, count, why);
    expect(error == NULL || strlen(error) < ACL_WHY_MAX);
    if (!error) {
        check_text(rules);
        check_requests(rules);
        acl_rules_admit(rules, text, len);
    }
    acl_rules_disown(rules);
}

static void write_all(const struct acl_users *users, struct buf *out)
{
    for (size_t i = 0; i < users->count; i++) {
        acl_file_line(out, acl_name(users->at[i]), users->at[i]->rules);
        buf_add_text(out, "\n");
    }
}

static void try_file(const char *text, size_t len)
{
    static char why[ACL_FILE_WHY_MAX];
    struct acl_users users = {0}, again = {0};
    struct buf first = {0}, second = {0};
    const char *error = acl_file_read(&users, "file", text, len, why);
    if (error) {
        expect(strlen(error) < ACL_FILE_WHY_MAX);
    } else if (users.count > 0) {
        write_all(&users, &first);
        expect(acl_file_read(&again, "file", first.data, buf_len(&first),
                             why) == NULL);
        write_all(&again, &second);
        expect(same_text(&first, &second));
        expect(users.bytes <= ACL_BYTES_MAX);
    }
    buf_release(&first);
    buf_release(&second);
    acl_users_release(&users);
    acl_users_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 'f')
        try_file((const char *)data + 1, size - 1);
    else
        try_words((const char *)data + 1, size - 1);
    return 0;
}
