/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sends the same requests to Ebb and to redis-server and compares what all
 * clients get: replies, and messages of channels, with what happens to keys
 * among them.
 *
 *   live_messages [count [seed]]
 *
 * After each request every connection sends PINGs with a word of their own:
 * what comes before their replies is what the request has led to.  It is
 * compared in any order, since that of patterns is not defined.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/live.h"
#include "tests/rng.h"
#include "tests/sanitized.h"
#include "tests/shrink.h"
#include "tests/side.h"

enum { CHAPTER = 300, LINE_BYTES = 200, HEARD_MOST = 64, ATTEMPTS = 400 };

/*
 * `c` is a channel, `p` a pattern, `k` a key, `h` that of a hash, `d` a
 * database, `v` a value, `e` classes of events; every other word stands for
 * itself.
 */
static const struct {
    unsigned weight;
    const char *line;
} lines[] = {
    {8, "SUBSCRIBE c c"},
    {8, "SUBSCRIBE c"},
    {8, "PSUBSCRIBE p"},
    {6, "PSUBSCRIBE __key*"},
    {6, "SUBSCRIBE __keyspace@0__:a __keyevent@0__:del"},
    {6, "SSUBSCRIBE c"},
    {6, "UNSUBSCRIBE c c"},
    {6, "PUNSUBSCRIBE p p"},
    {4, "SUNSUBSCRIBE c"},
    {30, "PUBLISH c v"},
    {10, "SPUBLISH c v"},
    {4, "PUBSUB NUMSUB c c c"},
    {4, "PUBSUB SHARDNUMSUB c c"},
    {4, "PUBSUB NUMPAT"},
    {4, "HELLO 3"},
    {4, "RESET"},
    {3, "CLIENT REPLY ON"},
    {3, "SELECT d"},
    {4, "CONFIG SET notify-keyspace-events e"},
    {8, "CONFIG SET notify-keyspace-events KEA"},
    {20, "SET k v"},
    {8, "SET k v EX 100"},
    {6, "SET k v GET"},
    {6, "SET k v XX"},
    {6, "SET k v NX KEEPTTL"},
    {6, "SETNX k v"},
    {6, "SETEX k 100 v"},
    {6, "PSETEX k 100000 v"},
    {6, "GETSET k v"},
    {6, "GETDEL k"},
    {6, "GETEX k EX 100"},
    {6, "GETEX k PERSIST"},
    {4, "GETEX k"},
    {4, "GETEX k EXAT 1"},
    {6, "GET k"},
    {6, "MSET k v k v"},
    {6, "MSETNX k v k v"},
    {8, "DEL k k"},
    {6, "UNLINK k"},
    {6, "EXPIRE k 100"},
    {4, "EXPIRE k -1"},
    {4, "PEXPIREAT k 1"},
    {6, "EXPIRE k 100 NX"},
    {6, "PERSIST k"},
    {8, "APPEND k v"},
    {4, "INCR k"},
    {4, "DECRBY k 3"},
    {4, "STRLEN k"},
    {4, "EXISTS k k"},
    {4, "TTL k"},
    {4, "TYPE k"},
    {4, "TOUCH k"},
    {2, "FLUSHDB"},
    {4, "SETRANGE k 2 v"},
    {4, "SETRANGE k 0 \"\""},
    {4, "GETRANGE k 0 1"},
    {4, "SETBIT k 7 1"},
    {4, "GETBIT k 1"},
    {4, "BITCOUNT k"},
    {4, "INCRBYFLOAT k 1.5"},
    {6, "HSET h v v"},
    {4, "HSETNX h v v"},
    {4, "HMSET h v v v v"},
    {4, "HGET h v"},
    {4, "HGETALL h"},
    {6, "HDEL h v v"},
    {4, "HINCRBY h v 1"},
    {4, "HINCRBYFLOAT h v 1.5"},
    {4, "HEXISTS h v"},
    {4, "HLEN h"},
    {4, "HSET k v v"},
    {4, "DEL h"},
    {6, "RENAME k k"},
    {4, "RENAMENX k k"},
    {4, "RENAME h h"},
    {6, "COPY k k"},
    {4, "COPY k k REPLACE"},
    {3, "COPY k k DB d"},
    {6, "MOVE k d"},
    {2, "SWAPDB d d"},
};

static const char *const channels[] = {"a",      "b",  "news",
                                       "news:1", "n*", "__keyspace@0__:a"};
static const char *const patterns[] = {"*",
                                       "n*",
                                       "news:?",
                                       "[ab]",
                                       "__key*",
                                       "__keyevent@?__:*",
                                       "__keyspace@0__:*"};
