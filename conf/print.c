/* SPDX-License-Identifier: BSD-3-Clause */
/* The option table as people read it. */
#include <inttypes.h>
#include <string.h>

#include "conf.h"
#include "value.h"

/* What may be given: "0 to 65535", "1mb to 512mb", "debug, verbose". */
static const char *describe(const struct conf_option *option,
                            char text[CONF_TEXT_MAX])
{
    char least[CONF_TEXT_MAX], most[CONF_TEXT_MAX];
    bool or_zero = option->flags & CONF_OR_ZERO;
    size_t at = 0;

    value_write_size(option->least, least);
    value_write_size(option->most, most);
    switch (option->kind) {
    case CONF_KIND_TEXT:
    case CONF_KIND_EVENTS:
        return value_say(text, "%s", option->unit);
    case CONF_KIND_NUMBER:
        return value_say(text, "%" PRId64 " to %" PRId64 "%s%s", option->least,
                         option->most, *option->unit ? " " : "", option->unit);
    case CONF_KIND_OCTAL:
        return value_say(text, "%" PRIo64 " to %" PRIo64 ", octal",
                         (uint64_t)option->least, (uint64_t)option->most);
    case CONF_KIND_SIZE:
        return value_say(text, "%s to %s", least, most);
    case CONF_KIND_SHARE:
        return value_say(text, "%s to %s, 1%% to 100%%%s", least, most,
                         or_zero ? ", or 0" : "");
    case CONF_KIND_CHOICE:
        break;
    }
    for (const char *p = option->unit; *p; p++) {
        text[at++] = *p == '|' ? ',' : *p;
        if (*p == '|')
            text[at++] = ' ';
    }
    text[at] = '\0';
    return text;
}

/* The text in lines of up to `width` bytes, each after the first begun with
 * `indent`. */
enum { HELP_WIDTH = 48 }; /* of what stands beside the flags */

static void print_wrapped(FILE *to, const char *text, const char *indent,
                          size_t width)
{
    while (strlen(text) > width) {
        size_t end = width;
        while (end > 0 && text[end] != ' ')
            end--;
        if (end == 0)
            end = strcspn(text, " ");
        fprintf(to, "%.*s\n%s", (int)end, text, indent);
        text += end + (text[end] == ' ');
    }
    fprintf(to, "%s\n", text);
}

void conf_print_help(FILE *to)
{
    static const char indent[] = "                               ";
    char values[CONF_TEXT_MAX], flag[CONF_TEXT_MAX], line[2 * CONF_TEXT_MAX];

    for (unsigned i = 0; i < CONF_COUNT; i++) {
        const struct conf_option *option = conf_option((enum conf_id)i);
        if (option->change == CONF_FIXED || option->flags & CONF_SECRET)
            continue;
        value_say(flag, "--%s", option->name);
        fprintf(to, "  %-28s ", flag);
        print_wrapped(to, option->help, indent, HELP_WIDTH);
        snprintf(line, sizeof line, "%s; initially %s",
                 describe(option, values),
                 *option->initial ? option->initial : "empty");
        fputs(indent, to);
        print_wrapped(to, line, indent, HELP_WIDTH);
    }
    fputs("\nThe password is no flag: it comes from the file or from "
          "EBB_REQUIREPASS.\n",
          to);
}

void conf_print_markdown(FILE *to)
{
    static const char *const when[] = {"never", "at start", "CONFIG SET"};
    char values[CONF_TEXT_MAX];

    fputs(
        "# Options\n\n"
        "Made from the table in `conf/options.h` by `make docs`.\n\n"
        "An option is a line of the file (`port 7000`), a flag\n"
        "(`--port 7000`; flags win over the file), and a parameter of\n"
        "`CONFIG GET` and, where the table says so, of `CONFIG SET`.\n"
        "`CONFIG REWRITE` writes what was changed into the file.\n\n"
        "- The file has one option a line, `#` begins a comment line, values\n"
        "  with spaces stand in quotes. The last of several lines of one\n"
        "  option wins.\n"
        "- Sizes are bytes, or `k` (1000), `kb` (1024), `m`, `mb`, `g`, `gb`,\n"
        "  in either case.\n"
        "- The password is no flag, since others could read it. It comes from\n"
        "  the file or from `EBB_REQUIREPASS` in the environment, which wins\n"
        "  and which `CONFIG REWRITE` does not write down.\n\n"
        "| Option | Values | Initially | Changes | |\n"
        "| --- | --- | --- | --- | --- |\n",
        to);
    for (unsigned i = 0; i < CONF_COUNT; i++) {
        const struct conf_option *option = conf_option((enum conf_id)i);
        const char *tick = *option->initial ? "`" : "";
        fprintf(to, "| `%s` | %s | %s%s%s | %s | %s |\n", option->name,
                describe(option, values), tick, option->initial, tick,
                when[option->change], option->help);
    }
}

void conf_print_sample(FILE *to)
{
    char values[CONF_TEXT_MAX];

    fputs(
        "# Options of Ebb: ebb-server ebb.conf\n"
        "#\n"
        "# Every option is here with its initial value.  To change one, take\n"
        "# the # away and give it another.  Flags win over this file.\n",
        to);
    for (unsigned i = 0; i < CONF_COUNT; i++) {
        const struct conf_option *option = conf_option((enum conf_id)i);
        if (option->change == CONF_FIXED)
            continue;
        fputs("\n# ", to);
        print_wrapped(to, option->help, "# ", 76);
        fprintf(to, "# (%s)\n# %s %s\n", describe(option, values), option->name,
                *option->initial ? option->initial : "\"\"");
    }
}
