/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sends the same requests to Ebb and to redis-server and compares every
 * reply, byte by byte where that is possible.
 *
 *   live_differential [count [seed]]
 *
 * EBB and ORACLE may name other command lines than those of the two servers;
 * comparing the oracle with itself must find nothing.  Differences that are
 * meant stand in differences.h.  The first other one ends the run: what led to
 * it is cut down to the requests that it takes, and printed.
 */

#include <assert.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "tests/agree.h"
#include "tests/differences.h"
#include "tests/grammar.h"
#include "tests/live.h"
#include "tests/sanitized.h"
#include "tests/shrink.h"
#include "tests/side.h"

enum {
    PIPELINE = 40,  /* requests sent at once */
    CHAPTER = 3000, /* requests between two fresh starts */
    ATTEMPTS = 600, /* replays to find what a difference takes */
};

/* What was put off to EXEC, whose reply has one for each. */
struct queue {
    const struct request *requests[CHAPTER + PIPELINE];
    size_t count;
};

struct sent {
    unsigned conn;
    struct request request;
};

struct run {
    struct side ebb, oracle;
    struct grammar grammar;
    struct sent chapter[CHAPTER + PIPELINE];
    size_t sent;                    /* in this chapter */
    unsigned long met[DIFFERENCES]; /* how often each was met */
    unsigned long errors;           /* among the oracle's replies */
    unsigned long execs[2]; /* that ran something, or found keys dirty */
    struct queue queues[SIDE_CONNS];
};

/* ---------------------------------------------------------- two replies */

static bool reply_matches(const char *pattern, const struct resp *reply)
{
    char bytes[256]; /* a reply's are followed by those of the next */
    snprintf(bytes, sizeof bytes, "%.*s", (int)reply->raw_len, reply->raw);
    return fnmatch(pattern, bytes, 0) == 0;
}

/* The row of a difference that is meant, or -1. */
static int meant(const struct request *request, const struct resp *ebb,
                 const struct resp *oracle)
{
    char line[200];
    size_t used = 0;
    for (size_t i = 0; i < request->argc && used < sizeof line - 1; i++)
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%s",
                                 i ? " " : "", request->argv[i].ptr);
    for (int i = 0; i < DIFFERENCES; i++)
        if (fnmatch(differences[i].request, line, FNM_CASEFOLD) == 0 &&
            reply_matches(differences[i].ebb, ebb) &&
            reply_matches(differences[i].oracle, oracle))
            return i;
    return -1;
}

/* False: they differ, and not as is meant. */
static bool fits(struct run *run, const struct request *request,
                 struct resp *ebb, struct resp *oracle)
{
    if (!ebb || !oracle)
        return false;
    if (agree(request, ebb, oracle))
        return true;
    int row = meant(request, ebb, oracle);
    if (row >= 0)
        run->met[row]++;
    return row >= 0;
}

/* ------------------------------------------------------------ transactions */

static bool asks(const struct request *request, const char *command)
{
    return request->argc > 0 && strcasecmp(request->argv[0].ptr, command) == 0;
}

/* EXEC's reply, element by element. */
static bool queue_fits(struct run *run, const struct queue *queue,
                       struct resp *ebb, struct resp *oracle)
{
    if (ebb->kind != '*' || oracle->kind != '*' || ebb->count != queue->count ||
        oracle->count != queue->count)
        return resp_order(ebb, oracle) == 0;
    for (size_t i = 0; i < queue->count; i++)
        if (!fits(run, queue->requests[i], &ebb->items[i], &oracle->items[i]))
            return false;
    return true;
}

static bool reply_fits(struct run *run, const struct sent *sent,
                       struct resp *ebb, struct resp *oracle)
{
    struct queue *queue = &run->queues[sent->conn];
    const struct request *request = &sent->request;
    if (ebb && oracle && resp_is(ebb, '+', "QUEUED") &&
        resp_order(ebb, oracle) == 0) {
        queue->requests[queue->count++] = request;
        return true;
    }
    if (oracle && asks(request, "exec")) {
        run->execs[0] += oracle->kind == '*' && oracle->count > 0;
        run->execs[1] += oracle->kind == '_';
    }
    bool fit = ebb && oracle && asks(request, "exec")
                   ? queue_fits(run, queue, ebb, oracle)
                   : fits(run, request, ebb, oracle);
    if (asks(request, "exec") || asks(request, "discard") ||
        asks(request, "reset"))
        queue->count = 0;
    return fit;
}

/* --------------------------------------------------------------- sending */

/* Sends to both; returns the index of the first reply that differs, or -1. */
static int exchange(struct run *run, const struct sent *sent, size_t count,
                    bool quiet)
{
    struct resp *ebb[PIPELINE], *oracle[PIPELINE];
    char *bytes = NULL;
    size_t len = 0;
    int differs = -1;
    for (size_t i = 0; i < count; i++)
        request_encode(&sent[i].request, &bytes, &len);
    side_exchange(&run->ebb, sent->conn, bytes, len, ebb, count);
    side_exchange(&run->oracle, sent->conn, bytes, len, oracle, count);
    /* Waiting for one in vain takes so long that other times differ, too. */
    for (size_t i = 0; i < count && differs < 0; i++)
        if (!ebb[i] || !oracle[i])
            differs = (int)i;
    for (size_t i = 0; i < count; i++) {
        if (differs < 0 && !reply_fits(run, &sent[i], ebb[i], oracle[i]))
            differs = (int)i;
        if (differs == (int)i && !quiet) {
            char *text[2] = {ebb[i] ? resp_show(ebb[i]) : NULL,
                             oracle[i] ? resp_show(oracle[i]) : NULL};
            printf("%8s: %.1000s\n%8s: %.1000s\n", run->ebb.name,
                   text[0] ? text[0] : "no reply", run->oracle.name,
                   text[1] ? text[1] : "no reply");
            free(text[0]);
            free(text[1]);
        }
        run->errors += oracle[i] && oracle[i]->kind == '-';
        resp_free(ebb[i]);
        resp_free(oracle[i]);
    }
    free(bytes);
    return differs;
}

