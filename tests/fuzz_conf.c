/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as an option file: read or refused within bounds, and what was
 * read is written and read back the same.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
    if (!holds)
        abort();
}

/* Every value goes through its text unchanged. */
static void check_values(const struct conf *conf)
{
    char text[CONF_TEXT_MAX], again[CONF_TEXT_MAX], why[CONF_TEXT_MAX];
    struct conf copy;

    conf_init(&copy);
    for (unsigned i = 0; i < CONF_COUNT; i++) {
        enum conf_id id = (enum conf_id)i;
        conf_get(conf, id, text);
        expect(conf_set(&copy, id, text, strlen(text), why) == NULL);
        conf_get(&copy, id, again);
        expect(strcmp(text, again) == 0);
    }
}

static int same_users(const struct conf_user *a, const struct conf_user *b)
{
    for (; a != NULL && b != NULL; a = a->next, b = b->next) {
        if (a->count != b->count)
            return 0;
        for (size_t i = 0; i < a->count; i++)
            if (strcmp(a->words[i].ptr, b->words[i].ptr) != 0)
                return 0;
    }
    return a == NULL && b == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* In memory: every run writes and syncs two files. */
    static char folder[] = "/dev/shm/ebb-fuzz-XXXXXX", path[64];
    struct conf conf, again;
    char why[CONF_TEXT_MAX], a[CONF_TEXT_MAX], b[CONF_TEXT_MAX];
    const char *message;
    FILE *file;

    if (path[0] == '\0') {
        expect(mkdtemp(folder) != NULL);
        snprintf(path, sizeof path, "%s/ebb.conf", folder);
    }
    file = fopen(path, "w");
    expect(file != NULL && fwrite(data, 1, size, file) == size);
    fclose(file);

    conf_init(&conf);
    message = conf_load_file(&conf, path, why);
    if (message != NULL) {
        expect(strlen(message) < CONF_TEXT_MAX);
        conf_users_free(&conf);
        unlink(path);
        return 0;
    }
    check_values(&conf);
    message = conf_rewrite(&conf, why);
    /* In quotes a user's line may have become too long. */
    expect(message == NULL || conf.users != NULL);
    conf_init(&again);
    expect(conf_load_file(&again, path, why) == NULL);
    expect(same_users(conf.users, again.users));
    conf_users_free(&conf);
    conf_users_free(&again);
    for (unsigned i = 0; i < CONF_COUNT; i++) {
        conf_get(&conf, (enum conf_id)i, a);
        conf_get(&again, (enum conf_id)i, b);
        expect(strcmp(a, b) == 0);
    }
    unlink(path);
    return 0;
}
