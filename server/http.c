/* SPDX-License-Identifier: BSD-3-Clause */
/* Serves /metrics, /healthz, /budget and /pprof/heap. */

#include "http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "budget_http.h"
#include "heap_profile.h"
#include "metrics.h"
#include "server.h"

enum { SWEEP_MS = 100, BACKLOG = 64 };

/*
 * A connection.  evhttp does not tell when it drops one, nor does it limit the
 * time that a request takes as a whole.  So its bufferevent is kept alive by a
 * reference of ours, and a sweep looks at all of them:
 *
 *   accepted -----> evhttp is at it -----> evhttp freed it -----> swept
 *                        | too late             ^
 *                        +--> shutdown(fd) -----+
 */
struct scraper {
    struct scraper *next;
    struct bufferevent *bev;
    int64_t deadline_ms;
};

struct http {
    struct server *server;
    struct evhttp *evhttp;
    struct evconnlistener *listener;
    struct budget_http *budget;
    struct event *sweep; /* pending while there are connections */
    struct scraper *scrapers;
    size_t count, count_max;
    int64_t timeout_ms;
};

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ------------------------------------------------------------- connections */

static void sweep_soon(struct http *http)
{
    const struct timeval soon = {.tv_usec = SWEEP_MS * 1000};

    if (!event_pending(http->sweep, EV_TIMEOUT, NULL))
        event_add(http->sweep, &soon);
}

/* bufferevent_free takes the callbacks and their argument away. */
static bool is_freed(const struct scraper *scraper)
{
    void *evcon;

    bufferevent_getcb(scraper->bev, NULL, NULL, NULL, &evcon);
    return evcon == NULL;
}

static void sweep(evutil_socket_t fd, short what, void *ctx)
{
    struct http *http = ctx;
    struct scraper **at = &http->scrapers;
    int64_t now_ms = clock_ms(CLOCK_MONOTONIC);

    (void)fd;
    (void)what;
    while (*at != NULL) {
        struct scraper *scraper = *at;

        if (is_freed(scraper)) {
            *at = scraper->next;
            bufferevent_decref(scraper->bev);
            free(scraper);
            http->count--;
            continue;
        }
        if (now_ms >= scraper->deadline_ms)
            shutdown(bufferevent_getfd(scraper->bev), SHUT_RDWR);
        at = &scraper->next;
    }
    if (http->count < http->count_max)
        evconnlistener_enable(http->listener);
    if (http->count > 0)
        sweep_soon(http);
}

/* Makes the bufferevent of a connection that was just accepted. */
static struct bufferevent *accepted(struct event_base *base, void *ctx)
{
    struct http *http = ctx;
    struct scraper *scraper = malloc(sizeof *scraper);
    struct bufferevent *bev =
        bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

    if (scraper == NULL || bev == NULL) {
        free(scraper);
        return bev;
    }
    bufferevent_incref(bev);
    scraper->bev = bev;
    scraper->deadline_ms = clock_ms(CLOCK_MONOTONIC) + http->timeout_ms;
    scraper->next = http->scrapers;
    http->scrapers = scraper;
    if (++http->count >= http->count_max)
        evconnlistener_disable(http->listener);
    sweep_soon(http);
    return bev;
}

void http_extend(struct http *http, struct evhttp_request *req, int64_t ms)
{
    struct bufferevent *bev =
        evhttp_connection_get_bufferevent(evhttp_request_get_connection(req));

    for (struct scraper *scraper = http->scrapers; scraper != NULL;
         scraper = scraper->next)
        if (scraper->bev == bev)
            scraper->deadline_ms += ms;
}

/* No descriptors, most likely: trying again at once would fail again. */
static void accept_failed(struct evconnlistener *listener, void *ctx)
{
    evconnlistener_disable(listener);
    sweep_soon(ctx);
}

/* ---------------------------------------------------------------- requests */

static void answered(struct evhttp_request *req, void *ctx)
{
    struct http *http = ctx;

    (void)req;
    event_active(http->sweep, EV_TIMEOUT, 0);
}

static bool is_path(struct evhttp_request *req, const char *path)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *asked = uri == NULL ? NULL : evhttp_uri_get_path(uri);

    return asked != NULL && strcmp(asked, path) == 0;
}

static void answer(struct evhttp_request *req, int code, const char *reason,
                   const char *type, const char *body, size_t len)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    struct evbuffer *content = evbuffer_new();
    char digits[24];

    snprintf(digits, sizeof digits, "%zu", len);
    evhttp_add_header(headers, "Connection", "close");
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Content-Length", digits);
    if (code == HTTP_BADMETHOD)
        evhttp_add_header(headers, "Allow",
                          is_path(req, "/budget") ? "GET, HEAD, POST"
                                                  : "GET, HEAD");
    if (content != NULL && evhttp_request_get_command(req) != EVHTTP_REQ_HEAD)
        evbuffer_add(content, body, len);
    evhttp_send_reply(req, code, reason, content);
    if (content != NULL)
        evbuffer_free(content);
}

void http_answer_text(struct evhttp_request *req, int code, const char *reason,
                      const char *text)
{
    answer(req, code, reason, "text/plain; charset=utf-8", text, strlen(text));
}

void http_answer_json(struct evhttp_request *req, const char *text)
{
    answer(req, HTTP_OK, "OK", "application/json", text, strlen(text));
}