static int exchange_text(struct run *run, unsigned conn, const char *text)
{
    struct sent sent = {.conn = conn};
    for (const char *word = text; *word; word += *word == ' ') {
        size_t len = strcspn(word, " ");
        request_add(&sent.request, word, len);
        word += len;
    }
    int differs = exchange(run, &sent, 1, true);
    request_release(&sent.request);
    return differs;
}

/* Both sides as they were at the beginning. */
static bool start_afresh(struct run *run)
{
    bool well = true;
    for (unsigned conn = 0; conn < SIDE_CONNS; conn++)
        well = well && exchange_text(run, conn, "RESET") < 0;
    return well && exchange_text(run, 0, "FLUSHALL") < 0 &&
           exchange_text(run, 0, "ACL DELUSER alice bob carol printed") < 0;
}

static bool restart(struct run *run)
{
    return side_restart(&run->ebb) && side_restart(&run->oracle);
}

/* ------------------------------------------------------- finding the cause */

/* Replays requests one by one; true if they still differ somewhere. */
static bool replay(void *ctx, const bool *left_out, size_t count)
{
    struct run *run = ctx;
    if (!start_afresh(run) && !(restart(run) && start_afresh(run)))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!left_out[i] && exchange(run, &run->chapter[i], 1, true) >= 0)
            return true;
    return false;
}

static void explain(struct run *run, size_t count, unsigned long done)
{
    bool left_out[CHAPTER + PIPELINE] = {false};
    size_t first = 0;
    printf("a difference at request %lu\n", done);
    if (replay(run, left_out, count))
        shrink(left_out, count, ATTEMPTS, replay, run);
    else
        first = count > PIPELINE ? count - PIPELINE : 0;
    printf(first ? "It takes more than these, sent at once or in time:\n"
                 : "These requests lead to it, sent one by one:\n");
    if (!start_afresh(run))
        restart(run);
    for (size_t i = first; i < count; i++) {
        if (left_out[i])
            continue;
        printf("%u", run->chapter[i].conn);
        request_print(&run->chapter[i].request);
        if (exchange(run, &run->chapter[i], 1, false) >= 0)
            break;
    }
}

/* ---------------------------------------------------------------- running */

static void end_chapter(struct run *run)
{
    for (size_t i = 0; i < run->sent; i++)
        request_release(&run->chapter[i].request);
    run->sent = 0;
}

/* Sends one pipeline; false if the sides differed. */
static bool go_on(struct run *run, unsigned long done)
{
    struct sent *from = &run->chapter[run->sent];
    unsigned conn = (unsigned)rng_below(&run->grammar.rng, SIDE_CONNS);
    size_t count = 1 + rng_skewed(&run->grammar.rng, PIPELINE - 3);
    run->grammar.conn = conn;
    for (size_t i = 0; i < count || run->grammar.follow_count > 0; i++) {
        from[i].conn = conn;
        grammar_next(&run->grammar, &from[i].request);
        count = i < count ? count : i + 1;
    }
    run->sent += count;
    int differs = exchange(run, from, count, false);
    if (differs >= 0) {
        explain(run, run->sent - count + (size_t)differs + 1,
                done + (unsigned long)differs + 1);
        return false;
    }
    return true;
}

static bool compare_servers(struct run *run, unsigned long count)
{
    unsigned long done = 0;
    while (done < count) {
        size_t before = run->sent;
        if (run->sent == 0 && !start_afresh(run)) {
            printf("the sides do not start alike\n");
            return false;
        }
        if (!go_on(run, done))
            return false;
        done += run->sent - before;
        if (run->sent >= CHAPTER)
            end_chapter(run);
    }
    for (unsigned i = 0; i < DIFFERENCES; i++)
        printf("%7lu times: %s\n", run->met[i], differences[i].why);
    printf("%lu requests, %lu of them errors, every other reply the same\n",
           done, run->errors);
    printf("%lu transactions ran, %lu met a watched key that had changed\n",
           run->execs[0], run->execs[1]);
    return true;
}

static bool start_sides(struct run *run)
{
    static char ebb[512];
    snprintf(ebb, sizeof ebb,
             "%s --port 0 --metrics-port 0 --maxmemory 512mb "
             "--slowlog-log-slower-than -1 --enable-debug-command yes",
             live_server());
    return side_start(&run->ebb, "ebb", side_command("EBB", ebb)) &&
           side_start(&run->oracle, "redis",
                      side_command("ORACLE", "redis-server --port 0 --save '' "
                                             "--rdbcompression no "
                                             "--maxmemory 512mb "
                                             "--slowlog-log-slower-than -1 "
                                             "--enable-debug-command yes "
                                             "--maxmemory-policy allkeys-lru"));
}

int main(int argc, char **argv)
{
    static struct run run;
    unsigned long count = argc > 1    ? strtoul(argv[1], NULL, 0)
                          : SANITIZED ? 60000
                                      : 400000;
    if (argc > 2)
        setenv("TEST_SEED", argv[2], 1);
    run.grammar.rng.state = test_seed();
    bool well = start_sides(&run);
    if (!well)
        printf("a server did not start\n");
    well = well && compare_servers(&run, count);
    end_chapter(&run);
    side_stop(&run.ebb);
    side_stop(&run.oracle);
    printf("%d passed, %d failed\n", well, !well);
    return well ? 0 : 1;
}
