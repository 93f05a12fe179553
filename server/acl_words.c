/* SPDX-License-Identifier: BSD-3-Clause */
/* Words as they come, made whole: "(+get" "~a)" are one. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acl_rules.h"
#include "limits.h"

static size_t bytes_of(const struct arg *words, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += words[i].len + 1;
    return bytes;
}

bool acl_words_merge(const struct arg *words, size_t count,
                     struct acl_words *out)
{
    size_t bytes = bytes_of(words, count);
    *out = (struct acl_words){.unmatched = count, .error = ACL_NO_MEMORY};
    if (count > ACL_WORDS_MAX || bytes > ACL_LINE_MAX + 1) {
        out->error = ACL_LIMIT;
        return false;
    }
    out->at = malloc((count + 1) * sizeof *out->at);
    out->bytes = malloc(bytes + 1);
    if (!out->at || !out->bytes) {
        acl_words_release(out);
        return false;
    }
    char *to = out->bytes, *from = to;
    for (size_t i = 0; i < count; i++) {
        bool open = out->unmatched < count, empty = words[i].len == 0;
        bool closes = !empty && words[i].ptr[words[i].len - 1] == ')';
        if (!empty && words[i].ptr[0] == '(' && !closes) {
            out->unmatched = i; /* what was open is forgotten, as Redis does */
            to = from;
            open = true;
        } else if (open) {
            *to++ = ' ';
        }
        if (!empty)
            memcpy(to, words[i].ptr, words[i].len);
        to += words[i].len;
        if (open && !closes)
            continue;
        out->at[out->count++] = (struct arg){from, (size_t)(to - from)};
        out->unmatched = count;
        from = to;
    }
    if (out->unmatched == count)
        return true;
    size_t unmatched = out->unmatched;
    acl_words_release(out);
    out->unmatched = unmatched;
    return false;
}

void acl_words_release(struct acl_words *words)
{
    free(words->at);
    free(words->bytes);
    words->at = NULL;
    words->bytes = NULL;
    words->count = 0;
}

static int shown(const struct arg *word)
{
    return word->len < LIMIT_ERROR_ECHO ? (int)word->len : LIMIT_ERROR_ECHO;
}

/* Each of them, then the seal. */
static const char *apply(struct acl_rules *rules, const struct acl_words *words,
                         char *why)
{
    enum acl_error error = ACL_FINE;
    for (size_t i = 0; i < words->count; i++) {
        const struct arg *word = &words->at[i];
        error = acl_rules_word(rules, *word);
        if (error == ACL_FINE)
            continue;
        snprintf(why, ACL_WHY_MAX, "Error in ACL SETUSER modifier '%.*s': %s",
                 shown(word), word->ptr, acl_error_text(error));
        return why;
    }
    error = acl_rules_seal(rules);
    return error == ACL_FINE ? NULL : acl_error_text(error);
}

const char *acl_rules_words(struct acl_rules *rules, const struct arg *words,
                            size_t count, char *why)
{
    struct acl_words merged;
    if (!acl_words_merge(words, count, &merged)) {
        if (merged.unmatched == count)
            return acl_error_text(merged.error);
        const struct arg *word = &words[merged.unmatched];
        snprintf(why, ACL_WHY_MAX,
                 "Unmatched parenthesis in acl selector starting at '%.*s'.",
                 shown(word), word->ptr);
        return why;
    }
    const char *error = apply(rules, &merged, why);
    acl_words_release(&merged);
    return error;
}
