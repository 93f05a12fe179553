/* SPDX-License-Identifier: BSD-3-Clause */
/* The limit on open files, soft and hard. */

#include "descriptors.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "limits.h"
#include "log.h"
#include "server.h"

enum { LEAST = 32 }; /* that the server starts with */

/* What the process may have now. */
static uint64_t limit_now(void)
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
    uint64_t most = clients_of(limit_now());
    return most < (uint64_t)clients ? (int64_t)most : clients;
}

bool descriptors_suffice(struct server *server, char *why)
{
    struct conf *conf = &server->conf;
    int64_t clients = descriptors_raise(conf->maxclients);
    uint64_t limit = limit_now();
    if (limit < LEAST) {
        snprintf(why, 512,
                 "The system allows %" PRIu64
                 " open files; at least %d are needed",
                 limit, LEAST);
        return false;
    }
    if (clients < conf->maxclients)
        log_write(server->log, LOG_WARNING,
                  "maxclients is %" PRId64 " instead of %" PRId64
                  ": the system allows %" PRIu64 " open files",
                  clients, conf->maxclients, limit);
    conf->maxclients = clients;
    return true;
}
