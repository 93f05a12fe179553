/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

/* What the bench asks of the machine: clocks, cores, sockets, /proc. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

uint64_t host_now_ns(void);
/* Waits until that time of host_now_ns. */
void host_wait_until(uint64_t ns);

/* Those that the calling thread may use. */
unsigned host_cores(void);
/* Keeps the calling thread, and what it starts, on one core. */
void host_pin(unsigned core);

/* Spins on the clock for that long and returns the longest time between two
 * looks: what the machine itself takes away from a thread. */
uint64_t host_longest_gap_ns(uint64_t for_ns);

/* Allows this process, and what it starts, that many descriptors each, or as
 * many as the machine allows: how many it is. */
uint64_t host_allow_files(uint64_t count);

/* Bytes that the kernel holds for TCP, of all processes. */
uint64_t host_tcp_bytes(void);

/* A port that was free a moment ago; 0 if none is. */
int host_free_port(void);
/* A connection to a port of this machine, TCP_NODELAY; -1 with errno. */
int host_connect(int port);
/* The same without waiting for it: not blocking, and perhaps not yet there. */
int host_begin_connect(int port);

/* Of a process, in bytes; 0 if it is gone.  The peak is since it started or
 * since it was last reset. */
uint64_t host_resident(pid_t pid);
uint64_t host_peak(pid_t pid);
void host_reset_peak(pid_t pid);

/* All is exact.  What part of it was outside the kernel is known only from
 * samples, which the kernel takes at its tick: of 1000 samples, one in four of
 * them outside, it is one in four give or take 5 %. */
struct host_cpu {
    uint64_t all_ns, user_ns, system_ns;
};

/* What a process has used so far; zeros if it is gone. */
struct host_cpu host_cpu(pid_t pid);
/* What it used from then to now. */
struct host_cpu host_cpu_since(pid_t pid, struct host_cpu then);

#endif
