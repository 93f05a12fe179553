/* SPDX-License-Identifier: BSD-3-Clause */
/* The load generator alone, against a server that is already running. */

#include <stdio.h>

#include "bench/args.h"
#include "bench/drive.h"

static const char *const orders[] = {"sequential", "shuffled", "uniform",
                                     "zipf", NULL};
static const char *const protocols[] = {"resp", "memcached", NULL};

static int report(const struct drive_result *result)
{
    double took_s = (double)result->took_ns / 1e9;
    printf("%llu operations in %.2f s: %.0f a second\n",
           (unsigned long long)result->operations, took_s,
           (double)result->operations / took_s);
    printf("%llu hits, %llu misses, %llu errors %s\n",
           (unsigned long long)result->hits, (unsigned long long)result->misses,
           (unsigned long long)result->errors, result->error);
    printf("p50 %.1f us, p99 %.1f us, p99.9 %.1f us, longest %.1f us\n",
           (double)hist_quantile_ns(&result->waits, 0.5) / 1e3,
           (double)hist_quantile_ns(&result->waits, 0.99) / 1e3,
           (double)hist_quantile_ns(&result->waits, 0.999) / 1e3,
           (double)result->waits.longest_ns / 1e3);
    return result->errors == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    uint64_t port = 6379, connections = 50, depth = 1, sets = 10;
    uint64_t value = 100, ttl = 0, keys = 1000000, operations = 0;
    uint64_t seconds = 10, theta = 99, seed = 1;
    const char *protocol = "resp", *order = "uniform";
    const struct args_row rows[] = {
        {"port", &port, NULL, "of the server, on this machine"},
        {"protocol", NULL, &protocol, "resp or memcached"},
        {"connections", &connections, NULL, "at one time"},
        {"depth", &depth, NULL, "requests sent at once on a connection"},
        {"sets", &sets, NULL, "percent of SETs among GETs"},
        {"value", &value, NULL, "bytes of a value"},
        {"ttl", &ttl, NULL, "seconds until what is set expires; 0: never"},
        {"keys", &keys, NULL, "different keys"},
        {"order", NULL, &order, "sequential, shuffled, uniform or zipf"},
        {"theta", &theta, NULL, "skew of zipf in hundredths, below 100"},
        {"operations", &operations, NULL, "end after as many; 0: by time"},
        {"seconds", &seconds, NULL, "end after as many; 0: by operations"},
        {"seed", &seed, NULL, "of the random numbers"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "generate: load for a running server", argc, argv);

    unsigned which = args_word("order", order, orders);
    unsigned wire = args_word("protocol", protocol, protocols);
    args_within("port", port, 1, 65535);
    args_within("connections", connections, 1, 10000);
    args_within("depth", depth, 1, 1000000);
    args_within("sets", sets, 0, 100);
    args_within("value", value, 0, WIRE_VALUE_MAX);
    args_within("ttl", ttl, 0, UINT32_MAX);
    args_within("keys", keys, 1, UINT64_MAX);
    args_within("theta", theta, 0, 99);
    args_within("seconds", seconds, operations == 0, 1000000000);
    struct drive_plan plan = {.port = (int)port,
                              .wire = (enum wire_kind)wire,
                              .connections = (unsigned)connections,
                              .depth = (unsigned)depth,
                              .sets_percent = (unsigned)sets,
                              .value_bytes = value,
                              .ttl_s = (unsigned)ttl,
                              .order = (enum keys_order)which,
                              .theta_percent = (unsigned)theta,
                              .keys = keys,
                              .operations = operations,
                              .for_ns = seconds * 1000000000,
                              .seed = seed};
    struct drive_result result;
    if (!drive_run(&plan, &result))
        return 1;
    return report(&result);
}
