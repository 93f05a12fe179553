/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT TRACKING, CACHING, TRACKINGINFO and GETREDIR. */

#include "call.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "ask.h"
#include "client.h"
#include "conn.h"
#include "track_prefixes.h"
#include "tracking.h"
#include "worker.h"

/* --------------------------------------------------------------- TRACKING */

/* The request, as it is parsed. */
struct wish {
    unsigned mode;
    struct tracking_redirect redirect;
    struct arg prefixes[TRACK_PREFIXES_CLIENT];
    size_t count;
};

/* Where the client redirected to is: its worker's number + 1, 0: nowhere. */
struct search {
    uint64_t id;
    atomic_uint found;
};

enum parsed { PARSED, PARSED_ERROR, PARSED_SEARCH };

static enum parsed fail(struct call *call, const char *error)
{
    reply_error(&call->reply, error);
    return PARSED_ERROR;
}

/* Other workers may have to be asked: then it is parsed once more when they
 * have answered. */
static enum parsed parse_redirect(struct call *call, struct arg arg,
                                  struct wish *wish)
{
    struct search *search = ask_ctx(call);
    int64_t id;
    if (wish->redirect.client != 0)
        return fail(call,
                    "ERR A client can only redirect to a single other client");
    if (!text_to_int(arg.ptr, arg.len, &id))
        return fail(call, ERROR_NOT_INT);
    wish->redirect.client = (uint64_t)id;
    if (id > 0 && !search)
        return PARSED_SEARCH;
    unsigned found = id > 0 ? atomic_load(&search->found) : 0;
    if (found == 0)
        return fail(call, "ERR The client ID you want redirect to does not "
                          "exist");
    wish->redirect.worker = found - 1;
    return PARSED;
}

static enum parsed parse_prefix(struct call *call, struct arg arg,
                                struct wish *wish)
{
    if (wish->count == TRACK_PREFIXES_CLIENT || arg.len > TRACK_PREFIX_MAX) {
        reply_errorf(&call->reply, "ERR at most %d prefixes of %d bytes",
                     TRACK_PREFIXES_CLIENT, TRACK_PREFIX_MAX);
        return PARSED_ERROR;
    }
    wish->prefixes[wish->count++] = arg;
    return PARSED;
}

