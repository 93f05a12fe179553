/* SPDX-License-Identifier: BSD-3-Clause */
/* From the text of an address to a listening socket. */

#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { WHY_MAX = 512 };

/* Closes the socket, keeps errno, and says what was not possible. */
static int fail(int fd, const char *what, const char *name, char *why)
{
    int error = errno;
    snprintf(why, WHY_MAX, "Cannot %s %s: %s", what, name, strerror(error));
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

static bool resolve(const char *address, int port, struct addrinfo **found)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
    };
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    if (strcmp(address, "*") == 0)
        address = "0.0.0.0";
    else if (strcmp(address, "::*") == 0)
        address = "::";
    return getaddrinfo(address, service, &hints, found) == 0;
}

static void describe(int fd, int *port, char *name)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    char host[INET6_ADDRSTRLEN] = "?";
    memset(&addr, 0, sizeof addr);
    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0) {
        snprintf(name, 140, "?");
        return;
    }
    if (addr.ss_family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&addr;
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
        *port = ntohs(in6->sin6_port);
        snprintf(name, 140, "[%s]:%d", host, *port);
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)&addr;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        *port = ntohs(in->sin_port);
        snprintf(name, 140, "%s:%d", host, *port);
    }
}

static int open_found(const struct addrinfo *found, int backlog,
                      const char *name, char *why)
{
    int on = 1;
    int fd =
        socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(-1, "open a socket for", name, why);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (found->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
        listen(fd, backlog) != 0)
        return fail(fd, "listen on", name, why);
    return fd;
}

int address_listen(const char *address, int *port, int backlog, char *name,
                   char *why)
{
    struct addrinfo *found;
    if (!resolve(address, *port, &found)) {
        snprintf(why, WHY_MAX, "'%s' is no address to bind to", address);
        errno = EINVAL;
        return -1;
    }
    char wanted[140];
    snprintf(wanted, sizeof wanted, "%.100s port %d", address, *port);
    int fd = open_found(found, backlog, wanted, why);
    int error = errno;
    freeaddrinfo(found);
    errno = error;
    if (fd >= 0)
        describe(fd, port, name);
    return fd;
}

/* Removes a socket that was left behind.  False: there is something at the
 * path that is in use or is no socket. */
static bool remove_stale(const struct sockaddr_un *addr)
{
    struct stat info;
    if (lstat(addr->sun_path, &info) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(info.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool alive =
        connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 ||
        errno != ECONNREFUSED;
    close(fd);
    errno = EADDRINUSE;
    return !alive && unlink(addr->sun_path) == 0;
}

int address_listen_unix(const char *path, unsigned mode, int backlog, char *why)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof addr.sun_path) {
        errno = ENAMETOOLONG;
        return fail(-1, "listen on", path, why);
    }
    strcpy(addr.sun_path, path);
    if (!remove_stale(&addr))
        return fail(-1, "listen on", path, why);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(-1, "open a socket for", path, why);
    mode_t old = umask(0177);
    int bound = bind(fd, (const struct sockaddr *)&addr, sizeof addr);
    umask(old);
    if (bound != 0 || chmod(path, mode) != 0 || listen(fd, backlog) != 0)
        return fail(fd, "listen on", path, why);
    return fd;
}

bool address_is_local(const struct sockaddr_storage *addr)
{
    if (addr->ss_family == AF_UNIX)
        return true;
    if (addr->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
        return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    }
    if (addr->ss_family != AF_INET6)
        return false;
    const struct in6_addr *in6 =
        &((const struct sockaddr_in6 *)addr)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(in6))
        return in6->s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(in6);
}
