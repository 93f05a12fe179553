/* SPDX-License-Identifier: BSD-3-Clause */
/* Watches a peer through a sequence: resident memory and payload. */

#include "bench/course.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/host.h"
#include "bench/wire.h"

enum {
    ASKED = 500,         /* keys of each range, evenly spread over it */
    ASKED_IN_ALL = 3000, /* unless there are many ranges */
    KEY_TEXT = 5 + WIRE_KEY + 2,
    REQUEST_TEXT = 64,
    REPLY_TEXT = 32
};

struct sample {
    int phase;
    uint64_t at_ns, resident;
    double payload; /* bytes; < 0: it was not asked for */
};

struct course {
    const struct peer *peer;
    const struct legs *legs;
    uint64_t budget_bytes, start_ns;
    struct legs_log planned;
    pthread_t watcher;
    int connection;
    atomic_bool stop;
    atomic_int phase;
    bool broken;
    uint32_t count;
    struct sample samples[COURSE_MAX];
    char request[LEGS_RANGES * REQUEST_TEXT + ASKED_IN_ALL * KEY_TEXT];
};

static uint64_t asked_of(const struct legs_range *range, unsigned ranges)
{
    uint64_t asked = ASKED_IN_ALL / ranges;
    if (asked > ASKED)
        asked = ASKED;
    return asked < range->count ? asked : range->count;
}

/* DBSIZE, and an EXISTS for each range; returns the length. */
static size_t write_request(struct course *course, unsigned ranges)
{
    char *to = course->request;
    to += sprintf(to, "DBSIZE\r\n");
    for (unsigned i = 0; i < ranges; i++) {
        const struct legs_range *range = &course->planned.ranges[i];
        uint64_t asked = asked_of(range, ranges);
        to += sprintf(to, "*%llu\r\n$6\r\nEXISTS\r\n",
                      (unsigned long long)asked + 1);
        for (uint64_t k = 0; k < asked; k++) {
            to += sprintf(to, "$%d\r\n", (int)WIRE_KEY);
            wire_key(to, range->first + (2 * k + 1) * range->count / asked / 2);
            to += WIRE_KEY;
            *to++ = '\r';
            *to++ = '\n';
        }
    }
    return (size_t)(to - course->request);
}

/* Reads that many replies, all numbers; false if they are not. */
static bool read_numbers(int fd, double *numbers, unsigned count)
{
    char in[(LEGS_RANGES + 1) * REPLY_TEXT];
    size_t len = 0;
    for (unsigned lines = 0; lines < count;) {
        ssize_t got = read(fd, in + len, sizeof in - 1 - len);
        if (got <= 0)
            return false;
        for (ssize_t i = 0; i < got; i++)
            lines += in[len + (size_t)i] == '\n';
        len += (size_t)got;
    }
    in[len] = '\0';
    const char *at = in;
    for (unsigned i = 0; i < count; i++) {
        if (*at != ':')
            return false;
        numbers[i] = strtod(at + 1, NULL);
        at = strchr(at, '\n') + 1;
    }
    return true;
}

/* Bytes of keys and values: the mix of sizes from the keys that are there, how
 * many there are from the server. */
static bool ask_payload(struct course *course, int phase, double *payload)
{
    double numbers[LEGS_RANGES + 1], entries = 0, bytes = 0;
    const struct legs_range *range = course->planned.ranges;
    unsigned ranges = 0;
    while (ranges < course->planned.count &&
           range[ranges].leg <= (unsigned)phase)
        ranges++;
    size_t len = write_request(course, ranges);
    if (write(course->connection, course->request, len) != (ssize_t)len ||
        !read_numbers(course->connection, numbers, ranges + 1))
        return false;
    for (unsigned i = 0; i < ranges; i++) {
        double found = numbers[i + 1] * (double)range[i].count /
                       (double)asked_of(&range[i], ranges);
        entries += found;
        bytes += found * (double)(range[i].bytes + WIRE_KEY);
    }
    *payload = entries == 0 ? 0 : bytes / entries * numbers[0];
    return true;
}

static void *watch(void *argument)
{
    struct course *course = argument;
    uint64_t next_ns = course->start_ns;
    while (!course->stop && !course->broken && course->count < COURSE_MAX) {
        host_wait_until(next_ns);
        next_ns = host_now_ns() + COURSE_STEP_MS * 1000000ULL;
        struct sample sample = {.phase = course->phase, .payload = -1};
        if (sample.phase == COURSE_REST)
            continue;
        sample.resident = host_resident(course->peer->pid);
        sample.at_ns = host_now_ns() - course->start_ns;
        if (course->peer->wire == WIRE_RESP &&
            !ask_payload(course, sample.phase, &sample.payload))
            course->broken = true;
        else
            course->samples[course->count++] = sample;
    }
    return NULL;
}

FILE *course_file(const char *path)
{
    FILE *csv = fopen(path, "w");
    if (csv == NULL)
        perror(path);
    else
        fputs("server,sequence,phase,value_bytes,seconds,resident_bytes,"
              "payload_bytes,budget_bytes\n",
              csv);
    return csv;
}

struct course *course_start(const struct peer *peer, const struct legs *legs,
                            uint64_t budget_bytes)
{
    struct course *course = calloc(1, sizeof *course);
    if (course == NULL)
        return NULL;
    course->peer = peer;
    course->legs = legs;
    course->budget_bytes = budget_bytes;
    legs_plan(legs, budget_bytes, &course->planned);
    course->phase = COURSE_REST;
    course->connection = host_connect(peer->port);
    if (course->connection < 0) {
        perror(peer->name);
        free(course);
        return NULL;
    }
    course->start_ns = host_now_ns();
    if (pthread_create(&course->watcher, NULL, watch, course) != 0)
        abort();
    return course;
}

void course_phase(struct course *course, int number)
{
    if (course != NULL)
        course->phase = number;
}

bool course_stop(struct course *course, FILE *csv)
{
    if (course == NULL)
        return true;
    course->stop = true;
    pthread_join(course->watcher, NULL);
    close(course->connection);
    for (uint32_t i = 0; i < course->count; i++) {
        const struct sample *sample = &course->samples[i];
        fprintf(csv, "%s,%s,%d,%llu,%.4f,%llu,", course->peer->name,
                course->legs->name, sample->phase + 1,
                (unsigned long long)course->legs->legs[sample->phase].bytes,
                (double)sample->at_ns / 1e9,
                (unsigned long long)sample->resident);
        if (sample->payload >= 0)
            fprintf(csv, "%.0f", sample->payload);
        fprintf(csv, ",%llu\n", (unsigned long long)course->budget_bytes);
    }
    bool whole = !course->broken;
    if (!whole)
        fprintf(stderr, "%s: did not say which keys it holds\n",
                course->peer->name);
    free(course);
    return whole;
}