static const char *const keys[] = {"a", "b", "n1", "n2"};
static const char *const hashes[] = {"h1", "h2"};
static const char *const databases[] = {"0", "1"};
static const char *const values[] = {"1", "22", "hello", "\"\"", "'a b'"};
static const char *const classes[] = {"\"\"", "KEA",  "KEg", "K$", "Ex", "AE",
                                      "KEAn", "KEAm", "Em",  "Kn", "g$"};

#define COUNT_OF(table)    (sizeof(table) / sizeof *(table))
#define ONE_OF(rng, table) ((table)[rng_below(rng, COUNT_OF(table))])

struct sent {
    unsigned conn;
    char line[LINE_BYTES];
};

/* What one connection got. */
struct heard {
    struct resp *replies[HEARD_MOST];
    size_t count;
};

struct run {
    struct side ebb, oracle;
    struct rng rng;
    struct sent chapter[CHAPTER];
    size_t sent;
    unsigned long messages;
};

/* --------------------------------------------------------------- one request
 */

static const char *word_for(struct rng *rng, const char *word, size_t len)
{
    if (len != 1)
        return NULL;
    switch (*word) {
    case 'c':
        return ONE_OF(rng, channels);
    case 'p':
        return ONE_OF(rng, patterns);
    case 'k':
        return ONE_OF(rng, keys);
    case 'h':
        return ONE_OF(rng, hashes);
    case 'd':
        return ONE_OF(rng, databases);
    case 'v':
        return ONE_OF(rng, values);
    case 'e':
        return ONE_OF(rng, classes);
    default:
        return NULL;
    }
}

static void make(struct run *run, struct sent *sent)
{
    unsigned total = 0;
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        total += lines[i].weight;
    uint64_t pick = rng_below(&run->rng, total);
    size_t row = 0;
    while (pick >= lines[row].weight)
        pick -= lines[row++].weight;
    sent->conn = (unsigned)rng_below(&run->rng, SIDE_CONNS);
    sent->line[0] = '\0';
    for (const char *at = lines[row].line; *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        const char *word = word_for(&run->rng, at, len);
        size_t used = strlen(sent->line);
        snprintf(sent->line + used, LINE_BYTES - used, "%s%.*s",
                 used ? " " : "", word ? (int)strlen(word) : (int)len,
                 word ? word : at);
        at += len;
    }
}

static bool is_pong(const struct resp *reply)
{
    return resp_is(reply, '$', "that-is-all") ||
           (reply->kind == '*' && reply->count == 2 &&
            resp_is(&reply->items[1], '$', "that-is-all"));
}

/* Until the connection's own word comes back; false: it does not. */
static bool hear(struct side *side, unsigned conn, struct heard *heard)
{
    static const char ping[] = "PING that-is-all\r\n";
    struct resp_reader *reader = &side->readers[conn];
    struct resp *reply;
    if (!side_exchange(side, conn, ping, sizeof ping - 1, &reply, 0))
        return false;
    while (resp_next(reader, &reply) == RESP_READ ||
           side_exchange(side, conn, NULL, 0, &reply, 1)) {
        if (is_pong(reply)) {
            resp_free(reply);
            return true;
        }
        if (heard->count == HEARD_MOST)
            return false;
        heard->replies[heard->count++] = reply;
    }
    return false;
}

static bool say(struct side *side, const struct sent *sent,
                struct heard heard[SIDE_CONNS])
{
    char bytes[LINE_BYTES + 2];
    struct resp *none;
    int len = snprintf(bytes, sizeof bytes, "%s\r\n", sent->line);
    memset(heard, 0, SIDE_CONNS * sizeof *heard);
    if (!side_exchange(side, sent->conn, bytes, (size_t)len, &none, 0))
        return false;
    if (!hear(side, sent->conn, &heard[sent->conn]))
        return false;
    /* Twice: with the first answer a message may be on its way. */
    for (unsigned i = 0; i < 2 * SIDE_CONNS; i++)
        if (!hear(side, i % SIDE_CONNS, &heard[i % SIDE_CONNS]))
            return false;
    return true;
}

/* -------------------------------------------------------------- comparing */

static int by_order(const void *a, const void *b)
{
    return resp_order(*(struct resp *const *)a, *(struct resp *const *)b);
}

static bool same(struct heard *a, struct heard *b)
{
    if (a->count != b->count)
        return false;
    qsort(a->replies, a->count, sizeof *a->replies, by_order);
    qsort(b->replies, b->count, sizeof *b->replies, by_order);
    for (size_t i = 0; i < a->count; i++)
        if (resp_order(a->replies[i], b->replies[i]) != 0)
            return false;
    return true;
}