static void answer_metrics(struct evhttp_request *req, struct http *http)
{
    struct buf text = {0};

    metrics_write(http->server, clock_ms(CLOCK_REALTIME), &text);
    if (text.failed)
        http_answer_text(req, HTTP_SERVUNAVAIL, "Service Unavailable",
                         "no memory\n");
    else
        answer(req, HTTP_OK, "OK", "text/plain; version=0.0.4; charset=utf-8",
               text.data + text.start, buf_len(&text));
    buf_release(&text);
}

/* Every header is looked at: one that is there twice must not hide a body. */
static bool has_body(struct evhttp_request *req)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);

    for (const struct evkeyval *header = headers->tqh_first; header != NULL;
         header = header->next.tqe_next)
        if (strcasecmp(header->key, "Transfer-Encoding") == 0 ||
            (strcasecmp(header->key, "Content-Length") == 0 &&
             strcmp(header->value, "0") != 0))
            return true;
    return false;
}

static void handle(struct evhttp_request *req, void *ctx)
{
    struct http *http = ctx;
    enum evhttp_cmd_type method = evhttp_request_get_command(req);
    bool post = method == EVHTTP_REQ_POST && is_path(req, "/budget");

    evhttp_request_set_on_complete_cb(req, answered, http);
    if (!post && method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD)
        http_answer_text(req, HTTP_BADMETHOD, "Method Not Allowed",
                         "only GET and HEAD\n");
    else if (has_body(req))
        http_answer_text(req, HTTP_ENTITYTOOLARGE, "Content Too Large",
                         "no body, please\n");
    else if (post)
        budget_http_post(http->budget, req);
    else if (is_path(req, "/budget"))
        budget_http_get(http->budget, req);
    else if (is_path(req, "/metrics"))
        answer_metrics(req, http);
    else if (is_path(req, "/pprof/heap"))
        heap_profile_serve(http->server, req);
    else if (is_path(req, "/healthz"))
        http_answer_text(req, HTTP_OK, "OK", "ok\n");
    else
        http_answer_text(req, HTTP_NOTFOUND, "Not Found",
                         "only /metrics, /healthz and /budget\n");
}

/* ---------------------------------------------------------- start and stop */

static struct evconnlistener *
listen_on(struct event_base *base, const char *address, int64_t port, char *why)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV |
                                               AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    const unsigned flags =
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
    struct evconnlistener *listener;
    struct addrinfo *found = NULL;
    char service[8];
    int error;

    snprintf(service, sizeof service, "%u", (unsigned)(uint16_t)port);
    error = getaddrinfo(address, service, &hints, &found);
    if (error != 0) {
        snprintf(why, HTTP_WHY_MAX, "metrics-bind '%.200s': %s", address,
                 gai_strerror(error));
        return NULL;
    }
    listener = evconnlistener_new_bind(base, NULL, NULL, flags, BACKLOG,
                                       found->ai_addr, (int)found->ai_addrlen);
    if (listener == NULL)
        snprintf(why, HTTP_WHY_MAX, "metrics-port %s on %.200s: %s", service,
                 address, evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    freeaddrinfo(found);
    return listener;
}

static int port_of(struct evconnlistener *listener)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    char service[8];

    if (getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&addr,
                    &len) != 0 ||
        getnameinfo((struct sockaddr *)&addr, len, NULL, 0, service,
                    sizeof service, NI_NUMERICSERV) != 0)
        return 0;
    return atoi(service);
}

/* Takes over the listener. */
static bool set_up(struct http *http)
{
    const int methods = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                        EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                        EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
                        EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH;

    http->sweep = evtimer_new(http->server->base, sweep, http);
    http->evhttp = evhttp_new(http->server->base);
    http->budget = budget_http_new(http, http->server);
    if (http->sweep == NULL || http->evhttp == NULL || http->budget == NULL ||
        evhttp_bind_listener(http->evhttp, http->listener) == NULL) {
        evconnlistener_free(http->listener);
        return false;
    }
    evconnlistener_set_error_cb(http->listener, accept_failed);
    evhttp_set_max_headers_size(http->evhttp, HTTP_HEADERS_MAX);
    evhttp_set_max_body_size(http->evhttp, 0);
    evhttp_set_timeout(http->evhttp, (int)(http->timeout_ms / 1000));
    evhttp_set_allowed_methods(http->evhttp, (ev_uint16_t)methods);
    evhttp_set_bevcb(http->evhttp, accepted, http);
    evhttp_set_gencb(http->evhttp, handle, http);
    return true;
}

struct http *http_new(struct server *server, char *why)
{
    const struct conf *conf = &server->conf;
    struct http *http = calloc(1, sizeof *http);

    if (http == NULL) {
        snprintf(why, HTTP_WHY_MAX, "no memory");
        return NULL;
    }
    http->server = server;
    http->count_max = (size_t)conf->metrics_connections;
    http->timeout_ms = conf->metrics_timeout * 1000;
    http->listener =
        listen_on(server->base, conf->metrics_bind, conf->metrics_port, why);
    if (http->listener == NULL) {
        free(http);
        return NULL;
    }
    server->metrics_port = port_of(http->listener);
    if (!set_up(http)) {
        snprintf(why, HTTP_WHY_MAX, "no memory for metrics-port");
        http_free(http);
        return NULL;
    }
    return http;
}

void http_free(struct http *http)
{
    if (http == NULL)
        return;
    budget_http_free(http->budget);
    if (http->evhttp != NULL)
        evhttp_free(http->evhttp);
    while (http->scrapers != NULL) {
        struct scraper *scraper = http->scrapers;

        http->scrapers = scraper->next;
        bufferevent_decref(scraper->bev);
        free(scraper);
    }
    if (http->sweep != NULL)
        event_free(http->sweep);
    free(http);
}
