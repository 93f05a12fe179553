/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_H
#define HTTP_H

/*
 * GET /metrics, GET /healthz and /budget, on a port of their own, by libevent's
 * evhttp on the main thread's base.  One request a connection, headers up to
 * HTTP_HEADERS_MAX bytes, no body, metrics-timeout seconds from accept to the
 * last byte; at metrics-connections the listener pauses.
 */

#include <stdint.h>

struct evhttp_request;
struct http;
struct server;

enum { HTTP_HEADERS_MAX = 8192, HTTP_WHY_MAX = 512 };

/*
 * Listens on metrics-bind and metrics-port and sets server->metrics_port.
 * NULL with a sentence in `why` (HTTP_WHY_MAX bytes) if it cannot.  Not to be
 * called when metrics-port is 0.  On the main thread, after stats_new.
 */
struct http *http_new(struct server *server, char *why);
void http_free(struct http *http); /* NULL is fine */

/* For who answers requests (budget_http.c): sends the answer; gives a request
 * more time than metrics-timeout. */
void http_answer_text(struct evhttp_request *req, int code, const char *reason,
                      const char *text);
void http_answer_json(struct evhttp_request *req, const char *text);
void http_extend(struct http *http, struct evhttp_request *req, int64_t ms);

#endif
