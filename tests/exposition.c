/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads an exposition line by line and refuses the first that is wrong. */
#include "tests/exposition.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAMILIES_MAX = 512, SAMPLES_MAX = 8192, NAME_MAX_LEN = 96 };

struct family {
    char name[NAME_MAX_LEN], type[16];
};

struct sample {
    size_t family;
    char labels[128];
    double value;
};

struct exposition {
    struct family families[FAMILIES_MAX];
    struct sample samples[SAMPLES_MAX];
    size_t family_count, sample_count;
    bool typed; /* the last family has its TYPE */
};

static bool legal_name(const char *name, size_t len)
{
    if (len == 0 || len >= NAME_MAX_LEN || isdigit((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_')
            return false;
    return true;
}

static bool ends(const char *text, const char *with)
{
    size_t len = strlen(text), with_len = strlen(with);

    return len >= with_len && strcmp(text + len - with_len, with) == 0;
}

/* name="value",... with escapes; returns what follows it, NULL if it is not
 * well formed. */
static const char *skip_labels(const char *at)
{
    for (;;) {
        size_t len = strcspn(at, "=,{}\" ");

        if (!legal_name(at, len) || strncmp(at + len, "=\"", 2) != 0)
            return NULL;
        at += len + 2;
        while (*at != '"') {
            if (*at == '\\' && strchr("\\\"n", at[1]) == NULL)
                return NULL;
            at += *at == '\\' ? 2 : 1;
            if (*at == '\0')
                return NULL;
        }
        at++;
        if (*at != ',')
            return at;
        at++;
    }
}

/* Each returns NULL, or what is wrong with the line. */

static const char *read_help(struct exposition *e, const char *line)
{
    size_t len = strcspn(line, " ");

    if (e->family_count > 0 && !e->typed)
        return "HELP without TYPE before";
    if (!legal_name(line, len))
        return "illegal name";
    if (line[len] != ' ' || line[len + 1] == '\0')
        return "no help";
    if (e->family_count == FAMILIES_MAX)
        return "too many names";
    for (size_t i = 0; i < e->family_count; i++)
        if (strlen(e->families[i].name) == len &&
            strncmp(e->families[i].name, line, len) == 0)
            return "name twice";
    memcpy(e->families[e->family_count++].name, line, len);
    e->typed = false;
    return NULL;
}

static const char *read_type(struct exposition *e, const char *line)
{
    struct family *family;
    size_t len = strcspn(line, " ");

    if (e->family_count == 0 || e->typed)
        return "TYPE without HELP before";
    family = &e->families[e->family_count - 1];
    if (strlen(family->name) != len || strncmp(family->name, line, len) != 0)
        return "TYPE of another name";
    if (strcmp(line + len, " counter") != 0 &&
        strcmp(line + len, " gauge") != 0)
        return "unknown type";
    strcpy(family->type, line + len + 1);
    if (ends(family->name, "_total") != (strcmp(family->type, "counter") == 0))
        return "counters end in _total, others do not";
    e->typed = true;
    return NULL;
}

static const char *read_value(struct exposition *e, struct sample *sample,
                              const char *text)
{
    char *end;

    if (*text == '\0' || isspace((unsigned char)*text))
        return "no value";
    sample->value = strtod(text, &end);
    if (*end != '\0')
        return "illegal value";
    if (sample->value < 0 &&
        strcmp(e->families[sample->family].type, "counter") == 0)
        return "counter below 0";
    for (const struct sample *other = e->samples; other < sample; other++)
        if (other->family == sample->family &&
            strcmp(other->labels, sample->labels) == 0)
            return "sample twice";
    e->sample_count++;
    return NULL;
}

static const char *read_sample(struct exposition *e, const char *line)
{
    struct sample *sample = &e->samples[e->sample_count];
    size_t len = strcspn(line, "{ ");
    const char *at = line + len;

    if (e->family_count == 0 || !e->typed)
        return "sample without TYPE";
    if (e->sample_count == SAMPLES_MAX)
        return "too many samples";
    *sample = (struct sample){.family = e->family_count - 1};
    if (strlen(e->families[sample->family].name) != len ||
        strncmp(e->families[sample->family].name, line, len) != 0)
        return "sample of another name";
    if (*at == '{') {
        const char *end = skip_labels(at + 1);

        if (end == NULL || *end != '}')
            return "illegal labels";
        if ((size_t)(end - at) > sizeof sample->labels)
            return "labels too long";
        memcpy(sample->labels, at + 1, (size_t)(end - at - 1));
        at = end + 1;
    }
    return *at == ' ' ? read_value(e, sample, at + 1) : "no value";
}

static const char *read_line(struct exposition *e, const char *line)
{
    if (strncmp(line, "# HELP ", 7) == 0)
        return read_help(e, line + 7);
    if (strncmp(line, "# TYPE ", 7) == 0)
        return read_type(e, line + 7);
    return read_sample(e, line);
}

struct exposition *exposition_read(const char *text, size_t len, char *why)
{
    struct exposition *e = calloc(1, sizeof *e);
    const char *wrong = e == NULL ? "no memory" : NULL;
    char line[1024] = "";
    size_t at = 0;

    if (len > 0 && memchr(text, '\0', len) != NULL)
        wrong = "zero byte";
    while (wrong == NULL && at < len) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line_len = end == NULL ? 0 : (size_t)(end - text) - at;

        if (end == NULL || line_len >= sizeof line) {
            wrong = end == NULL ? "no line end" : "line too long";
            break;
        }
        memcpy(line, text + at, line_len);
        line[line_len] = '\0';
        wrong = read_line(e, line);
        at += line_len + 1;
    }
    if (wrong == NULL && e->family_count > 0 && !e->typed)
        wrong = "HELP without TYPE at the end";
    if (wrong == NULL)
        return e;
    snprintf(why, EXPOSITION_WHY_MAX, "%s: %.150s", wrong, line);
    exposition_free(e);
    return NULL;
}

void exposition_free(struct exposition *exposition)
{
    free(exposition);
}

const char *exposition_type(const struct exposition *exposition,
                            const char *name)
{
    for (size_t i = 0; i < exposition->family_count; i++)
        if (strcmp(exposition->families[i].name, name) == 0)
            return exposition->families[i].type;
    return NULL;
}

bool exposition_value(const struct exposition *exposition, const char *name,
                      const char *labels, double *value)
{
    for (size_t i = 0; i < exposition->sample_count; i++) {
        const struct sample *sample = &exposition->samples[i];

        if (strcmp(exposition->families[sample->family].name, name) == 0 &&
            strcmp(sample->labels, labels) == 0) {
            *value = sample->value;
            return true;
        }
    }
    return false;
}

const char *exposition_name(const struct exposition *exposition, size_t i)
{
    return i < exposition->family_count ? exposition->families[i].name : NULL;
}