static bool parse_mode(const struct arg *arg, unsigned *mode)
{
    static const struct {
        const char *word;
        unsigned mode;
    } modes[] = {{"bcast", TRACKING_BCAST},
                 {"optin", TRACKING_OPTIN},
                 {"optout", TRACKING_OPTOUT},
                 {"noloop", TRACKING_NOLOOP}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (arg_is(arg, modes[i].word)) {
            *mode |= modes[i].mode;
            return true;
        }
    return false;
}

static enum parsed parse(struct call *call, struct wish *wish)
{
    enum parsed parsed = PARSED;
    for (size_t i = 3; i < call->argc && parsed == PARSED; i++) {
        const struct arg *arg = &call->argv[i];
        bool more = i + 1 < call->argc;
        if (more && arg_is(arg, "redirect"))
            parsed = parse_redirect(call, call->argv[++i], wish);
        else if (more && arg_is(arg, "prefix"))
            parsed = parse_prefix(call, call->argv[++i], wish);
        else if (!parse_mode(arg, &wish->mode))
            parsed = fail(call, ERROR_SYNTAX);
    }
    return parsed;
}

/* What the wish asks for is possible, in itself and beside what is. */
static bool modes_fit(struct call *call, const struct wish *wish)
{
    const struct tracker *tracker = call->session->tracker;
    unsigned now = wish->mode, old = tracker ? tracking_mode(tracker) : 0;
    const char *error = NULL;
    if (!(now & TRACKING_BCAST) && wish->count > 0)
        error = "ERR PREFIX option requires BCAST mode to be enabled";
    else if (tracker && (now ^ old) & TRACKING_BCAST)
        error = "ERR You can't switch BCAST mode on/off before disabling "
                "tracking for this client, and then re-enabling it with a "
                "different mode.";
    else if (now & TRACKING_BCAST && now & (TRACKING_OPTIN | TRACKING_OPTOUT))
        error = "ERR OPTIN and OPTOUT are not compatible with BCAST";
    else if (now & TRACKING_OPTIN && now & TRACKING_OPTOUT)
        error = "ERR You can't specify both OPTIN mode and OPTOUT mode";
    else if ((now & TRACKING_OPTIN && old & TRACKING_OPTOUT) ||
             (now & TRACKING_OPTOUT && old & TRACKING_OPTIN))
        error = "ERR You can't switch OPTIN/OPTOUT mode before disabling "
                "tracking for this client, and then re-enabling it with a "
                "different mode.";
    if (error)
        reply_error(&call->reply, error);
    return !error;
}

static bool refuse_overlap(struct call *call, const struct arg *prefix,
                           const struct arg *other, const char *whose)
{
    reply_errorf(&call->reply,
                 "ERR Prefix '%.*s' overlaps with %s prefix '%.*s'. Prefixes "
                 "for a single client must not overlap.",
                 arg_shown(prefix), prefix->ptr, whose, arg_shown(other),
                 other->ptr);
    return false;
}

static bool prefixes_fit(struct call *call, const struct wish *wish)
{
    const struct tracker *tracker = call->session->tracker;
    size_t had = tracker ? tracking_prefix_count(tracker) : 0;
    for (size_t i = 0; i < wish->count; i++) {
        const struct arg *prefix = &wish->prefixes[i];
        for (size_t j = 0; j < had; j++) {
            struct arg other = tracking_prefix(tracker, j);
            if (track_overlap(prefix->ptr, prefix->len, other.ptr, other.len))
                return refuse_overlap(call, prefix, &other, "an existing");
        }
        for (size_t j = i + 1; j < wish->count; j++) {
            const struct arg *other = &wish->prefixes[j];
            if (track_overlap(prefix->ptr, prefix->len, other->ptr, other->len))
                return refuse_overlap(call, prefix, other, "another provided");
        }
    }
    return true;
}

static void turn_on(struct call *call, const struct wish *wish)
{
    if (!modes_fit(call, wish) || !prefixes_fit(call, wish))
        return;
    if (tracking_on(call, wish->mode, wish->redirect, wish->prefixes,
                    wish->count))
        reply_ok(&call->reply);
    else
        reply_errorf(&call->reply,
                     "ERR no memory, or more than %d prefixes of this client "
                     "or %d of all",
                     TRACK_PREFIXES_CLIENT, TRACK_PREFIXES_MAX);
}

static void search_visit(struct worker *worker, void *ctx)
{
    struct search *search = ctx;
    if (worker_conn(worker, search->id))
        atomic_store(&search->found, worker->id + 1);
}

static enum command_result begin_search(struct call *call, uint64_t id)
{
    struct search *search = calloc(1, sizeof *search);
    if (!search)
        return call_error(call, ERROR_NO_ROOM);
    search->id = id;
    return ask_workers(call, search_visit, search, free);
}

enum command_result cmd_client_tracking(struct call *call)
{
    struct wish wish;
    wish.mode = 0;
    wish.count = 0;
    wish.redirect = (struct tracking_redirect){0};
    switch (parse(call, &wish)) {
    case PARSED_SEARCH:
        return begin_search(call, wish.redirect.client);
    case PARSED_ERROR:
        return COMMAND_DONE;
    case PARSED:
        break;
    }
    if (arg_is(&call->argv[2], "on")) {
        turn_on(call, &wish);
        return COMMAND_DONE;
    }
    if (!arg_is(&call->argv[2], "off"))
        return call_error(call, ERROR_SYNTAX);
    tracking_off(&call->session->tracker);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

/* ---------------------------------------------------------------- the rest */

enum command_result cmd_client_caching(struct call *call)
{
    struct tracker *tracker = call->session->tracker;
    const struct arg *arg = &call->argv[2];
    if (!tracker)
        return call_error(call,
                          "ERR CLIENT CACHING can be called only when the "
                          "client is in tracking mode with OPTIN or OPTOUT "
                          "mode enabled");
    bool yes = arg_is(arg, "yes");
    if (!yes && !arg_is(arg, "no"))
        return call_error(call, ERROR_SYNTAX);
    if (yes && !(tracking_mode(tracker) & TRACKING_OPTIN))
        return call_error(call, "ERR CLIENT CACHING YES is only valid when "
                                "tracking is enabled in OPTIN mode.");
    if (!yes && !(tracking_mode(tracker) & TRACKING_OPTOUT))
        return call_error(call, "ERR CLIENT CACHING NO is only valid when "
                                "tracking is enabled in OPTOUT mode.");
    tracking_set_caching(tracker, true);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

static int64_t redirect_of(const struct call *call)
{
    const struct tracker *tracker = call->session->tracker;
    return tracker ? (int64_t)tracking_redirect(tracker) : -1;
}

enum command_result cmd_client_getredir(struct call *call)
{
    reply_int(&call->reply, redirect_of(call));
    return COMMAND_DONE;
}

static void reply_flags(struct call *call)
{
    const struct tracker *tracker = call->session->tracker;
    unsigned mode = tracker ? tracking_mode(tracker) : 0;
    const char *words[8];
    size_t count = 0;
    words[count++] = tracker ? "on" : "off";
    if (mode & TRACKING_BCAST)
        words[count++] = "bcast";
    if (mode & TRACKING_OPTIN)
        words[count++] = "optin";
    if (mode & TRACKING_OPTIN && mode & TRACKING_CACHING)
        words[count++] = "caching-yes";
    if (mode & TRACKING_OPTOUT)
        words[count++] = "optout";
    if (mode & TRACKING_OPTOUT && mode & TRACKING_CACHING)
        words[count++] = "caching-no";
    if (mode & TRACKING_NOLOOP)
        words[count++] = "noloop";
    if (mode & TRACKING_BROKEN)
        words[count++] = "broken_redirect";
    reply_set(&call->reply, count);
    for (size_t i = 0; i < count; i++)
        reply_bulk_text(&call->reply, words[i]);
}

enum command_result cmd_client_trackinginfo(struct call *call)
{
    const struct tracker *tracker = call->session->tracker;
    size_t count = tracker ? tracking_prefix_count(tracker) : 0;
    reply_map(&call->reply, 3);
    reply_bulk_text(&call->reply, "flags");
    reply_flags(call);
    reply_bulk_text(&call->reply, "redirect");
    reply_int(&call->reply, redirect_of(call));
    reply_bulk_text(&call->reply, "prefixes");
    reply_array(&call->reply, count);
    for (size_t i = 0; i < count; i++) {
        struct arg prefix = tracking_prefix(tracker, i);
        reply_bulk(&call->reply, prefix.ptr, prefix.len);
    }
    return COMMAND_DONE;
}
