/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory sheet adds up, and what the doctor says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>
#include <sys/mman.h>

#include "server/doctor.h"
#include "server/sheet.h"

enum { MB = 1 << 20 };

static struct sheet_sources healthy(void)
{
    return (struct sheet_sources){
        .cache =
            {
                .resident_bytes = 100 * MB,
                .live_bytes = 80 * MB,
                .payload_bytes = 60 * MB,
                .index_bytes = 10 * MB,
                .scratch_bytes = 1 * MB,
            },
        .heap = {.allocated = 7 * MB, .resident = 9 * MB, .metadata = 2 * MB},
        .heap_pages = 10 * MB,
        .clients = 4 * MB,
        .tables = 2 * MB,
        .binary = 3 * MB,
        .stacks = 1 * MB,
        .resident = 118 * MB,
    };
}

static int64_t sum_of(const struct memory_sheet *sheet)
{
    int64_t sum = 0;
    for (enum sheet_part part = 0; part < SHEET_ALL; part++)
        sum += sheet_part(sheet, part);
    return sum;
}

static void every_part_has_its_place(void **state)
{
    (void)state;
    struct sheet_sources sources = healthy();
    struct memory_sheet sheet;
    sheet_make(&sources, &sheet);
    assert_int_equal(sheet.payload, 60 * MB);
    assert_int_equal(sheet.overhead, 20 * MB);
    assert_int_equal(sheet.slack, 10 * MB);
    assert_int_equal(sheet.index, 10 * MB);
    assert_int_equal(sheet.tables, 3 * MB);
    assert_int_equal(sheet.clients, 4 * MB);
    assert_int_equal(sheet.server, 3 * MB);
    assert_int_equal(sheet.allocator, 3 * MB);
    assert_int_equal(sheet.unexplained, 1 * MB);
    assert_int_equal(sum_of(&sheet), 118 * MB);
    assert_string_equal(sheet_names[SHEET_payload], "payload");
    assert_string_equal(sheet_names[SHEET_UNEXPLAINED], "unexplained");
}

/* Books that were read at different moments, or are a little above what is
 * there: no part is below 0, and the sum is what is resident. */
static void no_part_is_negative(void **state)
{
    (void)state;
    struct sheet_sources sources = healthy();
    struct memory_sheet sheet;
    sources.cache.payload_bytes = 90 * MB;
    sources.cache.live_bytes = 95 * MB;
    sources.clients = 12 * MB;
    sheet_make(&sources, &sheet);
    assert_int_equal(sheet.payload, 90 * MB);
    assert_int_equal(sheet.overhead, 0);
    assert_int_equal(sheet.slack, 0);
    assert_int_equal(sheet.clients, 10 * MB);
    assert_int_equal(sheet.server, 0);
    assert_int_equal(sheet.allocator, 0);
    assert_int_equal(sum_of(&sheet), 118 * MB);
}

/* Somebody else's pages do not become the allocator's. */
static void what_nobody_has_taken_is_unexplained(void **state)
{
    (void)state;
    struct sheet_sources sources = healthy();
    struct memory_sheet sheet;
    sources.heap_pages = 31 * MB;
    sources.resident = 138 * MB;
    sheet_make(&sources, &sheet);
    assert_int_equal(sheet.allocator, 4 * MB);
    assert_int_equal(sheet.unexplained, 20 * MB);
}

static void without_a_reading_nothing_is_unexplained(void **state)
{
    (void)state;
    struct sheet_sources sources = healthy();
    struct memory_sheet sheet;
    sources.resident = 0;
    sheet_make(&sources, &sheet);
    assert_int_equal(sheet.unexplained, 0);
    assert_int_equal(sheet.resident, sum_of(&sheet));
}

