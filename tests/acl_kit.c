/* SPDX-License-Identifier: BSD-3-Clause */
/* Users and their rules, for tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/acl_file.h"
#include "tests/acl_kit.h"

size_t acl_kit_split(const char *text, struct arg *words)
{
    size_t count = 0;
    while (*text) {
        size_t len = strcspn(text, " ");
        assert_true(count < ACL_KIT_WORDS);
        words[count++] = (struct arg){text, len};
        text += len + (text[len] == ' ');
    }
    return count;
}

const char *acl_kit_apply(struct acl_rules *rules, const char *text)
{
    static char why[ACL_WHY_MAX];
    struct arg words[ACL_KIT_WORDS];
    size_t count = acl_kit_split(text, words);
    const char *error = acl_rules_words(rules, words, count, why);
    return error ? error : "";
}

struct acl_rules *acl_kit_rules(const char *text)
{
    struct acl_rules *rules = acl_rules_new();
    assert_non_null(rules);
    assert_string_equal(acl_kit_apply(rules, text), "");
    return rules;
}

int acl_kit_begin(void **state)
{
    struct acl_kit *f = calloc(1, sizeof *f);
    strcpy(f->folder, "/tmp/ebb-acl-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/users.acl", f->folder);
    f->acl = acl_new(&f->version);
    assert_non_null(f->acl);
    *state = f;
    return 0;
}

int acl_kit_end(void **state)
{
    struct acl_kit *f = *state;
    acl_free(f->acl);
    unlink(f->path);
    rmdir(f->folder);
    free(f);
    return 0;
}

struct arg acl_kit_arg(const char *text)
{
    return (struct arg){text, strlen(text)};
}

const char *acl_kit_set(struct acl_kit *f, const char *name, const char *words)
{
    static char why[ACL_WHY_MAX];
    struct arg args[ACL_KIT_WORDS];
    size_t count = acl_kit_split(words, args);
    const char *error =
        acl_set_user(f->acl, acl_kit_arg(name), args, count, why);
    return error ? error : "";
}

static void add_line(void *ctx, struct arg name, const struct acl_rules *rules,
                     bool initial)
{
    struct buf *out = ctx;
    acl_file_line(out, name, rules);
    buf_add_text(out, initial ? " (initial)\n" : "\n");
}

const char *acl_kit_all(struct acl_kit *f)
{
    static char text[4096];
    struct buf out = {0};
    const struct acl_visit visit = {NULL, add_line, &out};
    acl_each(f->acl, &visit);
    assert_true(buf_len(&out) < sizeof text);
    memcpy(text, out.data + out.start, buf_len(&out));
    text[buf_len(&out)] = 0;
    buf_release(&out);
    return text;
}
