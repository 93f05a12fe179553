/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests: made, encoded, printed. */

#include "tests/request.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void request_add(struct request *request, const void *bytes, size_t len)
{
    if (request->argc == REQUEST_ARGS)
        return;
    char *copy = malloc(len + 1);
    assert(copy);
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    request->argv[request->argc].ptr = copy;
    request->argv[request->argc++].len = len;
}

void request_release(struct request *request)
{
    for (size_t i = 0; i < request->argc; i++)
        free(request->argv[i].ptr);
    request->argc = 0;
}

void request_encode(const struct request *request, char **bytes, size_t *len)
{
    size_t room = *len + 32;
    for (size_t i = 0; i < request->argc; i++)
        room += request->argv[i].len + 32;
    char *to = realloc(*bytes, room);
    assert(to);
    *bytes = to;
    to += *len;
    to += sprintf(to, "*%zu\r\n", request->argc);
    for (size_t i = 0; i < request->argc; i++) {
        to += sprintf(to, "$%zu\r\n", request->argv[i].len);
        memcpy(to, request->argv[i].ptr, request->argv[i].len);
        to += request->argv[i].len;
        *to++ = '\r';
        *to++ = '\n';
    }
    *len = (size_t)(to - *bytes);
}

void request_print(const struct request *request)
{
    for (size_t i = 0; i < request->argc; i++) {
        const char *bytes = request->argv[i].ptr;
        size_t len = request->argv[i].len, most = 80;
        printf(i ? " \"" : "  \"");
        for (size_t j = 0; j < len && j < most; j++) {
            unsigned char c = (unsigned char)bytes[j];
            if (c == '"' || c == '\\')
                printf("\\%c", c);
            else if (isprint(c))
                putchar(c);
            else
                printf("\\x%02x", c);
        }
        printf(len > most ? "...\"(%zu bytes)" : "\"", len);
    }
    putchar('\n');
}
