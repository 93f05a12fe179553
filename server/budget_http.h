/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BUDGET_HTTP_H
#define BUDGET_HTTP_H

/*
 * The budget over HTTP, for who resizes the container around it:
 *
 *   GET  /budget                    budget, resident, done, remaining, floor
 *   POST /budget?bytes=64mb         sets maxmemory, as CONFIG SET does
 *   POST /budget?bytes=50%&wait=ms  ... and answers when that is kept, or later
 *
 * Each answers with the same JSON.  POST is for who knows the password
 * (Authorization: Bearer), with http-admin yes.  On the main thread; a request
 * that waits is looked after by a timer.
 */

struct budget_http;
struct evhttp_request;
struct http;
struct server;

enum { BUDGET_HTTP_WAIT_MAX_MS = 10 * 60 * 1000 };

/* NULL: no memory. */
struct budget_http *budget_http_new(struct http *http, struct server *server);
void budget_http_free(struct budget_http *budget); /* NULL is fine */

void budget_http_get(struct budget_http *budget, struct evhttp_request *req);
void budget_http_post(struct budget_http *budget, struct evhttp_request *req);

#endif
