/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers, sizes, shares, choices and texts; refusals in Redis's words. */
#include "value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

const char *value_say(char *why, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, CONF_TEXT_MAX, format, args);
    va_end(args);
    return why;
}

/* Digits of that base, at least one; false beyond int64_t. */
static bool read_digits(const char *text, size_t len, int base, int64_t *value)
{
    int64_t sum = 0;

    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        int digit = text[i] - '0';
        if (digit < 0 || digit >= base ||
            __builtin_mul_overflow(sum, base, &sum) ||
            __builtin_add_overflow(sum, digit, &sum))
            return false;
    }
    *value = sum;
    return true;
}

/* The one canonical spelling: "01", "+1" and "-0" are none. */
static bool read_number(const char *text, size_t len, int64_t *value)
{
    bool minus = len > 0 && text[0] == '-';

    if (minus) {
        text++;
        len--;
    }
    if (len > 1 && text[0] == '0')
        return false;
    if (!read_digits(text, len, 10, value))
        return false;
    if (minus) {
        if (*value == 0)
            return false;
        *value = -*value;
    }
    return true;
}

bool conf_size(const char *text, size_t len, int64_t *bytes)
{
    static const struct {
        const char *name;
        int64_t factor;
    } units[] = {
        {"", 1},        {"b", 1},        {"k", 1000},       {"kb", CONF_KB},
        {"m", 1000000}, {"mb", CONF_MB}, {"g", 1000000000}, {"gb", CONF_GB},
    };
    size_t digits = 0;
    int64_t number;

    while (digits < len && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    if (!read_digits(text, digits, 10, &number))
        return false;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t unit_len = strlen(units[i].name);
        if (len - digits == unit_len &&
            strncasecmp(text + digits, units[i].name, unit_len) == 0)
            return !__builtin_mul_overflow(number, units[i].factor, bytes);
    }
    return false;
}

/* "5%": the number before the sign, whatever it is. */
static bool read_percent(const char *text, size_t len, int64_t *percent)
{
    return len > 0 && text[len - 1] == '%' &&
           read_digits(text, len - 1, 10, percent);
}

bool conf_share(const char *text, size_t len, int64_t *value)
{
    int64_t percent;

    if (!read_percent(text, len, &percent))
        return conf_size(text, len, value);
    if (percent < 1 || percent > 100)
        return false;
    *value = -percent;
    return true;
}

/* ------------------------------------------------------- one kind each */

static const char *check_bounds(const struct conf_option *option, int64_t value,
                                char *why)
{
    if (value == 0 && option->flags & CONF_OR_ZERO)
        return NULL;
    if (value >= option->least && value <= option->most)
        return NULL;
    if (option->kind == CONF_KIND_OCTAL)
        return value_say(why,
                         "argument must be between %" PRIo64 " and %" PRIo64
                         " inclusive",
                         (uint64_t)option->least, (uint64_t)option->most);
    return value_say(
        why, "argument must be between %" PRId64 " and %" PRId64 " inclusive",
        option->least, option->most);
}

static const char *read_share(const struct conf_option *option,
                              const char *text, size_t len, int64_t *value,
                              char *why)
{
    int64_t percent;

    if (conf_share(text, len, value))
        return *value < 0 ? NULL : check_bounds(option, *value, why);
    if (!read_percent(text, len, &percent))
        return value_say(why, "argument must be a %s value", option->unit);
    return percent < 1 ? "percentage argument must be at least 1"
                       : "percentage argument must be less or equal to 100";
}

static const char *read_integer(const struct conf_option *option,
                                const char *text, size_t len, int64_t *value,
                                char *why)
{
    switch (option->kind) {
    case CONF_KIND_NUMBER:
        if (!read_number(text, len, value))
            return "argument couldn't be parsed into an integer";
        break;
    case CONF_KIND_OCTAL:
        if (!read_digits(text, len, 8, value))
            return "argument couldn't be parsed as an octal number";
        break;
    case CONF_KIND_SHARE:
        return read_share(option, text, len, value, why);
    default:
        if (!conf_size(text, len, value))
            return "argument must be a memory value";
    }
    return check_bounds(option, *value, why);
}

/* The word of that number in "one|two|three"; its length is 0 at the end. */
static const char *choice_word(const char *words, int number, size_t *len)
{
    for (; number > 0 && *words; number--) {
        words += strcspn(words, "|");
        words += *words == '|';
    }
    *len = strcspn(words, "|");
    return words;
}

