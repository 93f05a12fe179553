/* SPDX-License-Identifier: BSD-3-Clause */
/* GET /budget and POST /budget. */

#include "budget_http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "acl.h"
#include "governor.h"
#include "http.h"
#include "log.h"
#include "options.h"
#include "platform.h"
#include "protocol/parse.h"
#include "protocol/text.h"
#include "server.h"

enum {
    LOOK_MS = 50,
    FORBIDDEN = 403,
    UNAUTHORIZED = 401,
};

/* A request that is answered later. */
struct waiting {
    struct waiting *next, **link;
    struct budget_http *budget;
    struct evhttp_request *req;
    struct event *look;
    int64_t until_ms; /* monotonic */
};

struct budget_http {
    struct http *http;
    struct server *server;
    struct waiting *waiting;
    _Atomic int64_t logged_denied; /* for log_rarely */
};

struct budget_http *budget_http_new(struct http *http, struct server *server)
{
    struct budget_http *budget = calloc(1, sizeof *budget);

    if (budget == NULL)
        return NULL;
    budget->http = http;
    budget->server = server;
    return budget;
}

static void forget(struct waiting *waiting)
{
    *waiting->link = waiting->next;
    if (waiting->next != NULL)
        waiting->next->link = waiting->link;
    if (waiting->look != NULL)
        event_free(waiting->look);
    free(waiting);
}

void budget_http_free(struct budget_http *budget)
{
    if (budget == NULL)
        return;
    while (budget->waiting != NULL)
        forget(budget->waiting);
    free(budget);
}

void budget_http_get(struct budget_http *budget, struct evhttp_request *req)
{
    struct governor_progress now;
    char text[256];

    governor_progress(budget->server->governor, &now);
    snprintf(text, sizeof text,
             "{\"budget\":%" PRIu64 ",\"resident\":%" PRIu64
             ",\"done\":%s,\"remaining\":%" PRIu64 ",\"floor\":%" PRIu64 "}\n",
             now.budget_bytes, now.resident_bytes, now.done ? "true" : "false",
             now.remaining_bytes, now.floor_bytes);
    http_answer_json(req, text);
}

/* ------------------------------------------------------------------ waiting */

static int64_t clock_ms(const struct server *server)
{
    const struct platform *platform = server->platform;

    return platform->monotonic_us(platform->ctx) / 1000;
}

/* Nothing is read from it meanwhile, so that nobody else notices. */
static bool is_gone(struct evhttp_request *req)
{
    struct bufferevent *bev =
        evhttp_connection_get_bufferevent(evhttp_request_get_connection(req));
    struct pollfd peer = {.fd = bufferevent_getfd(bev), .events = POLLRDHUP};

    return poll(&peer, 1, 0) == 1;
}

static void on_look(evutil_socket_t fd, short what, void *ctx)
{
    struct waiting *waiting = ctx;
    struct budget_http *budget = waiting->budget;
    struct evhttp_request *req = waiting->req;
    struct governor_progress now;

    (void)fd;
    (void)what;
    governor_progress(budget->server->governor, &now);
    if (!now.done && clock_ms(budget->server) < waiting->until_ms &&
        !is_gone(req))
        return;
    forget(waiting);
    budget_http_get(budget, req);
}

static void answer_later(struct budget_http *budget, struct evhttp_request *req,
                         int64_t wait_ms)
{
    const struct timeval every = {.tv_usec = LOOK_MS * 1000};
    struct waiting *waiting = calloc(1, sizeof *waiting);

    if (waiting == NULL) {
        budget_http_get(budget, req);
        return;
    }
    *waiting = (struct waiting){
        .next = budget->waiting,
        .link = &budget->waiting,
        .budget = budget,
        .req = req,
        .look =
            event_new(budget->server->base, -1, EV_PERSIST, on_look, waiting),
        .until_ms = clock_ms(budget->server) + wait_ms,
    };
    if (waiting->next != NULL)
        waiting->next->link = &waiting->next;
    budget->waiting = waiting;
    http_extend(budget->http, req, wait_ms);
    if (waiting->look == NULL || event_add(waiting->look, &every) != 0) {
        forget(waiting);
        budget_http_get(budget, req);
    }
}

/* -------------------------------------------------------------- permission */

