/* SPDX-License-Identifier: BSD-3-Clause */
/* Hashes as they are packed: what is written is read again, in one run or in
 * many, and nothing else is taken for a hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "server/packed.h"
#include "tests/rng.h"

/* Bytes in runs of `most` at most, each in memory of its own, so that a read
 * beyond one is noticed. */
struct runs {
    char **run;
    size_t most, len;
};

static struct packed_run look(void *ctx, size_t at)
{
    const struct runs *runs = ctx;
    size_t begin = at - at % runs->most, end = begin + runs->most;
    if (end > runs->len)
        end = runs->len;
    return (struct packed_run){runs->run[at / runs->most] + at % runs->most,
                               end - at};
}

static struct runs runs_of(const char *bytes, size_t len, size_t most)
{
    struct runs runs = {.most = most, .len = len};
    runs.run = calloc(len / most + 1, sizeof *runs.run);
    for (size_t at = 0; at < len; at += most) {
        size_t n = len - at < most ? len - at : most;
        runs.run[at / most] = malloc(n);
        memcpy(runs.run[at / most], bytes + at, n);
    }
    return runs;
}

static void runs_free(struct runs *runs)
{
    for (size_t i = 0; i < runs->len / runs->most + 1; i++)
        free(runs->run[i]);
    free(runs->run);
}

enum { FIELDS = 40, LONGEST = 200 };

struct sample {
    size_t count, len;
    struct text {
        char bytes[LONGEST];
        size_t len;
    } names[FIELDS], values[FIELDS];
    char bytes[FIELDS * (2 * LONGEST + 2 * PACKED_NUMBER_MAX)];
};

static void add(struct sample *sample, const void *bytes, size_t len)
{
    memcpy(sample->bytes + sample->len, bytes, len);
    sample->len += len;
}

static void some_text(struct rng *rng, struct text *text)
{
    text->len = rng_chance(rng, 100) ? 126 + rng_below(rng, 4)
                                     : rng_below(rng, LONGEST);
    for (size_t i = 0; i < text->len; i++)
        text->bytes[i] = (char)rng_next(rng);
}

static void make(struct sample *sample, struct rng *rng)
{
    sample->count = rng_below(rng, FIELDS + 1);
    sample->len = packed_put_number(sample->bytes, sample->count);
    for (size_t i = 0; i < sample->count; i++) {
        struct text *name = &sample->names[i], *value = &sample->values[i];
        some_text(rng, name);
        some_text(rng, value);
        sample->len += packed_put_lengths(sample->bytes + sample->len,
                                          name->len, value->len);
        add(sample, name->bytes, name->len);
        add(sample, value->bytes, value->len);
    }
}

static void assert_bytes(struct packed *packed, size_t at,
                         const struct text *text, size_t len)
{
    char scratch[LONGEST];
    assert_int_equal(len, text->len);
    assert_memory_equal(packed_bytes(packed, at, len, scratch), text->bytes,
                        len);
}

static void assert_reads(const struct sample *sample, struct packed *packed)
{
    struct packed_walk walk = packed_begin(packed);
    struct packed_field field;
    assert_true(packed_valid(packed));
    assert_int_equal(packed_count(packed, NULL), sample->count);
    for (size_t i = 0; i < sample->count; i++) {
        assert_true(packed_next(&walk, &field));
        assert_bytes(packed, field.name, &sample->names[i], field.name_len);
        assert_bytes(packed, field.value, &sample->values[i], field.value_len);
        const struct text *name = &sample->names[i];
        assert_true(packed_find(packed, name->bytes, name->len, &field));
    }
    assert_false(packed_next(&walk, &field));
    assert_false(packed_find(packed, "not there, since longer", 201, &field));
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    static struct sample sample;
    struct rng rng = {test_seed()};
    for (unsigned i = 0; i < 300; i++) {
        make(&sample, &rng);
        char *exact = malloc(sample.len);
        memcpy(exact, sample.bytes, sample.len);
        struct packed packed = packed_of(exact, sample.len);
        assert_reads(&sample, &packed);
        struct runs runs =
            runs_of(exact, sample.len, 1 + rng_skewed(&rng, 5000));
        struct packed broken = {.len = sample.len, .look = look, .ctx = &runs};
        assert_reads(&sample, &broken);
        runs_free(&runs);
        free(exact);
    }
}

static bool valid(const char *bytes, size_t len)
{
    char *exact = malloc(len + !len);
    memcpy(exact, bytes, len);
    struct packed packed = packed_of(exact, len);
    struct runs runs = runs_of(exact, len, 3);
    struct packed broken = {.len = len, .look = look, .ctx = &runs};
    bool is = packed_valid(&packed);
    assert_int_equal(packed_valid(&broken), is);
    runs_free(&runs);
    free(exact);
    return is;
}

static void what_is_cut_or_longer_is_none(void **state)
{
    (void)state;
    static struct sample sample;
    struct rng rng = {test_seed()};
    for (unsigned i = 0; i < 20; i++) {
        make(&sample, &rng);
        for (size_t len = 0; len < sample.len; len++)
            assert_false(valid(sample.bytes, len));
        sample.bytes[sample.len] = 0;
        assert_false(valid(sample.bytes, sample.len + 1));
    }
}

/* The bytes are read where they are and nowhere else, which the sanitizer
 * sees; a changed length is seen because nothing may be left over. */
static void what_is_altered_does_no_harm(void **state)
{
    (void)state;
    static struct sample sample;
    struct rng rng = {test_seed()};
    for (unsigned i = 0; i < 3000; i++) {
        make(&sample, &rng);
        for (unsigned left = 1 + (unsigned)rng_below(&rng, 3); left > 0; left--)
            sample.bytes[rng_below(&rng, sample.len)] = (char)rng_next(&rng);
        valid(sample.bytes, sample.len);
        for (size_t at = 0; at < sample.len; at++)
            sample.bytes[at] = (char)rng_next(&rng);
        valid(sample.bytes, rng_below(&rng, sample.len));
    }
}

static void numbers_have_one_form(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        const char *bytes;
        bool is;
    } rows[] = {
        {1, "\0", true},
        {2, "\x80\0", false},
        {3, "\x80\x80\0", false},
        {3, "\1\0\0", true},
        {4, "\x81\0\0\0", false},
        {4, "\1\x80\0\0", false},
        {4, "\1\0\1v", true},
        {5, "\1\0\x81\0v", false},
        {3, "\1\1\0", false},
        {3, "\1\0\1", false},
        {1, "\1", false},
        {1, "\x80", false},
        {7, "\1\xff\xff\xff\xff\x7f\0", false},
        {7, "\1\0\xff\xff\xff\xff\x7f", false},
        {8, "\1\xff\xff\xff\xff\xff\1\0", false},
        {13, "\1\xff\xff\xff\xff\x7f\xff\xff\xff\xff\x7f..", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(valid(rows[i].bytes, rows[i].len), rows[i].is);
    for (unsigned bits = 0; bits < 35; bits++)
        for (int more = -1; more <= 1; more++) {
            char bytes[PACKED_NUMBER_MAX];
            size_t number = ((size_t)1 << bits) + (size_t)more;
            size_t len = packed_put_number(bytes, number);
            assert_int_equal(len, packed_number_len(number));
            struct packed packed = packed_of(bytes, len);
            assert_int_equal(packed_count(&packed, &len), number);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_cut_or_longer_is_none),
        cmocka_unit_test(what_is_altered_does_no_harm),
        cmocka_unit_test(numbers_have_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
