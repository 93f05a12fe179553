/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests and replies of RESP and of memcached's text protocol. */

#include "bench/wire.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char key_mark[] = "key:............";

/* A template from a text that names the key by its mark; `value_bytes` of a
 * value and \r\n follow where `value_at` says, NULL: there is no value. */
static struct wire_template template_of(size_t value_bytes, const char *format,
                                        ...)
{
    struct wire_template template;
    template.text = malloc(256 + value_bytes);
    if (template.text == NULL)
        abort();
    va_list list;
    va_start(list, format);
    int len = vsnprintf(template.text, 256, format, list);
    va_end(list);
    template.len = (size_t)len;
    template.key_at = (size_t)(strstr(template.text, key_mark) - template.text);
    return template;
}

static void append_value(struct wire_template *template, size_t value_bytes,
                         const char *tail)
{
    char *end = template->text + template->len;
    memset(end, 'v', value_bytes);
    memcpy(end + value_bytes, tail, strlen(tail));
    template->len += value_bytes + strlen(tail);
}

static void init_resp(struct wire *wire, unsigned ttl_s)
{
    size_t bytes = wire->value_bytes;
    char tail[64] = "\r\n", ttl[16];
    int ttl_len = snprintf(ttl, sizeof ttl, "%u", ttl_s);
    if (ttl_s != 0)
        snprintf(tail, sizeof tail, "\r\n$2\r\nEX\r\n$%d\r\n%s\r\n", ttl_len,
                 ttl);
    wire->get = template_of(0, "*2\r\n$3\r\nGET\r\n$16\r\n%s\r\n", key_mark);
    wire->del = template_of(0, "*2\r\n$3\r\nDEL\r\n$16\r\n%s\r\n", key_mark);
    wire->set = template_of(bytes, "*%c\r\n$3\r\nSET\r\n$16\r\n%s\r\n$%zu\r\n",
                            ttl_s != 0 ? '5' : '3', key_mark, bytes);
    append_value(&wire->set, bytes, tail);
}

static void init_memcached(struct wire *wire, unsigned ttl_s)
{
    size_t bytes = wire->value_bytes;
    wire->get = template_of(0, "get %s\r\n", key_mark);
    wire->del = template_of(0, "delete %s\r\n", key_mark);
    wire->set =
        template_of(bytes, "set %s 0 %u %zu\r\n", key_mark, ttl_s, bytes);
    append_value(&wire->set, bytes, "\r\n");
}

void wire_init(struct wire *wire, enum wire_kind kind, size_t value_bytes,
               unsigned ttl_s)
{
    assert(value_bytes <= WIRE_VALUE_MAX);
    wire->kind = kind;
    wire->value_bytes = value_bytes;
    if (kind == WIRE_RESP)
        init_resp(wire, ttl_s);
    else
        init_memcached(wire, ttl_s);
}

void wire_free(struct wire *wire)
{
    free(wire->get.text);
    free(wire->set.text);
    free(wire->del.text);
}

void wire_key(char *to, uint64_t key)
{
    static const char digits[] = "0123456789abcdef";
    memcpy(to, key_mark, 4);
    for (int i = WIRE_KEY - 1; i >= 4; i--, key >>= 4)
        to[i] = digits[key & 15];
}

char *wire_write(const struct wire_template *template, char *to, uint64_t key)
{
    memcpy(to, template->text, template->len);
    wire_key(to + template->key_at, key);
    return to + template->len;
}

void wire_reader_init(struct wire_reader *reader, enum wire_kind kind)
{
    memset(reader, 0, sizeof *reader);
    reader->kind = kind;
}

static unsigned take_error(struct wire_reader *reader, const char *line,
                           size_t len)
{
    if (reader->errors++ == 0)
        snprintf(reader->error, sizeof reader->error, "%.*s", (int)len, line);
    return 1;
}

/* A line without its \n; 1 if a reply ended with it. */
static unsigned take_resp_line(struct wire_reader *reader, const char *line,
                               size_t len)
{
    if (line[0] == '+' || line[0] == ':')
        return 1;
    if (line[0] != '$')
        return take_error(reader, line, len);
    if (line[1] == '-') {
        reader->misses++;
        return 1;
    }
    reader->hits++;
    reader->skip = strtoull(line + 1, NULL, 10) + 2;
    return 0;
}

static unsigned take_memcached_line(struct wire_reader *reader,
                                    const char *line, size_t len)
{
    if (memcmp(line, "VALUE ", len < 6 ? len : 6) == 0) {
        const char *last = memrchr(line, ' ', len);
        reader->skip = strtoull(last + 1, NULL, 10) + 2;
        reader->in_value = true;
        return 0;
    }
    if (memcmp(line, "END", len < 3 ? len : 3) == 0) {
        if (reader->in_value)
            reader->hits++;
        else
            reader->misses++;
        reader->in_value = false;
        return 1;
    }
    static const char *const fine[] = {"STORED", "DELETED", "NOT_FOUND"};
    for (unsigned i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        size_t fine_len = strlen(fine[i]);
        if (len >= fine_len && memcmp(line, fine[i], fine_len) == 0)
            return 1;
    }
    return take_error(reader, line, len);
}

static unsigned take_line(struct wire_reader *reader, const char *line,
                          size_t len)
{
    if (len == 0)
        return take_error(reader, "empty line", sizeof "empty line");
    return reader->kind == WIRE_RESP ? take_resp_line(reader, line, len)
                                     : take_memcached_line(reader, line, len);
}

static void keep_line(struct wire_reader *reader, const char *in, size_t len)
{
    size_t room = sizeof reader->line - reader->line_len;
    if (len > room)
        len = room;
    memcpy(reader->line + reader->line_len, in, len);
    reader->line_len += len;
}

uint64_t wire_read(struct wire_reader *reader, const char *in, size_t len)
{
    uint64_t replies = 0;
    const char *end = in + len;
    while (in < end) {
        size_t left = (size_t)(end - in);
        if (reader->skip > 0) {
            size_t step = reader->skip < left ? reader->skip : left;
            reader->skip -= step;
            in += step;
            if (reader->skip == 0 && reader->kind == WIRE_RESP)
                replies++;
            continue;
        }
        const char *newline = memchr(in, '\n', left);
        if (newline == NULL) {
            keep_line(reader, in, left);
            break;
        }
        if (reader->line_len == 0) {
            replies += take_line(reader, in, (size_t)(newline - in));
        } else {
            keep_line(reader, in, (size_t)(newline - in) + 1);
            replies += take_line(reader, reader->line, reader->line_len - 1);
            reader->line_len = 0;
        }
        in = newline + 1;
    }
    return replies;
}