static void touched_pages_are_resident(void **state)
{
    (void)state;
    enum { LEN = 40 * MB, PAGE = 4096 };
    char *at = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(at != MAP_FAILED);
    madvise(at, LEN, MADV_NOHUGEPAGE);
    assert_int_equal(pages_resident(at, LEN), 0);
    at[0] = at[17 * MB] = at[LEN - 1] = 1;
    assert_int_equal(pages_resident(at, LEN), 3 * PAGE);
    assert_int_equal(pages_resident(at + 17 * MB + 100, 1), PAGE);
    assert_int_equal(pages_resident(at + PAGE, 0), 0);
    munmap(at, LEN);
    assert_int_equal(pages_resident(at, PAGE), 0);
}

/* ----------------------------------------------------------------- doctor */

static struct doctor_case patient(void)
{
    struct sheet_sources sources = healthy();
    struct doctor_case patient = {
        .now =
            {
                .governor = {.budget_bytes = 128 * MB, .floor_bytes = 10 * MB},
                .cache = sources.cache,
                .pool_bytes = 10 * MB,
                .pool_used_bytes = 4 * MB,
            },
        .machine_bytes = 1024u * MB,
    };
    patient.now.cache.entries = 1000000;
    sheet_make(&sources, &patient.sheet);
    return patient;
}

/* The report has this finding and no other; "": there is none. */
static void expect(const struct doctor_case *patient, const char *text)
{
    struct buf out = {0};
    doctor_write(patient, &out);
    buf_add(&out, "", 1);
    assert_false(out.failed);
    const char *report = out.data + out.start;
    const char *first = strstr(report, "\n * ");
    if (*text == '\0') {
        assert_non_null(strstr(report, "all is well"));
        assert_null(first);
    } else {
        assert_non_null(first);
        if (!strstr(first, text) || strstr(first + 1, "\n * "))
            fail_msg("not \"%s\": %s", text, report);
    }
    buf_release(&out);
}

static void the_healthy_is_told_so(void **state)
{
    (void)state;
    struct doctor_case it = patient();
    expect(&it, "");
    it.machine_bytes = 0;
    expect(&it, "");
}

static void each_finding_is_told(void **state)
{
    (void)state;
    struct doctor_case it = patient();
    it.now.governor.rebuilding = true;
    it.now.governor.rebuild_from_bytes = 512u * MB;
    it.now.governor.rebuild_to_bytes = 128 * MB;
    it.now.rebuilding = 1;
    it.now.remaining_bytes = 5 * MB;
    expect(&it, "lowered from 512.00M to 128.00M, and 5.00M of");

    it = patient();
    it.now.governor.floor_above_budget = 1;
    it.now.governor.floor_bytes = 130 * MB;
    expect(&it, "Floor: maxmemory is 128.00M, but 130.00M are");

    it = patient();
    it.now.governor.budget_bytes = 110 * MB;
    expect(&it, "Budget: 118.00M are resident, 8.00M more");

    it = patient();
    it.machine_bytes = 120 * MB;
    expect(&it, "Machine: maxmemory is 128.00M, but");

    it = patient();
    it.now.pool_used_bytes = 6 * MB;
    expect(&it,
           "Clients: their buffers take 6.00M, more than half of the 10.0");

    it = patient();
    it.sheet.slack = 30 * MB;
    expect(&it, "Slack: of 100.00M of slabs 30.00M hold nothing");

    it = patient();
    it.sheet.overhead = 45 * MB;
    it.sheet.payload = 35 * MB;
    expect(&it, "Entries: what is kept beside keys and values takes 45.00M");

    it = patient();
    it.sheet.allocator = 20 * MB;
    expect(&it, "Allocator: 20.00M are");

    it = patient();
    it.sheet.unexplained = 10 * MB;
    expect(&it, "Unexplained: the parts of the memory sheet add up to 10.00M "
                "less");
    it.sheet.unexplained = -10 * MB;
    expect(&it, "10.00M more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_has_its_place),
        cmocka_unit_test(no_part_is_negative),
        cmocka_unit_test(what_nobody_has_taken_is_unexplained),
        cmocka_unit_test(without_a_reading_nothing_is_unexplained),
        cmocka_unit_test(touched_pages_are_resident),
        cmocka_unit_test(the_healthy_is_told_so),
        cmocka_unit_test(each_finding_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
