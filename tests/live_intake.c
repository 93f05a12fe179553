/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients that are readable at one look of one worker, in scenes.  The same is
 * answered when their bytes come one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/intake_scenes.h"
#include "tests/resp_reader.h"
#include "tests/still.h"

enum { PATIENCE_MS = 60000, PIECE = 1000, FEW = 400 };

static const struct live *live;

struct client {
    int fd;
    struct resp_reader reader;
    char id[32];
};

static struct client clients[SCENE_CLIENTS];

/* ------------------------------------------------------------- one client */

static void say(struct client *client, const char *requests)
{
    size_t len;
    char *bytes = still_requests(requests, &len);
    assert_true(live_send(client->fd, bytes, len));
    free(bytes);
}

/* The next reply, to be freed. */
static char *hear(struct client *client)
{
    struct resp *reply = resp_await(&client->reader, client->fd, PATIENCE_MS);
    if (!reply)
        assert_true(live_is_closed(client->fd));
    char *shown = reply ? resp_show(reply) : strdup("(end)");
    resp_free(reply);
    return shown;
}

/* Replies until they are as long as what is expected. */
static char *hear_all(struct client *client, const char *expected)
{
    char *all = calloc(1, 1);
    size_t len = 0;
    bool over = false;
    while (len < strlen(expected) && !over) {
        char *one = hear(client);
        over = strcmp(one, "(end)") == 0;
        all = realloc(all, len + strlen(one) + 2);
        assert_non_null(all);
        len += (size_t)sprintf(all + len, "%s%s", len ? " " : "", one);
        free(one);
    }
    return all;
}

static bool fits(const char *heard, const char *expected)
{
    size_t len = strlen(expected);
    if (len > 0 && expected[len - 1] == '~')
        return strncmp(heard, expected, len - 1) == 0;
    return strcmp(heard, expected) == 0;
}

static void expect(const struct scene *scene, const struct row *row)
{
    if (!row->reply)
        return;
    char *heard = hear_all(&clients[row->client], row->reply);
    if (!fits(heard, row->reply) && !(row->or &&fits(heard, row->or))) {
        print_error("%s: client %u\nexpected %s\ngot      %s\n", scene->name,
                    row->client, row->reply, heard);
        fail();
    }
    free(heard);
}

/* Until the server has seen what came before. */
static void settle(void)
{
    for (int i = 0; i < 2; i++) {
        say(&clients[BOSS], "PING");
        char *heard = hear(&clients[BOSS]);
        assert_string_equal(heard, "+PONG");
        free(heard);
    }
}

static void boss_does(const char *requests)
{
    say(&clients[BOSS], requests);
    for (const char *at = requests; at; at = strchr(at + 1, ';')) {
        char *heard = hear(&clients[BOSS]);
        if (heard[0] == '-')
            fail_msg("%s: %s", requests, heard);
        free(heard);
    }
}

/* ----------------------------------------------------------------- scenes */

static void open_all(const struct scene *scene)
{
    for (unsigned i = 0; i < SCENE_CLIENTS; i++)
        clients[i] = (struct client){0};
    clients[BOSS].fd = live_socket(live);
    boss_does("FLUSHALL");
    if (scene->before)
        boss_does(scene->before);
    for (unsigned i = 0; i < BOSS; i++) {
        struct client *client = &clients[i];
        client->fd = live_socket(live);
        if (scene->before)
            continue;
        say(client, "CLIENT ID");
        char *heard = hear(client);
        snprintf(client->id, sizeof client->id, "%s", heard + 1);
        free(heard);
    }
}

/* Nobody was told more than the scene says. */
static void close_all(const struct scene *scene)
{
    for (unsigned i = 0; i < SCENE_CLIENTS; i++) {
        struct client *client = &clients[i];
        char byte;
        ssize_t more = recv(client->fd, &byte, 1, MSG_DONTWAIT);
        if (more > 0 || client->reader.end > client->reader.start)
            fail_msg("%s: client %u hears more", scene->name, i);
        close(client->fd);
        resp_release(&client->reader);
    }
}

/* "%1" is the id of client 1. */
static char *with_ids(const char *text)
{
    char *to = calloc(1, strlen(text) * 32 + 1), *at = to;
    assert_non_null(to);
    for (; *text; text++) {
        if (*text == '%')
            at += sprintf(at, "%s", clients[*++text - '0'].id);
        else
            *at++ = *text;
    }
    return to;
}

static void send_row(const struct row *row, bool slowly)
{
    struct client *client = &clients[row->client];
    size_t len, raw = row->raw ? strlen(row->raw) : 0;
    char *text = with_ids(row->send ? row->send : "");
    char *bytes = still_requests(text, &len);
    bytes = realloc(bytes, len + raw + 1);
    assert_non_null(bytes);
    if (raw > 0)
        memcpy(bytes + len, row->raw, raw);
    len += raw;
    size_t piece = !slowly ? len : len < FEW ? 1 : PIECE;
    for (size_t at = 0; at < len; at += piece)
        if (!live_send(client->fd, bytes + at,
                       len - at < piece ? len - at : piece))
            break;
    if (row->ends)
        shutdown(client->fd, SHUT_WR);
    free(bytes);
    free(text);
}

static bool is_row(const struct scene *scene, size_t at)
{
    const struct row *row = &scene->rows[at];
    return at < SCENE_ROWS &&
           (row->send || row->raw || row->reply || row->ends);
}

static void play_together(const struct scene *scene)
{
    for (size_t first = 0, end = 0; is_row(scene, first); first = end) {
        still_begin(live);
        do
            send_row(&scene->rows[end++], false);
        while (is_row(scene, end) && !scene->rows[end].apart);
        still_end(live);
        for (size_t i = first; i < end; i++)
            expect(scene, &scene->rows[i]);
        settle();
    }
}

static void play_slowly(const struct scene *scene)
{
    for (size_t i = 0; is_row(scene, i); i++) {
        send_row(&scene->rows[i], true);
        expect(scene, &scene->rows[i]);
        settle();
    }
}

static void play(const struct scene *scene, bool slowly)
{
    open_all(scene);
    if (slowly)
        play_slowly(scene);
    else
        play_together(scene);
    boss_does("CLIENT UNPAUSE; CONFIG SET requirepass ''");
    close_all(scene);
}

static void together(void **state)
{
    live = *state;
    for (size_t i = 0; i < scene_count; i++)
        play(&scenes[i], false);
}

static void one_by_one(void **state)
{
    live = *state;
    for (size_t i = 0; i < scene_count; i++)
        play(&scenes[i], true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(together),
        cmocka_unit_test(one_by_one),
    };
    return cmocka_run_group_tests(tests, live_setup_debug, live_teardown);
}
