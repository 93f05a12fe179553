/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules of a user: built from words, counted, copied, freed. */

#include "acl_rules.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"

const char *acl_error_text(enum acl_error error)
{
    static const char *const texts[] = {
        [ACL_FINE] = "",
        [ACL_UNKNOWN] = "Unknown command or category name in ACL",
        [ACL_SYNTAX] = "Syntax error",
        [ACL_KEYS_AFTER_ALL] =
            "Adding a pattern after the * pattern (or the 'allkeys' flag) is "
            "not valid and does not have any effect. Try 'resetkeys' to start "
            "with an empty list of patterns",
        [ACL_CHANNELS_AFTER_ALL] =
            "Adding a pattern after the * pattern (or the 'allchannels' flag) "
            "is not valid and does not have any effect. Try 'resetchannels' "
            "to start with an empty list of channels",
        [ACL_NO_SUCH_PASSWORD] =
            "The password you are trying to remove from the user does not "
            "exist",
        [ACL_BAD_HASH] =
            "The password hash must be exactly 64 characters and contain only "
            "lowercase hexadecimal characters",
        [ACL_FIRST_OF_SUB] =
            "Allowing first-arg of a subcommand is not supported",
        [ACL_LIMIT] = "There is more of it than a user may have",
        [ACL_NO_MEMORY] = "There is no memory for it",
    };
    return texts[error];
}

/* ------------------------------------------------------------------- life */

static struct acl_rules *rules_alloc(void)
{
    struct acl_rules *rules = calloc(1, sizeof *rules);
    if (rules)
        atomic_init(&rules->owners, 1);
    return rules;
}

/* A new selector at the end; NULL: no memory. */
static struct acl_selector *add_selector(struct acl_rules *rules)
{
    struct acl_selector *at =
        realloc(rules->selectors, (rules->selector_count + 1) * sizeof *at);
    if (!at)
        return NULL;
    rules->selectors = at;
    at += rules->selector_count++;
    *at = (struct acl_selector){0};
    return at;
}

static void clear_selectors(struct acl_rules *rules, size_t keep)
{
    while (rules->selector_count > keep)
        acl_selector_release(&rules->selectors[--rules->selector_count]);
}

static void clear_passwords(struct acl_rules *rules)
{
    if (rules->passwords)
        explicit_bzero(rules->passwords,
                       rules->password_count * sizeof *rules->passwords);
    free(rules->passwords);
    rules->passwords = NULL;
    rules->password_count = 0;
}

struct acl_rules *acl_rules_new(void)
{
    struct acl_rules *rules = rules_alloc();
    if (rules && !add_selector(rules)) {
        acl_rules_disown(rules);
        return NULL;
    }
    return rules;
}

static bool copy_parts(struct acl_rules *to, const struct acl_rules *from)
{
    size_t size = from->password_count * sizeof *from->passwords;
    if (size > 0) {
        to->passwords = malloc(size);
        if (!to->passwords)
            return false;
        memcpy(to->passwords, from->passwords, size);
        to->password_count = from->password_count;
    }
    for (size_t i = 0; i < from->selector_count; i++) {
        struct acl_selector *selector = add_selector(to);
        if (!selector ||
            acl_selector_copy(selector, &from->selectors[i]) != ACL_FINE)
            return false;
    }
    return true;
}

struct acl_rules *acl_rules_copy(const struct acl_rules *rules)
{
    struct acl_rules *copy = rules_alloc();
    if (!copy)
        return NULL;
    copy->enabled = rules->enabled;
    copy->nopass = rules->nopass;
    copy->sanitize = rules->sanitize;
    if (copy_parts(copy, rules))
        return copy;
    acl_rules_disown(copy);
    return NULL;
}

struct acl_rules *acl_rules_own(struct acl_rules *rules)
{
    atomic_fetch_add_explicit(&rules->owners, 1, memory_order_relaxed);
    return rules;
}

void acl_rules_disown(struct acl_rules *rules)
{
    if (!rules || atomic_fetch_sub(&rules->owners, 1) != 1)
        return;
    if (rules->retired)
        atomic_fetch_sub(rules->retired, rules->bytes);
    clear_passwords(rules);
    clear_selectors(rules, 0);
    free(rules->selectors);
    buf_release(&rules->text);
    free(rules);
}

void acl_rules_retire(struct acl_rules *rules, _Atomic size_t *retired)
{
    assert(!rules->retired);
    rules->retired = retired;
    atomic_fetch_add(retired, rules->bytes);
}

