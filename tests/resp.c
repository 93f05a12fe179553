/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be done with a reply that was read. */

#include "tests/resp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_items(struct resp *reply)
{
    for (size_t i = 0; reply->items && i < reply->count; i++)
        free_items(&reply->items[i]);
    free(reply->items);
}

void resp_free(struct resp *reply)
{
    if (!reply)
        return;
    free_items(reply);
    free((void *)(uintptr_t)reply->raw);
    free(reply);
}

const struct resp *resp_find(const struct resp *map, const char *key)
{
    size_t len = strlen(key);
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const struct resp *found = &map->items[i];
        if (found->text && found->len == len &&
            memcmp(found->text, key, len) == 0)
            return found + 1;
    }
    return NULL;
}

int resp_order(const struct resp *a, const struct resp *b)
{
    size_t len = a->raw_len < b->raw_len ? a->raw_len : b->raw_len;
    int order = memcmp(a->raw, b->raw, len);
    return order ? order
                 : (a->raw_len > b->raw_len) - (a->raw_len < b->raw_len);
}

bool resp_is(const struct resp *reply, char kind, const char *text)
{
    return reply && reply->kind == kind && reply->text &&
           reply->len == strlen(text) &&
           memcmp(reply->text, text, reply->len) == 0;
}

static void show_text(FILE *to, const struct resp *reply)
{
    fputc('"', to);
    for (size_t i = 0; i < reply->len; i++) {
        unsigned char c = (unsigned char)reply->text[i];
        if (c == '"' || c == '\\')
            fprintf(to, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", to);
        else if (c == '\r')
            fputs("\\r", to);
        else if (c < ' ' || c > '~')
            fprintf(to, "\\x%02x", c);
        else
            fputc(c, to);
    }
    fputc('"', to);
}

static void show(FILE *to, const struct resp *reply)
{
    bool map = reply->kind == '%';
    switch (reply->kind) {
    case '_':
        fputs("nil", to);
        return;
    case '#':
        fputs(reply->integer ? "true" : "false", to);
        return;
    case '$':
        show_text(to, reply);
        return;
    case '=':
    case '!':
        fputc(reply->kind, to);
        show_text(to, reply);
        return;
    case ',':
        fwrite(reply->text, 1, reply->len, to);
        return;
    case '*':
    case '~':
    case '>':
    case '%':
        break;
    default:
        fputc(reply->kind, to);
        fwrite(reply->text, 1, reply->len, to);
        return;
    }
    if (reply->kind == '~' || reply->kind == '>')
        fputc(reply->kind, to);
    fputc(map ? '{' : '[', to);
    for (size_t i = 0; i < reply->count; i++) {
        if (i > 0)
            fputs(map && i % 2 ? ": " : map ? ", " : " ", to);
        show(to, &reply->items[i]);
    }
    fputc(map ? '}' : ']', to);
}

char *resp_show(const struct resp *reply)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    if (!to)
        abort();
    if (reply)
        show(to, reply);
    else
        fputs("(no reply)", to);
    if (fclose(to) != 0)
        abort();
    return text;
}
