/* SPDX-License-Identifier: BSD-3-Clause */
/* What there is to say of a memory sheet: one function for each finding. */

#include "doctor.h"

#include <stdbool.h>

#include "info.h"

enum { LEAST = 4 << 20 }; /* bytes; with less a share says nothing */

#define HUMAN(bytes) info_human(bytes, (char[INFO_HUMAN_MAX]){0})

/* True if `part` is much, and more than `percent` of `whole`. */
static bool exceeds(uint64_t part, uint64_t whole, unsigned percent)
{
    return part > LEAST && part / percent > whole / 100;
}

/* --------------------------------------------------------------- findings */

/* Each writes its sentences, or nothing if they do not apply. */
typedef void find(const struct doctor_case *patient, struct buf *out);

static void find_rebuild(const struct doctor_case *patient, struct buf *out)
{
    const struct governor_state *governor = &patient->now.governor;
    if (governor->rebuilding && !governor->floor_above_budget)
        buf_addf(out,
                 "Rebuild: maxmemory was lowered from %s to %s, and %s of "
                 "resident memory have still to be given back. MEMORY WAIT "
                 "answers when that is done.",
                 HUMAN(governor->rebuild_from_bytes),
                 HUMAN(governor->rebuild_to_bytes),
                 HUMAN(patient->now.remaining_bytes));
}

static void find_floor(const struct doctor_case *patient, struct buf *out)
{
    const struct governor_state *governor = &patient->now.governor;
    if (governor->floor_above_budget)
        buf_addf(out,
                 "Floor: maxmemory is %s, but %s are the least with which "
                 "entries can be stored. Little or nothing is kept until it is "
                 "raised.",
                 HUMAN(governor->budget_bytes), HUMAN(governor->floor_bytes));
}

static void find_excess(const struct doctor_case *patient, struct buf *out)
{
    const struct governor_state *governor = &patient->now.governor;
    uint64_t resident = patient->sheet.resident;
    if (!governor->rebuilding && !governor->floor_above_budget &&
        resident > governor->budget_bytes)
        buf_addf(out,
                 "Budget: %s are resident, %s more than maxmemory allows. If "
                 "this stays so, it is an error of the server.",
                 HUMAN(resident), HUMAN(resident - governor->budget_bytes));
}

static void find_machine(const struct doctor_case *patient, struct buf *out)
{
    uint64_t budget = patient->now.governor.budget_bytes;
    if (patient->machine_bytes > 0 && budget > patient->machine_bytes)
        buf_addf(out,
                 "Machine: maxmemory is %s, but the machine or container has "
                 "%s: the system may end the server before its budget is "
                 "used up.",
                 HUMAN(budget), HUMAN(patient->machine_bytes));
}

static void find_clients(const struct doctor_case *patient, struct buf *out)
{
    const struct stats_now *now = &patient->now;
    if (now->pool_used_bytes > now->pool_bytes / 2)
        buf_addf(out,
                 "Clients: their buffers take %s, more than half of the %s "
                 "that they may take (maxmemory-clients). When that is used up "
                 "clients are closed, those that hold most first. CLIENT LIST "
                 "tells who holds what.",
                 HUMAN(now->pool_used_bytes), HUMAN(now->pool_bytes));
}

/* While a budget is being lowered there is much for a while. */
static void find_slack(const struct doctor_case *patient, struct buf *out)
{
    const struct stats_now *now = &patient->now;
    uint64_t slack = patient->sheet.slack;
    if (!now->rebuilding && exceeds(slack, now->cache.resident_bytes, 20))
        buf_addf(out,
                 "Slack: of %s of slabs %s hold nothing, %s of that in slabs "
                 "that are free. Many entries went at once, or there are few "
                 "of many sizes; slabs are packed and given back in time. "
                 "MEMORY PURGE gives back at once what is free.",
                 HUMAN(now->cache.resident_bytes), HUMAN(slack),
                 HUMAN(now->cache.stock_bytes));
}

static void find_overhead(const struct doctor_case *patient, struct buf *out)
{
    const struct memory_sheet *sheet = &patient->sheet;
    uint64_t entries = patient->now.cache.entries;
    if (entries > 0 && sheet->overhead > sheet->payload &&
        exceeds(sheet->overhead, sheet->resident, 25))
        buf_addf(out,
                 "Entries: what is kept beside keys and values takes %s, more "
                 "than those themselves (%s). They are very small, or many are "
                 "being received or dropped.",
                 HUMAN(sheet->overhead), HUMAN(sheet->payload));
}

static void find_allocator(const struct doctor_case *patient, struct buf *out)
{
    const struct memory_sheet *sheet = &patient->sheet;
    if (exceeds(sheet->allocator, sheet->resident, 10))
        buf_addf(out,
                 "Allocator: %s are its free pages and books. It gives free "
                 "pages back within a second, MEMORY PURGE at once; if much "
                 "stays, its pages are strewn with a few small pieces.",
                 HUMAN(sheet->allocator));
}

static void find_unexplained(const struct doctor_case *patient, struct buf *out)
{
    int64_t bytes = patient->sheet.unexplained;
    uint64_t much = (uint64_t)(bytes < 0 ? -bytes : bytes);
    if (much > 1 << 20 && much / 2 > patient->sheet.resident / 100)
        buf_addf(out,
                 "Unexplained: the parts of the memory sheet add up to %s %s "
                 "than what is resident.",
                 HUMAN(much), bytes > 0 ? "less" : "more");
}

static find *const findings[] = {
    find_rebuild, find_floor,    find_excess,    find_machine,     find_clients,
    find_slack,   find_overhead, find_allocator, find_unexplained,
};

/* ----------------------------------------------------------------- report */

void doctor_write(const struct doctor_case *patient, struct buf *out)
{
    struct buf list = {0};
    for (size_t i = 0; i < sizeof findings / sizeof *findings; i++) {
        size_t before = buf_len(&list);
        buf_add_text(&list, " * ");
        findings[i](patient, &list);
        if (buf_len(&list) > before + 3)
            buf_add_text(&list, "\n\n");
        else
            buf_truncate(&list, before);
    }
    if (buf_len(&list) == 0 && !list.failed)
        buf_addf(out,
                 "Hi Sam, all is well: of the budget of %s are %s resident, "
                 "and keys and values have %s of them.\n",
                 HUMAN(patient->now.governor.budget_bytes),
                 HUMAN(patient->sheet.resident), HUMAN(patient->sheet.payload));
    else
        buf_addf(out, "Sam, this is what I see in the memory sheet:\n\n%.*s",
                 (int)buf_len(&list), list.data + list.start);
    out->failed |= list.failed;
    buf_release(&list);
}