/* -------------------------------------------------------------- passwords */

static bool read_hash(struct arg hex, uint8_t digest[SHA256_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    if (hex.len != SHA256_HEX)
        return false;
    for (size_t i = 0; i < SHA256_HEX; i++) {
        const char *digit = hex.ptr[i] ? strchr(digits, hex.ptr[i]) : NULL;
        if (!digit)
            return false;
        digest[i / 2] = (uint8_t)(digest[i / 2] << 4 | (digit - digits));
    }
    return true;
}

static size_t find_password(const struct acl_rules *rules,
                            const uint8_t digest[SHA256_BYTES])
{
    size_t i = 0;
    while (i < rules->password_count &&
           memcmp(rules->passwords[i], digest, SHA256_BYTES) != 0)
        i++;
    return i;
}

static enum acl_error add_password(struct acl_rules *rules,
                                   const uint8_t digest[SHA256_BYTES])
{
    size_t count = rules->password_count;
    rules->nopass = false;
    if (find_password(rules, digest) < count)
        return ACL_FINE;
    if (count == ACL_PASSWORDS_MAX)
        return ACL_LIMIT;
    uint8_t(*more)[SHA256_BYTES] = malloc((count + 1) * sizeof *more);
    if (!more)
        return ACL_NO_MEMORY;
    if (count > 0)
        memcpy(more, rules->passwords, count * sizeof *more);
    memcpy(more[count], digest, SHA256_BYTES);
    clear_passwords(rules);
    rules->passwords = more;
    rules->password_count = count + 1;
    return ACL_FINE;
}

static enum acl_error drop_password(struct acl_rules *rules,
                                    const uint8_t digest[SHA256_BYTES])
{
    size_t at = find_password(rules, digest);
    if (at == rules->password_count)
        return ACL_NO_SUCH_PASSWORD;
    rules->password_count--;
    memmove(rules->passwords[at], rules->passwords[at + 1],
            (rules->password_count - at) * sizeof *rules->passwords);
    return ACL_FINE;
}

/* ">text" "#hash" add it, "<text" "!hash" take it away. */
static enum acl_error password_word(struct acl_rules *rules, struct arg word)
{
    char what = word.ptr[0];
    struct arg text = {word.ptr + 1, word.len - 1};
    uint8_t digest[SHA256_BYTES];
    if (what == '>' || what == '<')
        sha256(text.ptr, text.len, digest);
    else if (!read_hash(text, digest))
        return ACL_BAD_HASH;
    return what == '>' || what == '#' ? add_password(rules, digest)
                                      : drop_password(rules, digest);
}

enum acl_error acl_rules_password(struct acl_rules *rules, const char *text,
                                  size_t len)
{
    uint8_t digest[SHA256_BYTES];
    clear_passwords(rules);
    rules->nopass = len == 0;
    if (len == 0)
        return ACL_FINE;
    sha256(text, len, digest);
    return add_password(rules, digest);
}

/* As many comparisons of as many bytes for whoever it is. */
bool acl_rules_admit(const struct acl_rules *rules, const char *password,
                     size_t len)
{
    static const uint8_t nobodys[SHA256_BYTES];
    uint8_t digest[SHA256_BYTES];
    unsigned right = 0;
    sha256(password, len, digest);
    for (size_t i = 0; i < ACL_PASSWORDS_MAX; i++) {
        bool there = rules && i < rules->password_count;
        const uint8_t *one = there ? rules->passwords[i] : nobodys;
        volatile unsigned char differ = 0;
        for (size_t j = 0; j < SHA256_BYTES; j++)
            differ |= (unsigned char)(one[j] ^ digest[j]);
        right |= (unsigned)there & (differ == 0);
    }
    explicit_bzero(digest, sizeof digest);
    return rules && rules->enabled && (right || rules->nopass);
}

/* ------------------------------------------------------------------ words */

/* "(+get ~a)": what is between the parentheses, one word after the other. */
static enum acl_error selector_word(struct acl_rules *rules, struct arg word)
{
    enum acl_error error = ACL_FINE;
    size_t at = 1, end = word.len - 1;
    if (rules->selector_count == ACL_SELECTORS_MAX)
        return ACL_LIMIT;
    struct acl_selector *selector = add_selector(rules);
    if (!selector)
        return ACL_NO_MEMORY;
    while (error == ACL_FINE && at < end) {
        size_t from = at;
        while (at < end && !isspace((unsigned char)word.ptr[at]))
            at++;
        struct arg one = {word.ptr + from, at - from};
        /* Written down, it would end the selector. */
        if (one.len > 0 && one.ptr[one.len - 1] == ')')
            error = ACL_SYNTAX;
        else if (one.len > 0)
            error = acl_selector_word(selector, one);
        at++;
    }
    return error;
}

static void reset(struct acl_rules *rules)
{
    clear_selectors(rules, 1);
    acl_selector_release(&rules->selectors[0]);
    rules->selectors[0] = (struct acl_selector){0};
    clear_passwords(rules);
    rules->nopass = rules->enabled = false;
    rules->sanitize = ACL_SANITIZE;
}

/* The words that are about the user and not about a selector. */
static bool user_word(struct acl_rules *rules, struct arg word)
{
    const char *text = word.ptr;
    if (text_is(text, word.len, "on")) {
        rules->enabled = true;
    } else if (text_is(text, word.len, "off")) {
        rules->enabled = false;
    } else if (text_is(text, word.len, "nopass")) {
        clear_passwords(rules);
        rules->nopass = true;
    } else if (text_is(text, word.len, "resetpass")) {
        clear_passwords(rules);
        rules->nopass = false;
    } else if (text_is(text, word.len, "sanitize-payload")) {
        rules->sanitize = ACL_SANITIZE;
    } else if (text_is(text, word.len, "skip-sanitize-payload")) {
        rules->sanitize = ACL_SANITIZE_SKIP;
    } else if (text_is(text, word.len, "clearselectors")) {
        clear_selectors(rules, 1);
    } else if (text_is(text, word.len, "reset")) {
        reset(rules);
    } else {
        return false;
    }
    return true;
}

enum acl_error acl_rules_word(struct acl_rules *rules, struct arg word)
{
    if (word.len == 0 || user_word(rules, word))
        return ACL_FINE;
    if (word.ptr[0] == '(' && word.ptr[word.len - 1] == ')')
        return selector_word(rules, word);
    if (word.len > ACL_WORD_MAX)
        return ACL_LIMIT;
    if (strchr("><#!", word.ptr[0]) && word.ptr[0])
        return password_word(rules, word);
    return acl_selector_word(&rules->selectors[0], word);
}

enum acl_error acl_rules_allow_all(struct acl_rules *rules)
{
    static const char *const words[] = {"+@all", "~*", "&*", "on", "nopass"};
    enum acl_error error = ACL_FINE;
    for (size_t i = 0; i < sizeof words / sizeof *words && !error; i++)
        error = acl_rules_word(rules, (struct arg){words[i], strlen(words[i])});
    return error;
}

/* ---------------------------------------------------------------- sealing */

static bool allows_everything(const struct acl_selector *selector)
{
    for (size_t row = 0; row < command_count; row++)
        if (!acl_selector_has(selector, row))
            return false;
    return selector->all_keys && selector->all_channels;
}

/* As the allocator rounds them. */
static size_t texts_bytes(const struct acl_texts *texts)
{
    size_t bytes = texts->count * (sizeof *texts->at + 16);
    for (size_t i = 0; i < texts->count; i++)
        bytes += texts->at[i].len + 1;
    return bytes;
}

static size_t bytes_of_rules(const struct acl_rules *rules)
{
    size_t bytes = sizeof *rules + rules->text.cap +
                   rules->password_count * sizeof *rules->passwords;
    for (size_t i = 0; i < rules->selector_count; i++) {
        const struct acl_selector *selector = &rules->selectors[i];
        bytes += sizeof *selector + texts_bytes(&selector->keys) +
                 texts_bytes(&selector->channels) +
                 texts_bytes(&selector->firsts);
    }
    return bytes;
}

static size_t words_of(const struct buf *text)
{
    size_t words = 1;
    for (size_t i = text->start; i < text->end; i++)
        words += text->data[i] == ' ';
    return words;
}

enum acl_error acl_rules_seal(struct acl_rules *rules)
{
    rules->text.max = ACL_LINE_MAX;
    acl_print(rules, &rules->text);
    if (rules->text.failed || words_of(&rules->text) > ACL_WORDS_MAX)
        return ACL_LIMIT;
    rules->everything = allows_everything(&rules->selectors[0]);
    rules->bytes = bytes_of_rules(rules);
    return ACL_FINE;
}