static bool knows_password(struct server *server, struct evhttp_request *req)
{
    static const char scheme[] = "Bearer ";
    const char *given = evhttp_find_header(
        evhttp_request_get_input_headers(req), "Authorization");

    if (given == NULL || strncasecmp(given, scheme, strlen(scheme)) != 0)
        return false;
    given += strlen(scheme);
    return acl_password_ok(server->acl, given, strlen(given));
}

/* False: it was refused. */
static bool may_post(struct budget_http *budget, struct evhttp_request *req)
{
    enum { YES, NO };
    struct server *server = budget->server;

    if (server->conf.http_admin == NO) {
        http_answer_text(req, FORBIDDEN, "Forbidden",
                         "the option http-admin is no\n");
        return false;
    }
    if (acl_is_nopass(server->acl)) {
        http_answer_text(req, FORBIDDEN, "Forbidden",
                         "there is no password (requirepass): without one "
                         "nobody may change the budget here\n");
        return false;
    }
    if (knows_password(server, req))
        return true;
    log_rarely(server->log, &budget->logged_denied, LOG_WARNING,
               "A request to change the budget came without the password");
    evhttp_add_header(evhttp_request_get_output_headers(req),
                      "WWW-Authenticate", "Bearer");
    http_answer_text(req, UNAUTHORIZED, "Unauthorized",
                     "Authorization: Bearer must give the password\n");
    return false;
}

/* -------------------------------------------------------------------- POST */

static void refuse(struct evhttp_request *req, const char *why)
{
    http_answer_text(req, HTTP_BADREQUEST, "Bad Request", why);
}

/* Both parameters, each at most once, and no others. */
static const char *read_query(const struct evkeyvalq *query, const char **bytes,
                              int64_t *wait_ms)
{
    const char *wait = NULL;

    *bytes = NULL;
    *wait_ms = 0;
    for (const struct evkeyval *pair = query->tqh_first; pair != NULL;
         pair = pair->next.tqe_next) {
        const char **field = strcmp(pair->key, "bytes") == 0  ? bytes
                             : strcmp(pair->key, "wait") == 0 ? &wait
                                                              : NULL;

        if (field == NULL || *field != NULL)
            return "only bytes and wait, each once\n";
        *field = pair->value;
    }
    if (*bytes == NULL)
        return "bytes is missing\n";
    if (wait != NULL && (!text_to_int(wait, strlen(wait), wait_ms) ||
                         *wait_ms < 0 || *wait_ms > BUDGET_HTTP_WAIT_MAX_MS))
        return "wait must be between 0 and 600000 milliseconds\n";
    return NULL;
}

/* NULL, or what CONFIG SET would say. */
static const char *set_budget(struct server *server, const char *bytes,
                              char why[OPTIONS_WHY_MAX])
{
    const struct arg pair[] = {{"maxmemory", strlen("maxmemory")},
                               {bytes, strlen(bytes)}};
    char error[OPTIONS_WHY_MAX];

    if (options_set(server, pair, 1, error) == NULL)
        return NULL;
    const char *reason = strstr(error, " - ");
    snprintf(why, OPTIONS_WHY_MAX, "bytes: %.*s\n", OPTIONS_WHY_MAX - 16,
             reason == NULL ? error : reason + strlen(" - "));
    return why;
}

static void change(struct budget_http *budget, struct evhttp_request *req,
                   const struct evkeyvalq *query)
{
    char why[OPTIONS_WHY_MAX];
    const char *bytes;
    int64_t wait_ms;
    const char *error = read_query(query, &bytes, &wait_ms);

    if (error == NULL)
        error = set_budget(budget->server, bytes, why);
    if (error != NULL)
        refuse(req, error);
    else if (wait_ms > 0)
        answer_later(budget, req, wait_ms);
    else
        budget_http_get(budget, req);
}

void budget_http_post(struct budget_http *budget, struct evhttp_request *req)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *text = evhttp_uri_get_query(uri);
    struct evkeyvalq query;

    if (!may_post(budget, req))
        return;
    if (evhttp_parse_query_str(text == NULL ? "" : text, &query) != 0) {
        refuse(req, "what follows '?' cannot be read\n");
        return;
    }
    change(budget, req, &query);
    evhttp_clear_headers(&query);
}
