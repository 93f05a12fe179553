/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an entry costs beyond its key and value: resident memory of a server
 * with many entries, less that of the empty one, for each entry.  Budgets are
 * too large to matter.
 */

#include <stdio.h>

#include "bench/args.h"
#include "bench/host.h"
#include "bench/peer.h"
#include "bench/table.h"
#include "bench/work.h"

enum { SIZES = 3, TTL_S = 86400 };

static const uint64_t sizes[SIZES] = {16, 100, 1000};

/* Bytes an entry costs beyond key and value; false if it went wrong. */
static bool measure(enum peer_id id, const char *ebb, uint64_t entries,
                    uint64_t value_bytes, unsigned ttl_s, double *beyond)
{
    struct peer peer;
    uint64_t payload = value_bytes + WIRE_KEY;
    uint64_t budget = entries * (payload + 512) >> 20 << 20;
    struct peer_options options = {.budget_bytes = budget + (256 << 20),
                                   .core = PEER_ANY_CORE,
                                   .ebb = ebb};
    if (!peer_start(&peer, id, &options))
        return false;
    uint64_t held = peer_entries(&peer);
    uint64_t empty = host_resident(peer.pid);
    bool done = work_fill(&peer, 0, entries, value_bytes, ttl_s);
    held = done ? peer_entries(&peer) : held;
    uint64_t full = host_resident(peer.pid);
    if (held != entries) {
        fprintf(stderr, "%s: holds %llu of %llu entries\n", peer.name,
                (unsigned long long)held, (unsigned long long)entries);
        done = false;
    }
    *beyond =
        ((double)full - (double)empty) / (double)entries - (double)payload;
    return peer_stop(&peer) && done;
}

int main(int argc, char **argv)
{
    uint64_t entries = 2000000;
    const char *ebb = NULL, *only = NULL;
    const struct args_row rows[] = {
        {"entries", &entries, NULL, "how many, each with a key of 16 B"},
        {"only", NULL, &only, "server to run, by name, not the others"},
        {"ebb", NULL, &ebb, "the program, if not the one built here"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "density: bytes an entry costs beyond key and value", argc,
              argv);
    args_within("entries", entries, 1, 1000000000);
    peer_check_only(only, PEER_FLOOR);

    static const char *const headings[] = {"bytes beyond key and value",
                                           "16 B",
                                           "100 B",
                                           "1000 B",
                                           "16 B, TTL",
                                           "100 B, TTL",
                                           "1000 B, TTL",
                                           NULL};
    static struct table table;
    table_init(&table, headings);
    printf("%llu entries, keys of 16 B\n\n", (unsigned long long)entries);
    table_follow(&table, stdout);
    bool whole = true;
    for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++) {
        double beyond;
        if (!peer_present(id, ebb, only))
            continue;
        table_cell(&table, "%s", peer_name(id));
        for (unsigned i = 0; i < 2 * SIZES; i++) {
            unsigned ttl_s = i < SIZES ? 0 : TTL_S;
            if (measure(id, ebb, entries, sizes[i % SIZES], ttl_s, &beyond)) {
                table_cell(&table, "%.1f", beyond);
            } else {
                table_cell(&table, "-");
                whole = false;
            }
        }
    }
    return whole ? 0 : 1;
}
