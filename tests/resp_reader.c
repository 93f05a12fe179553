/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads replies in two passes: a scan that can stop and go on anywhere finds
 * where the reply ends and that it is well formed; then the tree is built from
 * bytes that are known to be all there.
 */

#include "tests/resp_reader.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 16 };
static const int64_t COUNT_MAX = 1LL << 32;

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void resp_feed(struct resp_reader *reader, const void *bytes, size_t len)
{
    if (reader->start > 0 && reader->start >= reader->end - reader->start) {
        memmove(reader->bytes, reader->bytes + reader->start,
                reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    if (len > reader->cap - reader->end) {
        while (len > reader->cap - reader->end)
            reader->cap = reader->cap ? reader->cap * 2 : 4096;
        reader->bytes = must(realloc(reader->bytes, reader->cap));
    }
    if (len > 0)
        memcpy(reader->bytes + reader->end, bytes, len);
    reader->end += len;
}

void resp_release(struct resp_reader *reader)
{
    free(reader->bytes);
    *reader = (struct resp_reader){0};
}

/* One value's first line, without type and CRLF. */
struct line {
    char kind;
    const char *text;
    size_t len, used; /* used: with type and CRLF */
    int64_t count;    /* for kinds that have one */
};

static bool to_count(const char *text, size_t len, int64_t *count)
{
    char canonical[32], *end;
    char digits[32];
    if (len == 0 || len >= sizeof digits)
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';
    errno = 0;
    *count = strtoll(digits, &end, 10);
    snprintf(canonical, sizeof canonical, "%lld", (long long)*count);
    return errno == 0 && *end == '\0' && strcmp(canonical, digits) == 0;
}

/* Is there something wrong with the line by itself? */
static bool line_is_sound(struct line *line)
{
    char number[64], *end;
    switch (line->kind) {
    case '+':
    case '-':
        return true;
    case '(':
        return line->len > 0;
    case '_':
        return line->len == 0;
    case '#':
        return line->len == 1 && strchr("tf", line->text[0]) != NULL;
    case ',':
        if (line->len == 0 || line->len >= sizeof number)
            return false;
        memcpy(number, line->text, line->len);
        number[line->len] = '\0';
        strtod(number, &end);
        return *end == '\0' && number[0] != ' ' && number[0] != '+';
    case ':':
        return to_count(line->text, line->len, &line->count);
    case '$':
    case '*':
        return to_count(line->text, line->len, &line->count) &&
               line->count >= -1 && line->count <= COUNT_MAX;
    case '=':
        return to_count(line->text, line->len, &line->count) &&
               line->count >= 4 && line->count <= COUNT_MAX;
    case '!':
    case '%':
    case '~':
    case '>':
        return to_count(line->text, line->len, &line->count) &&
               line->count >= 0 && line->count <= COUNT_MAX;
    default:
        return false;
    }
}

static enum resp_result read_line(const char *at, const char *end,
                                  struct line *line)
{
    *line = (struct line){0};
    if (at == end)
        return RESP_MORE;
    if (!strchr("+-:$*_#,%~>=(!", *at) || *at == '\0')
        return RESP_BROKEN;
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    const char *cr = memchr(at, '\r', (size_t)((newline ? newline : end) - at));
    if (!newline)
        return cr && cr + 1 < end ? RESP_BROKEN : RESP_MORE;
    if (!cr || cr + 1 != newline)
        return RESP_BROKEN;
    line->kind = *at;
    line->text = at + 1;
    line->len = (size_t)(cr - line->text);
    line->used = (size_t)(newline + 1 - at);
    return line_is_sound(line) ? RESP_READ : RESP_BROKEN;
}

static bool has_bytes(char kind)
{
    return kind == '$' || kind == '=' || kind == '!';
}

/* How many values are inside. */
static size_t inside(const struct line *line)
{
    if (line->count < 0 || !strchr("*%~>", line->kind))
        return 0;
    return (size_t)line->count * (line->kind == '%' ? 2 : 1);
}

/* Scans one value without what is inside it. */
static enum resp_result scan_value(struct resp_reader *reader)
{
    const char *at = reader->bytes + reader->start + reader->scanned;
    const char *end = reader->bytes + reader->end;
    struct line line;
    enum resp_result result = read_line(at, end, &line);
    if (result != RESP_READ)
        return result;
    size_t used = line.used;
    if (has_bytes(line.kind) && line.count >= 0) {
        size_t count = (size_t)line.count, there = (size_t)(end - at) - used;
        if (there < count + 2)
            return RESP_MORE;
        if (memcmp(at + used + count, "\r\n", 2) != 0 ||
            (line.kind == '=' && at[used + 3] != ':'))
            return RESP_BROKEN;
        used += count + 2;
    }
    reader->scanned += used;
    reader->owed += inside(&line);
    reader->owed--;
    return RESP_READ;
}

/*
 * The bytes of a reply, twice: once as they came, once with a \0 behind every
 * text.  The root's `raw` owns both.
 */
struct copies {
    char *raw, *texts;
    size_t len;
};

static void set_text(struct resp *reply, const struct copies *copies,
                     const char *at, size_t len)
{
    char *text = copies->texts + (at - copies->raw);
    text[len] = '\0';
    reply->text = text;
    reply->len = len;
}

/* Builds the value at `at`, which the scan has found whole and sound; returns
 * what is behind it, NULL if it is too deep. */
static const char *build(struct resp *reply, const struct copies *copies,
                         const char *at, int depth)
{
    struct line line;
    enum resp_result result = read_line(at, copies->raw + copies->len, &line);
    assert(result == RESP_READ);
    (void)result;
    const char *end = at + line.used;
    *reply = (struct resp){.kind = line.kind, .raw = at};
    reply->integer = line.kind == '#' ? line.text[0] == 't' : line.count;
    if (line.kind == ',')
        reply->number = strtod(line.text, NULL);
    if (line.count < 0 && (line.kind == '$' || line.kind == '*')) {
        reply->kind = '_';
    } else if (has_bytes(line.kind)) {
        size_t skip = line.kind == '=' ? 4 : 0;
        set_text(reply, copies, end + skip, (size_t)line.count - skip);
        end += line.count + 2;
    } else if (strchr("+-:,(", line.kind)) {
        set_text(reply, copies, line.text, line.len);
    }
    reply->count = inside(&line);
    if (reply->count > 0) {
        if (depth == 0)
            return NULL;
        reply->items = must(calloc(reply->count, sizeof *reply->items));
    }
    for (size_t i = 0; i < reply->count && end; i++)
        end = build(&reply->items[i], copies, end, depth - 1);
    if (end)
        reply->raw_len = (size_t)(end - at);
    return end;
}

/* The tree of the first `len` bytes, which are one reply. */
static struct resp *build_reply(const char *bytes, size_t len)
{
    struct resp *reply = must(calloc(1, sizeof *reply));
    struct copies copies = {.len = len};
    copies.raw = must(malloc(2 * len));
    copies.texts = copies.raw + len;
    memcpy(copies.raw, bytes, len);
    memcpy(copies.texts, bytes, len);
    if (!build(reply, &copies, copies.raw, DEPTH_MAX)) {
        reply->raw = copies.raw;
        resp_free(reply);
        return NULL;
    }
    return reply;
}

enum resp_result resp_next(struct resp_reader *reader, struct resp **reply)
{
    *reply = NULL;
    if (reader->broken)
        return RESP_BROKEN;
    if (reader->owed == 0 && reader->start < reader->end)
        reader->owed = 1;
    if (reader->owed == 0)
        return RESP_MORE;
    while (reader->owed > 0) {
        enum resp_result result = scan_value(reader);
        reader->broken = result == RESP_BROKEN;
        if (result != RESP_READ)
            return result;
    }
    *reply = build_reply(reader->bytes + reader->start, reader->scanned);
    reader->broken = !*reply;
    reader->start += reader->scanned;
    reader->scanned = 0;
    return reader->broken ? RESP_BROKEN : RESP_READ;
}

struct resp *resp_await(struct resp_reader *reader, int fd, int timeout_ms)
{
    char piece[65536];
    struct resp *reply;
    enum resp_result result;
    while ((result = resp_next(reader, &reply)) == RESP_MORE) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        int ready = poll(&readable, 1, timeout_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return NULL;
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return NULL;
        resp_feed(reader, piece, (size_t)got);
    }
    return reply;
}
