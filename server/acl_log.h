/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ACL_LOG_H
#define ACL_LOG_H

/*
 * What was denied to whom, newest first: ACL LOG.  The same again within a
 * minute is counted with the entry that is there.  Any thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "protocol/parse.h"

enum {
    ACL_LOG_MAX = 1024,        /* the most entries, whatever acllog-max-len */
    ACL_LOG_TEXT_MAX = 256,    /* bytes of an object or name that are kept */
    ACL_LOG_CLIENT_MAX = 1024, /* of the client's description */
    ACL_LOG_GROUP_MS = 60000,
    ACL_LOG_GROUP_LOOKED_AT = 10, /* newest entries that may be the same */
};

enum acl_reason {
    ACL_REASON_COMMAND,
    ACL_REASON_KEY,
    ACL_REASON_CHANNEL,
    ACL_REASON_AUTH,
};
enum acl_context { ACL_TOPLEVEL, ACL_MULTI };

struct acl_event {
    enum acl_reason reason;
    enum acl_context context;
    struct arg object, user, client; /* cut when they are kept */
    int64_t at_ms;                   /* wall clock */
};

struct acl_entry {
    struct acl_event event; /* the last of them */
    uint64_t id, count;
    int64_t created_ms;
    char bytes[];
};

struct acl_log;
struct acl_log *acl_log_new(void);      /* NULL: no memory */
void acl_log_free(struct acl_log *log); /* NULL is fine */

/* Keeps `most` entries at most.  Without memory it is not noted. */
void acl_log_add(struct acl_log *log, const struct acl_event *event,
                 size_t most);
void acl_log_reset(struct acl_log *log);

/* Visits the newest ones, up to `most`; first is told how many. */
struct acl_log_visit {
    void (*first)(void *ctx, size_t count);
    void (*each)(void *ctx, const struct acl_entry *entry);
    void *ctx;
};
void acl_log_each(struct acl_log *log, size_t most,
                  const struct acl_log_visit *visit);

#endif
