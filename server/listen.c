/* SPDX-License-Identifier: BSD-3-Clause */
/* Listening sockets, and accepting what comes to them. */

#include "listen.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "acl.h"
#include "address.h"
#include "limits.h"
#include "log.h"
#include "platform.h"
#include "pool.h"
#include "server.h"
#include "worker.h"

enum { LISTENERS_MAX = 16, PAUSE_MS = 20 };

struct listener {
    struct listeners *all;
    int fd;
    struct event *event;
    bool tcp;
    bool settled; /* all who wait to be accepted have inherited its options */
    int keepalive_s; /* of these */
    char name[140];  /* 127.0.0.1:6379, or the path */
};

struct listeners {
    struct server *server;
    struct listener list[LISTENERS_MAX];
    size_t count;
    int reserve; /* a descriptor kept free, to take and close a connection */
    struct event *resume;
    unsigned turn;         /* where the search for a worker begins */
    const char *unix_path; /* of the socket to be removed, or NULL */
};

/* ---------------------------------------------------------------- accepting */

static const char full_text[] = "-ERR max number of clients reached\r\n";

static const char no_memory_text[] =
    "-ERR max number of clients reached: maxmemory-clients has no room for "
    "more\r\n";

/* Redis's words, for those who look for them. */
static const char denied_text[] =
    "-DENIED Redis is running in protected mode because protected mode is "
    "enabled and no password is set for the default user. In this mode "
    "connections are only accepted from the loopback interface. If you want "
    "to connect from external computers to Redis you may adopt one of the "
    "following solutions: 1) Just disable protected mode sending the command "
    "'CONFIG SET protected-mode no' from the loopback interface by connecting "
    "to Redis from the same host the server is running, however MAKE SURE "
    "Redis is not publicly accessible from internet if you do so. Use CONFIG "
    "REWRITE to make this change permanent. 2) Alternatively you can just "
    "disable the protected mode by editing the Redis configuration file, and "
    "setting the protected mode option to 'no', and then restarting the "
    "server. 3) If you started the server manually just for testing, restart "
    "it with the '--protected-mode no' option. 4) Setup a an authentication "
    "password for the default user. NOTE: You only need to do one of the "
    "above things in order for the server to start accepting connections "
    "from the outside.\r\n";

static void turn_away(struct server *server, int fd, const char *text)
{
    const struct platform *platform = server->platform;
    atomic_fetch_add(&server->rejected_connections, 1);
    platform->write(platform->ctx, fd, text, strlen(text));
    close(fd);
}

static void set_options(int fd, int idle_s)
{
    int on = 1, unsent = LIMIT_KERNEL_UNSENT, probe = idle_s > 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &probe, sizeof probe);
    if (!probe)
        return;
    int interval_s = idle_s < 3 ? 1 : idle_s / 3, probes = 3;
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

/* Who connects inherits the listening socket's options, which saves as many
 * system calls for each as accepting takes time.  Not so who waits already. */
static void renew_options(struct listener *listener)
{
    int keepalive_s = (int)listener->all->server->limits.keepalive_s;
    if (!listener->tcp || listener->keepalive_s == keepalive_s)
        return;
    set_options(listener->fd, keepalive_s);
    listener->keepalive_s = keepalive_s;
    listener->settled = false;
}

static struct worker *least_loaded(struct listeners *all)
{
    struct server *server = all->server;
    struct worker *best = NULL;
    size_t fewest = SIZE_MAX;
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct worker *worker =
            &server->workers[(all->turn + i) % server->worker_count];
        size_t count =
            atomic_load_explicit(&worker->conn_count, memory_order_relaxed);
        if (count < fewest) {
            fewest = count;
            best = worker;
        }
    }
    all->turn++;
    return best;
}

static void welcome(struct listener *listener, int fd,
                    const struct sockaddr_storage *peer)
{
    struct server *server = listener->all->server;
    if (listener->tcp && server->limits.protected_mode &&
        !address_is_local(peer) && acl_is_nopass(server->acl)) {
        log_rarely(server->log, &server->logged_denied, LOG_WARNING,
                   "A client of another machine was refused: no password is "
                   "set");
        turn_away(server, fd, denied_text);
        return;
    }
    uint64_t clients = atomic_load(&server->client_count);
    if (clients >= (uint64_t)server->limits.clients) {
        log_rarely(server->log, &server->logged_full, LOG_WARNING,
                   "A client was refused: %llu are connected",
                   (unsigned long long)clients);
        turn_away(server, fd, full_text);
        return;
    }
    if (!pool_admits(server->pool, clients)) {
        log_rarely(server->log, &server->logged_no_memory, LOG_WARNING,
                   "A client was refused: %llu are connected, "
                   "maxmemory-clients has no room for more",
                   (unsigned long long)clients);
        turn_away(server, fd, no_memory_text);
        return;
    }
    /* Not pool_take: what workers have borrowed for replies must not turn
     * clients away. */
    pool_charge(server->pool, POOL_CONNECTION);
    if (listener->tcp && !listener->settled)
        set_options(fd, listener->keepalive_s);
    worker_adopt(least_loaded(listener->all), fd);
}

/* Without a reserve nobody is taken: a descriptor that became free would go to
 * a client, and those who come after could not even be refused.  False: there
 * is none.  That it cannot be had for other reasons is not in the way. */
static bool has_reserve(struct listeners *all)
{
    if (all->reserve < 0)
        all->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return all->reserve >= 0 ||
           (errno != EMFILE && errno != ENFILE && errno != ENOMEM);
}

/* Out of descriptors or memory: the connection that waits would wake us for
 * ever.  It is taken with the reserve and closed, and for a while nobody
 * looks. */
