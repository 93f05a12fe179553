/* SPDX-License-Identifier: BSD-3-Clause */
/* The limit on open files, soft and hard. */

#include "descriptors.h"

#include <sys/resource.h>

#include "limits.h"

uint64_t descriptors_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : UINT64_MAX;
}

/* Of few, half are clients'. */
static uint64_t clients_of(uint64_t limit)
{
    return limit / 2 > LIMIT_OWN_FDS ? limit - LIMIT_OWN_FDS : limit / 2;
}

int64_t descriptors_raise(int64_t clients)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)clients + LIMIT_OWN_FDS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return clients;
    if (limit.rlim_cur < wanted && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    uint64_t most = clients_of(descriptors_limit());
    return most < (uint64_t)clients ? (int64_t)most : clients;
}
