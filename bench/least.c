/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The least: what a cache server takes if it has nothing but its work.  It
 * reads requests, finds an entry, notes that it is the one used last, and
 * answers.  No limits, no budget, no locks, no expiry, no commands but GET and
 * SET, entries of one size, which never go, in huge pages.  A server that does
 * more will hardly take less than this.
 *
 *   buckets   [ 17 | 0 | 4 | ... ]      numbers of entries, by hash; 0: free
 *                 \
 *   entries   [ 0: ends of the order of use | 1 | 2 | ... 17 ... ]
 */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/args.h"
#include "bench/loop.h"

enum {
    BATCH = 1024,  /* requests, at most */
    INPUT = 65536, /* bytes of requests, at most */
    WORDS = 3,     /* of a request */
    NUMBER = 8,    /* bytes of a length with its line's end, at most */
    AHEAD = 4,     /* requests from one step of fetching to the next */
    LINE = 64,     /* bytes of a processor's cache line */
    ENTRY_TEXT = 118,
    REPLY_MOST = ENTRY_TEXT + 16
};

struct entry {
    uint32_t newer, older; /* in the order of use */
    uint8_t key_len, value_len;
    char text[ENTRY_TEXT]; /* key, value */
};

struct word {
    const char *text;
    uint32_t len;
};

struct request {
    uint32_t count, bucket, entry;
    struct word words[WORDS];
};

struct link {
    struct loop_link base;
    size_t len;
    char in[INPUT];
};

struct least {
    bool ordered;
    uint32_t mask, held, entries_max;
    uint32_t *buckets;
    struct entry *entries;
    struct request requests[BATCH];
    char out[BATCH * REPLY_MOST];
};

