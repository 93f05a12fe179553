/* SPDX-License-Identifier: BSD-3-Clause */
/* Users read from files and written to them. */

#include "acl_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/replace.h"
#include "limits.h"
#include "protocol/text.h"

static int shown(struct arg word)
{
    return word.len < LIMIT_ERROR_ECHO ? (int)word.len : LIMIT_ERROR_ECHO;
}

/* ----------------------------------------------------------------- reading */

/* What is found wrong; all of it is told, as far as there is room. */
struct reading {
    struct acl_users *users;
    const char *path;
    unsigned line;
    char *why;
    size_t used;
    struct arg words[ACL_WORDS_MAX + 2];
};

static void complain(struct reading *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void complain(struct reading *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len =
        vsnprintf(r->why + r->used, ACL_FILE_WHY_MAX - r->used, format, args);
    va_end(args);
    r->used += (size_t)len;
    if (r->used >= ACL_FILE_WHY_MAX)
        r->used = ACL_FILE_WHY_MAX - 1;
}

/* Without those of the bytes at its ends. */
static struct arg trimmed(struct arg text, const char *bytes)
{
    while (text.len > 0 && text.ptr[0] && strchr(bytes, text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && text.ptr[text.len - 1] &&
           strchr(bytes, text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* What is between single spaces; more words than a line may have: one too many
 * of them. */
static size_t split(struct arg line, struct arg *words)
{
    size_t count = 0;
    const char *end = line.ptr + line.len;
    for (const char *at = line.ptr; count < ACL_WORDS_MAX + 2; at++) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        const char *stop = space ? space : end;
        words[count++] = (struct arg){at, (size_t)(stop - at)};
        at = stop;
        if (!space)
            break;
    }
    return count;
}

/* Applies the words, complaining of all unknown commands and of one mistake of
 * another kind: those may follow from it, and may be secret. */
static void read_rules(struct reading *r, struct acl_rules *rules,
                       const struct acl_words *words)
{
    enum acl_error first = ACL_FINE;
    for (size_t i = 0; i < words->count; i++) {
        struct arg word = trimmed(words->at[i], "\t\r\n");
        enum acl_error error = acl_rules_word(rules, word);
        if (error == ACL_UNKNOWN)
            complain(r, "%s:%u: Error in applying operation '%.*s': %s. ",
                     r->path, r->line, shown(word), word.ptr,
                     acl_error_text(error));
        else if (first == ACL_FINE)
            first = error;
    }
    if (first == ACL_FINE)
        first = acl_rules_seal(rules);
    if (first != ACL_FINE)
        complain(r, "%s:%u: %s. ", r->path, r->line, acl_error_text(first));
}

static void read_user(struct reading *r, struct arg name,
                      const struct arg *words, size_t count)
{
    struct acl_words merged;
    struct acl_rules *rules = acl_rules_new();
    if (!rules) {
        complain(r, "%s. ", acl_error_text(ACL_NO_MEMORY));
        return;
    }
    if (acl_words_merge(words, count, &merged)) {
        read_rules(r, rules, &merged);
        acl_words_release(&merged);
    } else if (merged.unmatched < count) {
        complain(r, "%s:%u: Unmatched parenthesis in selector definition.",
                 r->path, r->line);
    } else {
        complain(r, "%s:%u: %s. ", r->path, r->line,
                 acl_error_text(merged.error));
    }
    if (r->used > 0) {
        acl_rules_disown(rules);
        return;
    }
    enum acl_error error = acl_users_add(r->users, name, rules);
    if (error != ACL_FINE)
        complain(r, "%s:%u: %s. ", r->path, r->line, acl_error_text(error));
}

static void read_line(struct reading *r, struct arg line)
{
    line = trimmed(line, " \t\r\n");
    if (line.len == 0)
        return;
    size_t count = split(line, r->words);
    struct arg name = r->words[1];
    if (count < 2 || r->words[0].len != 4 ||
        memcmp(r->words[0].ptr, "user", 4) != 0)
        complain(r,
                 "%s:%u should start with user keyword followed by the "
                 "username. ",
                 r->path, r->line);
    else if (!acl_name_fits(name))
        complain(r, "'%s:%u: username '%.*s' contains invalid characters. ",
                 r->path, r->line, shown(name), name.ptr);
    else if (acl_users_find(r->users, name))
        complain(r, "WARNING: Duplicate user '%.*s' found on line %u. ",
                 shown(name), name.ptr, r->line);
    else
        read_user(r, name, r->words + 2, count - 2);
}

const char *acl_file_read(struct acl_users *users, const char *path,
                          const char *text, size_t len, char *why)
{
    struct reading r = {.users = users, .path = path, .why = why};
    const char *end = text + len;
    for (const char *at = text; at < end; at++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            stop = end;
        r.line++;
        read_line(&r, (struct arg){at, (size_t)(stop - at)});
        at = stop;
    }
    if (r.used == 0)
        return NULL;
    complain(&r, "WARNING: ACL errors detected, no change to the previously "
                 "active ACL rules was performed");
    return why;
}

/* -------------------------------------------------------------- load, save */

/* The bytes of a regular file, to be freed; NULL: errno. */
static char *read_whole(const char *path, size_t *len)
{
    struct stat st;
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    errno = EFBIG;
    if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
        errno = EINVAL;
    else if (st.st_size <= ACL_FILE_MAX)
        text = malloc((size_t)st.st_size + 1);
    *len = 0;
    while (text && *len < (size_t)st.st_size) {
        ssize_t n = read(fd, text + *len, (size_t)st.st_size - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        *len += (size_t)n;
    }
    int error = errno;
    close(fd);
    errno = error;
    return text;
}

const char *acl_file_load(struct acl *acl, const char *path, char *why)
{
    struct acl_users users = {0};
    size_t len;
    char *text = read_whole(path, &len);
    if (!text) {
        snprintf(why, ACL_FILE_WHY_MAX,
                 "Error loading ACLs, opening file '%s': %s", path,
                 strerror(errno));
        return why;
    }
    const char *error = acl_file_read(&users, path, text, len, why);
    explicit_bzero(text, len);
    free(text);
    if (!error && !acl_replace(acl, &users))
        error = acl_error_text(ACL_LIMIT);
    acl_users_release(&users);
    return error;
}

void acl_file_line(struct buf *out, struct arg name,
                   const struct acl_rules *rules)
{
    buf_add_text(out, "user ");
    buf_add(out, name.ptr, name.len);
    buf_add_text(out, " ");
    buf_add(out, rules->text.data + rules->text.start, buf_len(&rules->text));
}

static void save_user(void *ctx, struct arg name, const struct acl_rules *rules,
                      bool initial)
{
    struct buf *out = ctx;
    (void)initial;
    acl_file_line(out, name, rules);
    buf_add_text(out, "\n");
}

const char *acl_file_save(struct acl *acl, const char *path, char *why)
{
    struct buf text = {0};
    struct replace replace;
    const struct acl_visit visit = {NULL, save_user, &text};
    acl_each(acl, &visit);
    const char *error = text.failed ? acl_error_text(ACL_NO_MEMORY)
                                    : replace_begin(&replace, path, why);
    if (!error) {
        fwrite(text.data + text.start, 1, buf_len(&text), replace.to);
        error = replace_end(&replace, NULL, why);
    }
    buf_release(&text);
    return error;
}

/* ------------------------------------------------------- the configuration */

/* A line of the configuration.  "default" begins anew there. */
static const char *begin_user(struct acl *acl, const struct conf_user *user,
                              char *why)
{
    struct arg words[CONF_VALUES_MAX + 1] = {{"reset", 5}};
    struct arg name = {user->words[0].ptr, user->words[0].len};
    bool anew = name.len == 7 && memcmp(name.ptr, "default", 7) == 0;
    size_t count = anew;
    for (size_t i = 1; i < user->count; i++)
        words[count++] = (struct arg){user->words[i].ptr, user->words[i].len};
    return acl_set_user(acl, name, words, count, why);
}

const char *acl_file_begin(struct acl *acl, const struct conf *conf, char *why)
{
    if (conf->aclfile[0] && conf->users)
        return "Configuring Redis with users defined in redis.conf and at the "
               "same setting an ACL file path is invalid. This setup is very "
               "likely to lead to configuration errors and security holes, "
               "please define either an ACL file or declare users directly in "
               "your redis.conf, but not both.";
    if (conf->aclfile[0])
        return acl_file_load(acl, conf->aclfile, why);
    for (const struct conf_user *user = conf->users; user; user = user->next) {
        char reason[ACL_WHY_MAX];
        const char *error = begin_user(acl, user, reason);
        if (!error)
            continue;
        snprintf(why, ACL_FILE_WHY_MAX, "user %.*s: %s",
                 shown((struct arg){user->words[0].ptr, user->words[0].len}),
                 user->words[0].ptr, error);
        return why;
    }
    return NULL;
}

struct exporting {
    struct conf *conf;
    bool failed;
};

static void export_user(void *ctx, struct arg name,
                        const struct acl_rules *rules, bool initial)
{
    struct exporting *exporting = ctx;
    struct arg found[ACL_WORDS_MAX + 2];
    struct conf_word words[ACL_WORDS_MAX + 3] = {{name.ptr, name.len}};
    if (initial)
        return;
    size_t count = split((struct arg){rules->text.data + rules->text.start,
                                      buf_len(&rules->text)},
                         found);
    for (size_t i = 0; i < count; i++)
        words[i + 1] = (struct conf_word){found[i].ptr, found[i].len};
    if (!conf_user_add(exporting->conf, words, count + 1))
        exporting->failed = true;
}

bool acl_file_export(struct acl *acl, struct conf *conf)
{
    struct exporting exporting = {.conf = conf};
    const struct acl_visit visit = {NULL, export_user, &exporting};
    acl_each(acl, &visit);
    return !exporting.failed;
}
