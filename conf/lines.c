/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads lines with every length bounded, and splits them into words. */
#include "lines.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "value.h"

const char *lines_open(struct lines *lines, const char *path, char *why)
{
    struct stat st;
    /* O_NONBLOCK: opening a FIFO nobody writes to would wait. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return value_say(why, "can't open '%.300s': %s", path, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return value_say(why, "'%.300s' is not a regular file", path);
    }
    memset(lines, 0, sizeof *lines);
    lines->path = path;
    lines->file = fdopen(fd, "r");
    if (lines->file == NULL) {
        close(fd);
        return value_say(why, "can't read '%.300s': %s", path, strerror(errno));
    }
    return NULL;
}

void lines_close(struct lines *lines)
{
    fclose(lines->file);
}

bool lines_next(struct lines *lines, const char **error, char *why)
{
    const char *wrong = NULL;
    int byte;

    *error = NULL;
    lines->len = 0;
    lines->number++;
    while ((byte = getc_unlocked(lines->file)) != EOF && byte != '\n') {
        if (byte == '\0')
            wrong = "NUL byte";
        else if (lines->len == CONF_LINE_MAX)
            wrong = "line too long";
        else if (lines->total == CONF_FILE_MAX)
            wrong = "file too long";
        if (wrong != NULL)
            break;
        lines->line[lines->len++] = (char)byte;
        lines->total++;
    }
    lines->line[lines->len] = '\0';
    lines->total += lines->ended = byte == '\n';
    if (byte == EOF && ferror(lines->file))
        wrong = strerror(errno);
    if (wrong != NULL) {
        *error =
            value_say(why, "%.300s:%u: %s", lines->path, lines->number, wrong);
        return false;
    }
    return lines->ended || lines->len > 0;
}

/* ---------------------------------------------------------------- words */

struct cursor {
    const char *from, *end;
    char *to; /* what is unescaped is never longer, so never ahead of from */
};

static int hex_digit(int c)
{
    if (isdigit(c))
        return c - '0';
    c = tolower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* After a backslash in double quotes. */
static void unescape(struct cursor *c)
{
    static const char letters[] = "nrtba", meant[] = "\n\r\t\b\a";
    const char *letter;

    if (c->end - c->from >= 3 && c->from[0] == 'x') {
        int high = hex_digit((unsigned char)c->from[1]);
        int low = hex_digit((unsigned char)c->from[2]);
        if (high >= 0 && low >= 0) {
            *c->to++ = (char)(high * 16 + low);
            c->from += 3;
            return;
        }
    }
    letter = strchr(letters, *c->from);
    *c->to++ = letter ? meant[letter - letters] : *c->from;
    c->from++;
}

/* From behind the opening quote to behind the closing one, which must end the
 * word; false if it does not. */
static bool split_quoted(struct cursor *c, char quote)
{
    while (c->from < c->end && *c->from != quote) {
        bool more = c->end - c->from >= 2;
        if (*c->from == '\\' && quote == '"' && more) {
            c->from++;
            unescape(c);
        } else {
            if (*c->from == '\\' && quote == '\'' && more && c->from[1] == '\'')
                c->from++;
            *c->to++ = *c->from++;
        }
    }
    if (c->from == c->end)
        return false;
    c->from++;
    return c->from == c->end || isspace((unsigned char)*c->from);
}

static bool split_word(struct cursor *c)
{
    while (c->from < c->end && strchr(" \n\r\t", *c->from) == NULL) {
        char byte = *c->from++;
        if (byte == '"' || byte == '\'')
            return split_quoted(c, byte);
        *c->to++ = byte;
    }
    return true;
}

const char *words_split(struct words *words, char *line, size_t len)
{
    struct cursor c = {line, line + len, line};

    words->count = 0;
    for (;;) {
        struct word *word;

        while (c.from < c.end && isspace((unsigned char)*c.from))
            c.from++;
        if (c.from == c.end || (words->count == 0 && *c.from == '#'))
            return NULL;
        if (words->count == CONF_VALUES_MAX)
            return "too many words";
        word = &words->at[words->count++];
        word->ptr = c.to;
        if (!split_word(&c))
            return "unbalanced quotes";
        word->len = (size_t)(c.to - word->ptr);
    }
}

const char *words_set(struct conf *conf, enum conf_id id,
                      const struct word *values, size_t count, char *why)
{
    char text[CONF_TEXT_MAX];
    size_t len = 0;
    bool list = conf_option(id)->flags & CONF_LIST;

    if (count == 0 || (count > 1 && !list))
        return "wrong number of arguments";
    if (count == 1)
        return conf_set(conf, id, values[0].ptr, values[0].len, why);
    for (size_t i = 0; i < count; i++) {
        if (values[i].len + 1 > sizeof text - len)
            return value_say(why, "argument must be at most %d bytes long",
                             CONF_TEXT_MAX - 1);
        if (i > 0)
            text[len++] = ' ';
        memcpy(text + len, values[i].ptr, values[i].len);
        len += values[i].len;
    }
    return conf_set(conf, id, text, len, why);
}

void words_show(struct word word, char text[4 * WORDS_SHOWN + 4])
{
    for (size_t i = 0; i < word.len && i < WORDS_SHOWN; i++) {
        unsigned char byte = (unsigned char)word.ptr[i];
        if (isprint(byte))
            *text++ = (char)byte;
        else
            text += sprintf(text, "\\x%02x", byte);
    }
    strcpy(text, word.len > WORDS_SHOWN ? "..." : "");
}