static const char *read_choice(const struct conf_option *option,
                               const char *text, size_t len, int *choice,
                               char *why)
{
    size_t word_len, at;

    for (int i = 0;; i++) {
        const char *word = choice_word(option->unit, i, &word_len);
        if (word_len == 0)
            break;
        if (word_len == len && strncasecmp(word, text, len) == 0) {
            *choice = i;
            return NULL;
        }
    }

    value_say(why, "argument(s) must be one of the following: ");
    at = strlen(why);
    for (const char *p = option->unit; *p && at < CONF_TEXT_MAX - 3; p++) {
        why[at++] = *p == '|' ? ',' : *p;
        if (*p == '|')
            why[at++] = ' ';
    }
    why[at] = '\0';
    return why;
}

/* ---------------------------------------------------------------- events */

enum { EVENTS_ALL = 10 }; /* of CONF_EVENTS, the first of them: A */

static const char *read_events(const char *text, size_t len, int *events)
{
    *events = 0;
    for (size_t i = 0; i < len; i++) {
        const char *at = memchr(CONF_EVENTS, text[i], sizeof CONF_EVENTS - 1);

        if (text[i] == 'A')
            *events |= (1 << EVENTS_ALL) - 1;
        else if (at != NULL)
            *events |= 1 << (at - CONF_EVENTS);
        else
            return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
    }
    return NULL;
}

static void write_events(int events, char text[CONF_TEXT_MAX])
{
    const int all = (1 << EVENTS_ALL) - 1;
    size_t len = 0;

    if ((events & all) == all) {
        text[len++] = 'A';
        events &= ~all;
    }
    for (size_t i = 0; i < sizeof CONF_EVENTS - 1; i++)
        if (events & 1 << i)
            text[len++] = CONF_EVENTS[i];
    text[len] = '\0';
}

static const char *read_text(const struct conf_option *option, const char *text,
                             size_t len, char *field, char *why)
{
    size_t most = option->most ? (size_t)option->most : CONF_TEXT_MAX - 1;

    if (len > most)
        return value_say(why, "argument must be at most %zu bytes long", most);
    if (memchr(text, '\0', len) != NULL)
        return "argument must not contain a NUL byte";
    memcpy(field, text, len);
    field[len] = '\0';
    return NULL;
}

const char *value_read(const struct conf_option *option, const char *text,
                       size_t len, void *field, char *why)
{
    const char *refusal;
    int64_t integer;
    int choice;

    switch (option->kind) {
    case CONF_KIND_TEXT:
        return read_text(option, text, len, field, why);
    case CONF_KIND_CHOICE:
        refusal = read_choice(option, text, len, &choice, why);
        if (refusal == NULL)
            memcpy(field, &choice, sizeof choice);
        return refusal;
    case CONF_KIND_EVENTS:
        refusal = read_events(text, len, &choice);
        if (refusal == NULL)
            memcpy(field, &choice, sizeof choice);
        return refusal;
    default:
        refusal = read_integer(option, text, len, &integer, why);
        if (refusal == NULL)
            memcpy(field, &integer, sizeof integer);
        return refusal;
    }
}

/* -------------------------------------------------------------- writing */

void value_write(const struct conf_option *option, const void *field,
                 char text[CONF_TEXT_MAX])
{
    const char *word;
    size_t word_len;
    int64_t integer;
    int choice;

    switch (option->kind) {
    case CONF_KIND_TEXT:
        memcpy(text, field, CONF_TEXT_MAX);
        return;
    case CONF_KIND_CHOICE:
        memcpy(&choice, field, sizeof choice);
        word = choice_word(option->unit, choice, &word_len);
        value_say(text, "%.*s", (int)word_len, word);
        return;
    case CONF_KIND_EVENTS:
        memcpy(&choice, field, sizeof choice);
        write_events(choice, text);
        return;
    default:
        break;
    }
    memcpy(&integer, field, sizeof integer);
    if (option->kind == CONF_KIND_OCTAL)
        value_say(text, "%" PRIo64, (uint64_t)integer);
    else if (option->kind == CONF_KIND_SHARE && integer < 0)
        value_say(text, "%" PRId64 "%%", -integer);
    else
        value_say(text, "%" PRId64, integer);
}

void value_write_size(int64_t bytes, char text[CONF_TEXT_MAX])
{
    static const char *const units[] = {"", "kb", "mb", "gb"};
    int unit = 0;

    while (unit < 3 && bytes > 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    value_say(text, "%" PRId64 "%s", bytes, units[unit]);
}
