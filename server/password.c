/* SPDX-License-Identifier: BSD-3-Clause */
/* Keeps a password and compares others with it. */

#include "password.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

struct password {
    pthread_mutex_t lock;
    atomic_bool is_set;
    size_t len;
    char text[CONF_TEXT_MAX]; /* zeros behind it */
};

struct password *password_new(void)
{
    struct password *password = calloc(1, sizeof *password);

    if (password != NULL)
        pthread_mutex_init(&password->lock, NULL);
    return password;
}

void password_free(struct password *password)
{
    if (password == NULL)
        return;
    pthread_mutex_destroy(&password->lock);
    explicit_bzero(password, sizeof *password);
    free(password);
}

void password_set(struct password *password, const char *text)
{
    pthread_mutex_lock(&password->lock);
    password->len = strnlen(text, sizeof password->text);
    memset(password->text, 0, sizeof password->text);
    memcpy(password->text, text, password->len);
    atomic_store(&password->is_set, password->len > 0);
    pthread_mutex_unlock(&password->lock);
}

bool password_is_set(struct password *password)
{
    return atomic_load(&password->is_set);
}

/* Both sides lie in zeroed buffers of one size and all of it is compared:
 * neither the length of the password nor where a guess goes wrong shows. */
bool password_matches(struct password *password, const char *text, size_t len)
{
    char given[sizeof password->text] = {0};
    volatile unsigned char differ = 0;
    bool right;

    memcpy(given, text, len < sizeof given ? len : sizeof given);
    pthread_mutex_lock(&password->lock);
    for (size_t i = 0; i < sizeof given; i++)
        differ |= (unsigned char)(given[i] ^ password->text[i]);
    right = (differ == 0) & (len == password->len);
    pthread_mutex_unlock(&password->lock);
    explicit_bzero(given, sizeof given);
    return right;
}
