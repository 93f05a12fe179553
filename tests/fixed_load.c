/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same requests in the same order each time, for counting instructions:
 *
 *   fixed_load PORT
 *
 * A stretch is requests of one kind on one connection, a batch at a time, the
 * next one when all replies are there.  An ECHO stands before each stretch and
 * behind the last, and each stretch is a line: its name, and its requests.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/live.h"

enum {
    KEYS = 10000,
    STRIDE = 7919, /* from key to key; a prime, so that each has its turn */
    VALUE = 100,
    BATCH = 50,
    REQUEST = 256,
    TEXT = BATCH * REQUEST
};

enum kind { GET, SET, PING };

static const struct stretch {
    const char *name; /* NULL: it makes ready, and is not counted */
    enum kind kind;
    unsigned batch, count;
} stretches[] = {
    {NULL, SET, BATCH, KEYS},      {NULL, GET, BATCH, 1000},
    {"get-50", GET, BATCH, 20000}, {"get-1", GET, 1, 2000},
    {"set-50", SET, BATCH, 20000}, {"ping-50", PING, BATCH, 20000},
};

struct load {
    int fd;
    unsigned key; /* the last one */
    char value[VALUE + 1];
};

/* Writes a request; the length of the reply is added. */
static int write_request(struct load *load, const struct stretch *stretch,
                         char *to, size_t *reply)
{
    static const char get[] = "*2\r\n$3\r\nGET\r\n$16\r\nkey:%012u\r\n",
                      set[] = "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012u\r\n"
                              "$100\r\n%s\r\n";
    if (stretch->kind == PING) {
        *reply += strlen("+PONG\r\n");
        return sprintf(to, "*1\r\n$4\r\nPING\r\n");
    }
    load->key = (load->key + STRIDE) % KEYS;
    if (stretch->kind == GET) {
        *reply += strlen("$100\r\n") + VALUE + strlen("\r\n");
        return sprintf(to, get, load->key);
    }
    *reply += strlen("+OK\r\n");
    return sprintf(to, set, load->key, load->value);
}

/* Sends it and reads a reply that is as long. */
static void exchange(const struct load *load, const char *text, size_t len,
                     size_t reply)
{
    static char in[TEXT];
    if (live_send(load->fd, text, len) &&
        live_read(load->fd, in, reply) == reply)
        return;
    fprintf(stderr, "fixed_load: the server hung up\n");
    exit(1);
}

static void mark(const struct load *load)
{
    static const char echo[] = "*2\r\n$4\r\nECHO\r\n$4\r\nmark\r\n";
    exchange(load, echo, strlen(echo), strlen("$4\r\nmark\r\n"));
}

static void run(struct load *load, const struct stretch *stretch)
{
    static char out[TEXT];
    for (unsigned done = 0; done < stretch->count; done += stretch->batch) {
        size_t len = 0, reply = 0;
        for (unsigned i = 0; i < stretch->batch; i++)
            len += (size_t)write_request(load, stretch, out + len, &reply);
        exchange(load, out, len, reply);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct load load = {
        .fd = live_dial((const struct sockaddr *)&address, sizeof address)};
    memset(load.value, 'v', VALUE);
    for (size_t i = 0; i < sizeof stretches / sizeof *stretches; i++) {
        const struct stretch *stretch = &stretches[i];
        mark(&load);
        run(&load, stretch);
        printf("%s %u\n", stretch->name != NULL ? stretch->name : "-",
               stretch->count);
    }
    mark(&load);
    return 0;
}
