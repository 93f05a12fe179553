/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_H
#define HTTP_H

/*
 * GET /metrics and GET /healthz, on a port of their own, by libevent's evhttp
 * on the main thread's base.  One request a connection, headers up to
 * HTTP_HEADERS_MAX bytes, no body, metrics-timeout seconds from accept to the
 * last byte; at metrics-connections the listener pauses.
 */

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

#endif