static void show(const struct side *side, unsigned conn,
                 const struct heard *heard)
{
    printf("%8s, %u hears:\n", side->name, conn);
    for (size_t i = 0; i < heard->count; i++) {
        char *text = resp_show(heard->replies[i]);
        printf("          %.500s\n", text);
        free(text);
    }
}

static void forget(struct heard heard[SIDE_CONNS])
{
    for (unsigned conn = 0; conn < SIDE_CONNS; conn++)
        for (size_t i = 0; i < heard[conn].count; i++)
            resp_free(heard[conn].replies[i]);
}

/* HELLO tells versions and ids. */
static bool is_hello(const struct sent *sent)
{
    return strncmp(sent->line, "HELLO", 5) == 0;
}

static bool exchange(struct run *run, const struct sent *sent, bool quiet)
{
    struct heard ebb[SIDE_CONNS], oracle[SIDE_CONNS];
    bool well = say(&run->ebb, sent, ebb);
    well = say(&run->oracle, sent, oracle) && well;
    for (unsigned conn = 0; conn < SIDE_CONNS; conn++) {
        run->messages += oracle[conn].count;
        if (well && (same(&ebb[conn], &oracle[conn]) || is_hello(sent)))
            continue;
        if (!quiet) {
            show(&run->ebb, conn, &ebb[conn]);
            show(&run->oracle, conn, &oracle[conn]);
        }
        well = false;
    }
    forget(ebb);
    forget(oracle);
    return well;
}

/* ---------------------------------------------------------------- running */

static bool start_afresh(struct run *run)
{
    struct sent sent = {0};
    bool well = true;
    for (sent.conn = 0; sent.conn < SIDE_CONNS; sent.conn++) {
        strcpy(sent.line, "RESET");
        well = exchange(run, &sent, true) && well;
    }
    sent.conn = 0;
    strcpy(sent.line, "FLUSHALL");
    well = exchange(run, &sent, true) && well;
    strcpy(sent.line, "CONFIG SET notify-keyspace-events \"\"");
    return exchange(run, &sent, true) && well;
}

static bool replay(void *ctx, const bool *left_out, size_t count)
{
    struct run *run = ctx;
    if (!start_afresh(run) &&
        !(side_restart(&run->ebb) && side_restart(&run->oracle)))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!left_out[i] && !exchange(run, &run->chapter[i], true))
            return true;
    return false;
}

/* Leaves out what the difference does not need, and shows the rest. */
static void explain(struct run *run)
{
    bool left_out[CHAPTER] = {false};
    shrink(left_out, run->sent, ATTEMPTS, replay, run);
    printf("These requests lead to a difference:\n");
    start_afresh(run);
    for (size_t i = 0; i < run->sent; i++) {
        if (left_out[i])
            continue;
        printf("%u  %s\n", run->chapter[i].conn, run->chapter[i].line);
        if (!exchange(run, &run->chapter[i], false))
            return;
    }
}

static bool compare_servers(struct run *run, unsigned long count)
{
    for (unsigned long done = 0; done < count; done++) {
        if (run->sent == CHAPTER)
            run->sent = 0;
        if (run->sent == 0 && !start_afresh(run)) {
            printf("the sides do not start alike\n");
            return false;
        }
        struct sent *sent = &run->chapter[run->sent++];
        make(run, sent);
        if (!exchange(run, sent, false)) {
            explain(run);
            return false;
        }
    }
    printf("%lu requests, %lu replies and messages, all the same\n", count,
           run->messages);
    return true;
}

int main(int argc, char **argv)
{
    static struct run run;
    static char ebb[512];
    unsigned long count = argc > 1    ? strtoul(argv[1], NULL, 0)
                          : SANITIZED ? 4000
                                      : 10000;
    if (argc > 2)
        setenv("TEST_SEED", argv[2], 1);
    run.rng.state = test_seed();
    snprintf(ebb, sizeof ebb, "%s --port 0 --metrics-port 0 --maxmemory 128mb",
             live_server());
    bool well =
        side_start(&run.ebb, "ebb", ebb) &&
        side_start(&run.oracle, "redis", "redis-server --port 0 --save ''");
    if (!well)
        printf("a server did not start\n");
    well = well && compare_servers(&run, count);
    side_stop(&run.ebb);
    side_stop(&run.oracle);
    printf("%d passed, %d failed\n", well, !well);
    return well ? 0 : 1;
}