/* Two multiplications; a key has 8 bytes or more. */
static uint64_t hash(struct word key)
{
    uint64_t first, last;
    memcpy(&first, key.text, sizeof first);
    memcpy(&last, key.text + key.len - sizeof last, sizeof last);
    uint64_t mixed = (first ^ last << 32 ^ last >> 32) * 0x9E3779B97F4A7C15;
    return (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9 >> 24;
}

/* "*12\r\n", "$3\r\n"; NULL: not all of it is there. */
static const char *read_number(const char *in, const char *end,
                               uint32_t *number)
{
    size_t len = (size_t)(end - in);
    if (len < 4 || memchr(in, '\n', len < NUMBER ? len : NUMBER) == NULL)
        return NULL;
    for (*number = 0, in++; *in != '\r'; in++)
        *number = *number * 10 + (uint32_t)(*in - '0');
    return in + 2;
}

/* Where the next request begins; NULL: not all of this one is there.  A line
 * by itself is one of a single word. */
static const char *read_request(const char *in, const char *end,
                                struct request *request)
{
    if (in < end && *in != '*') {
        const char *line_end = memchr(in, '\n', (size_t)(end - in));
        request->count = 1;
        request->words[0].text = in;
        return line_end == NULL ? NULL : line_end + 1;
    }
    in = read_number(in, end, &request->count);
    if (in != NULL && request->count > WORDS)
        abort();
    for (uint32_t i = 0; in != NULL && i < request->count; i++) {
        struct word *word = &request->words[i];
        in = read_number(in, end, &word->len);
        if (in == NULL || (size_t)(end - in) < word->len + 2)
            return NULL;
        word->text = in;
        in += word->len + 2;
    }
    return in;
}

static uint32_t find(struct least *least, const struct request *request)
{
    struct word key = request->words[1];
    uint32_t bucket = request->bucket, held = least->buckets[bucket];
    while (held != 0) {
        const struct entry *entry = &least->entries[held];
        if (entry->key_len == key.len &&
            memcmp(entry->text, key.text, key.len) == 0)
            return held;
        bucket = (bucket + 1) & least->mask;
        held = least->buckets[bucket];
    }
    if (request->count < 3)
        return 0;
    held = ++least->held;
    if (held > least->entries_max || key.len > sizeof least->entries->text)
        abort();
    least->buckets[bucket] = held;
    struct entry *entry = &least->entries[held];
    entry->newer = entry->older = held;
    entry->key_len = (uint8_t)key.len;
    memcpy(entry->text, key.text, key.len);
    return held;
}

static void make_newest(struct entry *entries, uint32_t used)
{
    struct entry *entry = &entries[used];
    entries[entry->newer].older = entry->older;
    entries[entry->older].newer = entry->newer;
    entry->older = entries[0].older;
    entry->newer = 0;
    entries[entry->older].newer = used;
    entries[0].older = used;
}

static char *put(char *out, const char *text, size_t len)
{
    memcpy(out, text, len);
    return out + len;
}

static char *put_value(char *out, const struct entry *entry)
{
    unsigned len = entry->value_len;
    *out++ = '$';
    if (len >= 100)
        *out++ = (char)('0' + len / 100);
    if (len >= 10)
        *out++ = (char)('0' + len / 10 % 10);
    *out++ = (char)('0' + len % 10);
    out = put(out, "\r\n", 2);
    out = put(out, entry->text + entry->key_len, len);
    return put(out, "\r\n", 2);
}

static char *run(struct least *least, const struct request *request, char *out)
{
    if (request->count < 2)
        return *request->words[0].text == 'P' ? put(out, "+PONG\r\n", 7)
                                              : put(out, "-ERR\r\n", 6);
    uint32_t found = find(least, request);
    if (found == 0)
        return put(out, "$-1\r\n", 5);
    if (least->ordered)
        make_newest(least->entries, found);
    struct entry *entry = &least->entries[found];
    if (request->count < 3)
        return put_value(out, entry);
    struct word value = request->words[2];
    if (entry->key_len + value.len > sizeof entry->text)
        abort();
    entry->value_len = (uint8_t)value.len;
    memcpy(entry->text + entry->key_len, value.text, value.len);
    return put(out, "+OK\r\n", 5);
}

static void fetch_entry(const struct least *least, struct request *request)
{
    request->entry = least->buckets[request->bucket];
    const char *entry = (const char *)&least->entries[request->entry];
    __builtin_prefetch(entry, 1);
    __builtin_prefetch(entry + LINE);
}

static void fetch_neighbours(const struct least *least,
                             const struct request *request)
{
    const struct entry *entry = &least->entries[request->entry];
    __builtin_prefetch(&least->entries[entry->newer], 1);
    __builtin_prefetch(&least->entries[entry->older], 1);
}

/* The fetches of a request one after the other, those of several side by
 * side: its bucket (asked for when it was read), its entry, its neighbours. */
static char *run_all(struct least *least, size_t count, char *out)
{
    for (size_t i = 0; i < count + 2 * AHEAD; i++) {
        if (i < count)
            fetch_entry(least, &least->requests[i]);
        if (least->ordered && i >= AHEAD && i - AHEAD < count)
            fetch_neighbours(least, &least->requests[i - AHEAD]);
        if (i >= 2 * AHEAD)
            out = run(least, &least->requests[i - 2 * AHEAD], out);
    }
    return out;
}

static bool serve(struct loop_link *base, void *ctx)
{
    struct least *least = ctx;
    struct link *link = (struct link *)base;
    ssize_t got = read(base->fd, link->in + link->len, INPUT - link->len);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    link->len += (size_t)got;
    const char *in = link->in, *end = in + link->len;
    size_t count = 0;
    while (count < BATCH) {
        struct request *request = &least->requests[count];
        const char *next = read_request(in, end, request);
        if (next == NULL)
            break;
        in = next;
        count++;
        request->bucket = 0;
        if (request->count > 1)
            request->bucket = (uint32_t)hash(request->words[1]) & least->mask;
        __builtin_prefetch(&least->buckets[request->bucket]);
    }
    const char *out_end = run_all(least, count, least->out);
    link->len = (size_t)(end - in);
    memmove(link->in, in, link->len);
    return loop_send(base, least->out, (size_t)(out_end - least->out));
}

/* Of huge pages, which the kernel gives when they are touched. */
static void *area(uint64_t count, size_t bytes)
{
    void *area = mmap(NULL, count * bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        abort();
    madvise(area, count * bytes, MADV_HUGEPAGE);
    return area;
}

int main(int argc, char **argv)
{
    uint64_t port = 0, keys = 1000000, ordered = 1;
    const struct args_row rows[] = {
        {"port", &port, NULL, "where to listen"},
        {"keys", &keys, NULL, "for how many there is room"},
        {"ordered", &ordered, NULL, "0: the order of use is not kept"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "least: GET and SET, and nothing else", argc, argv);
    args_within("port", port, 0, 65535);
    args_within("keys", keys, 1, 1 << 28);
    args_within("ordered", ordered, 0, 1);

    uint64_t buckets = 1;
    while (buckets < 2 * keys)
        buckets *= 2;
    struct least *least = area(1, sizeof *least);
    *least = (struct least){.ordered = ordered == 1,
                            .mask = (uint32_t)(buckets - 1),
                            .entries_max = (uint32_t)keys,
                            .buckets = area(buckets, sizeof *least->buckets),
                            .entries = area(keys + 1, sizeof *least->entries)};
    loop_run((int)port, sizeof(struct link), serve, least);
    perror("least");
    return 1;
}
