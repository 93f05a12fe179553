/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder with a configuration file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/home.h"

int home_open(void **state)
{
    struct home *home = calloc(1, sizeof *home);

    assert_non_null(home);
    strcpy(home->folder, "/tmp/ebb-conf-XXXXXX");
    if (mkdtemp(home->folder) == NULL) {
        free(home);
        return -1;
    }
    snprintf(home->path, sizeof home->path, "%s/ebb.conf", home->folder);
    *state = home;
    return 0;
}

int home_close(void **state)
{
    struct home *home = *state;
    int result = rmdir(home->folder);

    free(home);
    return result;
}

int home_begin(void **state)
{
    struct home *home = *state;

    conf_init(&home->conf);
    unsetenv("EBB_REQUIREPASS");
    return 0;
}

int home_end(void **state)
{
    struct home *home = *state;

    conf_users_free(&home->conf);
    unlink(home->path);
    return 0;
}

void home_write(const struct home *home, const char *bytes, size_t len)
{
    FILE *file = fopen(home->path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

void home_file_is(const struct home *home, const char *text)
{
    char got[8192];
    FILE *file = fopen(home->path, "r");
    size_t len;

    assert_non_null(file);
    len = fread(got, 1, sizeof got - 1, file);
    got[len] = '\0';
    fclose(file);
    assert_string_equal(got, text);
}

const char *home_load_bytes(struct home *home, const char *bytes, size_t len)
{
    home_write(home, bytes, len);
    return conf_load_file(&home->conf, home->path, home->why);
}

const char *home_load(struct home *home, const char *text)
{
    return home_load_bytes(home, text, strlen(text));
}
