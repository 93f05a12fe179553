/* SPDX-License-Identifier: BSD-3-Clause */
/* protected-mode: nobody comes from elsewhere without a password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/console.h"
#include "tests/errors.h"
#include "tests/live.h"

/* An address of this machine that others could use, and its text. */
struct outside {
    struct sockaddr_storage addr;
    socklen_t len;
    char text[INET6_ADDRSTRLEN];
};

static bool take_outside(const struct ifaddrs *from, struct outside *outside)
{
    const void *bytes;
    if (!from->ifa_addr || !(from->ifa_flags & IFF_UP))
        return false;
    if (from->ifa_addr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)from->ifa_addr;
        bytes = &in->sin_addr;
        outside->len = sizeof *in;
        if (ntohl(in->sin_addr.s_addr) >> 24 == 127)
            return false;
    } else if (from->ifa_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)from->ifa_addr;
        bytes = &in6->sin6_addr;
        outside->len = sizeof *in6;
        if (IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
            IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
            return false;
    } else {
        return false;
    }
    memcpy(&outside->addr, from->ifa_addr, outside->len);
    return inet_ntop(outside->addr.ss_family, bytes, outside->text,
                     sizeof outside->text) != NULL;
}

/* The first one of the family. */
static bool find_outside(int family, struct outside *outside)
{
    struct ifaddrs *all;
    bool found = false;
    assert_int_equal(getifaddrs(&all), 0);
    for (struct ifaddrs *at = all; at && !found; at = at->ifa_next)
        found = take_outside(at, outside) && outside->addr.ss_family == family;
    freeifaddrs(all);
    return found;
}

/* To that address, so that the server sees the client come from it. */
static struct console come_from(struct outside *outside,
                                const struct live *live)
{
    struct console console = {0};
    in_port_t port = htons((uint16_t)live_port(live));
    if (outside->addr.ss_family == AF_INET)
        ((struct sockaddr_in *)&outside->addr)->sin_port = port;
    else
        ((struct sockaddr_in6 *)&outside->addr)->sin6_port = port;
    console.fd = live_dial((struct sockaddr *)&outside->addr, outside->len);
    return console;
}

static void is_denied(struct outside *outside, const struct live *live)
{
    struct console console = come_from(outside, live);
    const char *words = "-DENIED Redis is running in protected mode because "
                        "protected mode is enabled and no password is set";
    const char *text = live_read_all(console.fd);
    assert_memory_equal(text, words, strlen(words));
    assert_string_equal(text + strlen(text) - 2, "\r\n");
    console_close(&console);
}

static void check_outside(struct outside *outside)
{
    char bind[16 + INET6_ADDRSTRLEN];
    snprintf(bind, sizeof bind, "127.0.0.1 %s", outside->text);
    struct live *live = live_start("--bind", bind, NULL);
    struct console inside, console;
    redisContext *redis = live_connect(live);
    console_open(&inside, live);
    is_denied(outside, live);
    is_denied(outside, live);
    live_await_log(live, "A client of another machine was refused");
    assert_int_equal(live_info(redis, "rejected_connections"), 2);
    assert_string_equal(console_ask(&inside, "PING"), "+PONG");

    /* With a password, it is asked for it like any other. */
    console_ask(&inside, "CONFIG SET requirepass secret");
    console = come_from(outside, live);
    assert_string_equal(console_ask(&console, "PING"), NOAUTH);
    assert_string_equal(console_ask(&console, "AUTH secret"), "+OK");
    assert_string_equal(console_ask(&console, "PING"), "+PONG");

    /* Without one again, who is in stays; nobody else gets in. */
    console_ask(&inside, "CONFIG SET requirepass \"\"");
    is_denied(outside, live);
    assert_string_equal(console_ask(&console, "PING"), "+PONG");
    assert_int_equal(live_info(redis, "rejected_connections"), 3);
    console_close(&console);

    /* Unless all the world is let in. */
    console_ask(&inside, "CONFIG SET protected-mode no");
    console = come_from(outside, live);
    assert_string_equal(console_ask(&console, "PING"), "+PONG");
    console_close(&console);
    console_ask(&inside, "CONFIG SET protected-mode yes");
    is_denied(outside, live);
    console_close(&inside);
    redisFree(redis);
    live_stop(live);
}

static void others_need_a_password(int family, const char *name)
{
    struct outside outside;
    if (!find_outside(family, &outside)) {
        print_error("SKIPPED: this machine has no %s address that others "
                    "could use\n",
                    name);
        skip();
    }
    check_outside(&outside);
}

static void other_machines_need_a_password(void **state)
{
    (void)state;
    others_need_a_password(AF_INET, "IPv4");
}

static void other_machines_need_a_password_by_ipv6(void **state)
{
    (void)state;
    others_need_a_password(AF_INET6, "IPv6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_machines_need_a_password),
        cmocka_unit_test(other_machines_need_a_password_by_ipv6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
