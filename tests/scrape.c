/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks the metrics port of a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/scrape.h"

enum { PATIENCE_MS = 60000 };

static struct sockaddr_in local(int port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port)};

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return addr;
}

/* A socket on a free port.  As long as it is there and does not listen, the
 * system gives the port to nobody who does not ask for it by number. */
static int reserve_port(int *port)
{
    struct sockaddr_in addr = local(0);
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    *port = ntohs(addr.sin_port);
    return fd;
}

static int start_with(void **state, const char *timeout_s, const char *option)
{
    struct scrape *scrape = calloc(1, sizeof *scrape);
    char port[16];

    assert_non_null(scrape);
    scrape->reserved = reserve_port(&scrape->port);
    snprintf(port, sizeof port, "%d", scrape->port);
    scrape->live =
        live_start("--metrics-port", port, "--metrics-timeout", timeout_s,
                   "--maxmemory", "64mb", option, "yes", NULL);
    scrape->redis = live_connect(scrape->live);
    *state = scrape;
    return 0;
}

int scrape_setup(void **state)
{
    return start_with(state, "60", NULL);
}

int scrape_setup_hasty(void **state)
{
    return start_with(state, "1", NULL);
}

int scrape_setup_admin(void **state)
{
    return start_with(state, "1", "--http-admin");
}

int scrape_setup_profile(void **state)
{
    return start_with(state, "60", "--heap-profile");
}

int scrape_teardown(void **state)
{
    struct scrape *scrape = *state;

    redisFree(scrape->redis);
    live_stop(scrape->live);
    close(scrape->reserved);
    free(scrape);
    return 0;
}

int scrape_dial(const struct scrape *scrape)
{
    struct sockaddr_in addr = local(scrape->port);

    return live_dial((struct sockaddr *)&addr, sizeof addr);
}

char *scrape_hear(int fd, size_t *len)
{
    size_t cap = 1 << 18;
    char *text = malloc(cap + 1);

    *len = 0;
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t got;

        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        got = read(fd, text + *len, cap - *len);
        if (got <= 0)
            break;
        *len += (size_t)got;
        assert_true(*len < cap);
    }
    text[*len] = '\0';
    close(fd);
    return text;
}

char *scrape_ask(const struct scrape *scrape, const char *request)
{
    int fd = scrape_dial(scrape);
    size_t len;

    live_send(fd, request, strlen(request));
    return scrape_hear(fd, &len);
}

int scrape_status(const char *answer)
{
    int status = 0;

    sscanf(answer, "HTTP/1.%*d %d ", &status);
    return status;
}

const char *scrape_body(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}