static void pause_all(struct listeners *all, int fd, int error)
{
    const struct timeval pause = {0, PAUSE_MS * 1000};
    const struct platform *platform = all->server->platform;
    log_rarely(all->server->log, &all->server->logged_accept, LOG_WARNING,
               "Clients cannot be accepted: %s", strerror(error));
    if (all->reserve >= 0) {
        close(all->reserve);
        int taken = platform->accept(platform->ctx, fd, NULL, NULL);
        if (taken >= 0)
            turn_away(all->server, taken, full_text);
        all->reserve = -1;
        has_reserve(all);
    }
    for (size_t i = 0; i < all->count; i++)
        event_del(all->list[i].event);
    event_add(all->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *ctx)
{
    struct listeners *all = ctx;
    (void)fd, (void)what;
    for (size_t i = 0; i < all->count; i++)
        event_add(all->list[i].event, NULL);
}

static void accept_some(struct listener *listener)
{
    struct listeners *all = listener->all;
    const struct platform *platform = all->server->platform;
    int fd = listener->fd;
    for (int i = 0; i < LIMIT_ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = sizeof peer;
        if (!has_reserve(all)) {
            pause_all(all, fd, errno);
            return;
        }
        int got =
            platform->accept(platform->ctx, fd, (struct sockaddr *)&peer, &len);
        if (got >= 0) {
            welcome(listener, got, &peer);
            continue;
        }
        switch (errno) {
        case EAGAIN:
            listener->settled = true;
            return;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            pause_all(all, fd, errno);
            return;
        default:
            /* The peer's troubles (ECONNABORTED and the like), or a signal:
             * the next one may be fine. */
            break;
        }
    }
}

static void on_connect(evutil_socket_t fd, short what, void *ctx)
{
    struct listener *listener = ctx;
    (void)fd, (void)what;
    renew_options(listener);
    accept_some(listener);
    workers_greet(listener->all->server);
}

/* ------------------------------------------------------------------ opening */

static bool add(struct listeners *all, int fd, bool tcp, const char *name,
                char *why)
{
    struct listener *listener = &all->list[all->count];
    if (all->count == LISTENERS_MAX) {
        close(fd);
        snprintf(why, 512, "More than %d addresses to listen on",
                 LISTENERS_MAX);
        return false;
    }
    listener->all = all;
    listener->fd = fd;
    listener->tcp = tcp;
    listener->keepalive_s = -1;
    renew_options(listener);
    snprintf(listener->name, sizeof listener->name, "%s", name);
    listener->event = event_new(all->server->base, fd, EV_READ | EV_PERSIST,
                                on_connect, listener);
    all->count++;
    if (listener->event)
        return true;
    snprintf(why, 512, "No memory for listening sockets");
    return false;
}

static void close_all(struct listeners *all)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].event)
            event_free(all->list[i].event);
        close(all->list[i].fd);
    }
    all->count = 0;
}

/* Opens every address of `bind` on the port; *port becomes the one that the
 * system chose.  *again: the choice collided with another address. */
static bool open_addresses(struct listeners *all, int *port, bool *again,
                           char *why)
{
    const struct conf *conf = &all->server->conf;
    char words[CONF_TEXT_MAX], *save = NULL;
    snprintf(words, sizeof words, "%s", conf->bind);
    *again = false;
    for (char *word = strtok_r(words, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        bool optional = word[0] == '-';
        char name[140];
        int fd = address_listen(word + optional, port, (int)conf->tcp_backlog,
                                name, why);
        if (fd < 0 && optional &&
            (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT))
            continue;
        if (fd < 0) {
            *again = errno == EADDRINUSE && conf->port == 0;
            return false;
        }
        if (!add(all, fd, true, name, why))
            return false;
    }
    if (all->count > 0)
        return true;
    snprintf(why, 512, "No address to listen on: bind is empty");
    return false;
}

static bool open_tcp(struct listeners *all, char *why)
{
    for (int i = 0; i < 10; i++) {
        int port = (int)all->server->conf.port;
        bool again;
        if (open_addresses(all, &port, &again, why)) {
            all->server->port = port;
            return true;
        }
        close_all(all);
        if (!again)
            break;
    }
    return false;
}

static bool open_unix(struct listeners *all, char *why)
{
    const struct conf *conf = &all->server->conf;
    if (conf->unixsocket[0] == '\0')
        return true;
    int fd =
        address_listen_unix(conf->unixsocket, (unsigned)conf->unixsocketperm,
                            (int)conf->tcp_backlog, why);
    if (fd < 0)
        return false;
    all->unix_path = conf->unixsocket;
    return add(all, fd, false, conf->unixsocket, why);
}

struct listeners *listeners_new(struct server *server, char *why)
{
    struct listeners *all = calloc(1, sizeof *all);
    if (!all) {
        snprintf(why, 512, "No memory for listening sockets");
        return NULL;
    }
    all->server = server;
    all->reserve = -1;
    has_reserve(all);
    all->resume = event_new(server->base, -1, 0, on_resume, all);
    if (all->resume && open_tcp(all, why) && open_unix(all, why))
        return all;
    listeners_free(all);
    return NULL;
}

void listeners_start(struct listeners *all)
{
    for (size_t i = 0; i < all->count; i++)
        event_add(all->list[i].event, NULL);
}

void listeners_free(struct listeners *all)
{
    if (!all)
        return;
    close_all(all);
    if (all->unix_path)
        unlink(all->unix_path);
    if (all->resume)
        event_free(all->resume);
    if (all->reserve >= 0)
        close(all->reserve);
    free(all);
}

void listeners_describe(const struct listeners *all, char *text, size_t size)
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < all->count && len < size; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s",
                                i > 0 ? ", " : "", all->list[i].name);
}
