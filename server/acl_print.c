/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words that make given rules.
 *
 * Of commands only the bits are kept.  They are put in words by beginning with
 * all or none, then taking the category that fits best as long as one fits,
 * and in the end each command that is still wrong.
 */

#include <string.h>

#include "acl_rules.h"
#include "command_categories.h"

enum { WORDS = ACL_ROWS_MAX / 64 };

/* The rows of each category. */
struct categories {
    uint64_t rows[COMMAND_CATEGORIES][WORDS];
};

static void find_rows(struct categories *categories)
{
    *categories = (struct categories){0};
    for (size_t row = 0; row < command_count; row++) {
        uint32_t in = command_categories(&command_table[row]);
        for (size_t i = 0; i < COMMAND_CATEGORIES; i++)
            if (in >> i & 1)
                categories->rows[i][row / 64] |= UINT64_C(1) << (row % 64);
    }
}

/* How many of the rows are set in `commands`. */
static unsigned count_set(const uint64_t *rows, const uint64_t *commands)
{
    unsigned count = 0;
    for (size_t i = 0; i < WORDS; i++)
        count += (unsigned)__builtin_popcountll(rows[i] & commands[i]);
    return count;
}

/*
 * The category that fits best: more of its commands are as the user has them
 * than not; of these the one with the fewest that are not, and among equals
 * the largest.  COMMAND_CATEGORIES: none.
 */
static size_t best_category(const struct categories *categories,
                            const struct acl_selector *left, bool adding,
                            uint32_t used)
{
    size_t best = COMMAND_CATEGORIES;
    unsigned least = UINT32_MAX, most = 0;
    for (size_t i = 0; i < COMMAND_CATEGORIES; i++) {
        const uint64_t *rows = categories->rows[i];
        unsigned on = count_set(rows, left->commands);
        unsigned off = count_set(rows, rows) - on;
        unsigned wrong = adding ? off : on, right = adding ? on : off;
        if (used >> i & 1 || right <= wrong ||
            !(wrong < least || (wrong == least && right > most)))
            continue;
        best = i;
        least = wrong;
        most = right;
    }
    return best;
}

static void print_categories(const struct acl_selector *selector,
                             struct acl_selector *made, struct buf *out)
{
    struct categories categories;
    struct acl_selector left = {0};
    bool adding = !selector->future;
    uint32_t used = 0;
    memcpy(left.commands, selector->commands, sizeof left.commands);
    find_rows(&categories);
    for (;;) {
        size_t best = best_category(&categories, &left, adding, used);
        if (best == COMMAND_CATEGORIES)
            break;
        used |= 1u << best;
        acl_selector_category(made, best, adding);
        acl_selector_category(&left, best, !adding);
        buf_addf(out, " %c@%s", adding ? '+' : '-',
                 command_category_name(best));
    }
}

void acl_print_commands(const struct acl_selector *selector, struct buf *out)
{
    struct acl_selector made = {0};
    if (selector->future)
        for (size_t row = 0; row < command_count; row++)
            acl_selector_allow(&made, &command_table[row], true);
    buf_add_text(out, selector->future ? "+@all" : "-@all");
    print_categories(selector, &made, out);
    for (size_t row = 0; row < command_count; row++) {
        const struct command *command = &command_table[row];
        bool has = acl_selector_has(selector, row);
        if (has != acl_selector_has(&made, row)) {
            buf_addf(out, " %c%s", has ? '+' : '-', command->name);
            acl_selector_allow(&made, command, has);
        }
        for (size_t i = 0; !has && i < selector->firsts.count; i++) {
            const struct acl_text *first = &selector->firsts.at[i];
            if (first->row != row)
                continue;
            buf_addf(out, " +%s|", command->name);
            buf_add(out, first->ptr, first->len);
        }
    }
}

void acl_print_keys(const struct acl_selector *selector, struct buf *out)
{
    if (selector->all_keys)
        buf_add_text(out, "~*");
    for (size_t i = 0; i < selector->keys.count; i++) {
        const struct acl_text *text = &selector->keys.at[i];
        bool both = text->access == (ACL_READ | ACL_WRITE);
        bool star = text->len == 1 && text->ptr[0] == '*';
        if (i > 0)
            buf_add_text(out, " ");
        /* "~*" would be allkeys. */
        buf_add_text(out, both                       ? star ? "%RW~" : "~"
                          : text->access == ACL_READ ? "%R~"
                                                     : "%W~");
        buf_add(out, text->ptr, text->len);
    }
}

void acl_print_channels(const struct acl_selector *selector, struct buf *out)
{
    if (selector->all_channels)
        buf_add_text(out, "&*");
    for (size_t i = 0; i < selector->channels.count; i++) {
        const struct acl_text *text = &selector->channels.at[i];
        buf_add_text(out, i > 0 ? " &" : "&");
        buf_add(out, text->ptr, text->len);
    }
}

static void print_selector(const struct acl_selector *selector, struct buf *out)
{
    if (selector->all_keys || selector->keys.count > 0) {
        acl_print_keys(selector, out);
        buf_add_text(out, " ");
    }
    if (!selector->all_channels)
        buf_add_text(out, "resetchannels ");
    if (selector->all_channels || selector->channels.count > 0) {
        acl_print_channels(selector, out);
        buf_add_text(out, " ");
    }
    acl_print_commands(selector, out);
}

void acl_print(const struct acl_rules *rules, struct buf *out)
{
    buf_add_text(out, rules->enabled ? "on " : "off ");
    if (rules->nopass)
        buf_add_text(out, "nopass ");
    if (rules->sanitize != ACL_SANITIZE_UNSAID)
        buf_add_text(out, rules->sanitize == ACL_SANITIZE
                              ? "sanitize-payload "
                              : "skip-sanitize-payload ");
    for (size_t i = 0; i < rules->password_count; i++) {
        char hex[SHA256_HEX + 1];
        sha256_hex(rules->passwords[i], hex);
        buf_addf(out, "#%s ", hex);
    }
    print_selector(&rules->selectors[0], out);
    for (size_t i = 1; i < rules->selector_count; i++) {
        buf_add_text(out, " (");
        print_selector(&rules->selectors[i], out);
        buf_add_text(out, ")");
    }
}
