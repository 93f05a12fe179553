/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ACL_CHECK_H
#define ACL_CHECK_H

/*
 * Whether rules allow a request.  Long keys and many patterns take long, so
 * that it is found out a part at a time.
 */

#include "acl_rules.h"
#include "protocol/text.h"

enum acl_verdict {
    ACL_MORE, /* call again with more steps */
    ACL_ALLOWED,
    ACL_NO_COMMAND, /* from here on the later is told if several are right */
    ACL_NO_KEY,
    ACL_NO_CHANNEL,
};

/* Where it is; zeroed at the beginning. */
struct acl_check {
    size_t selector;
    enum { ACL_COMMAND_NEXT, ACL_KEYS_NEXT, ACL_CHANNELS_NEXT } part;
    size_t arg, pattern; /* of that part */
    struct text_glob glob;
    enum acl_verdict worst;
    size_t at; /* the argument that is forbidden */
};

/* A step takes about a nanosecond; they are counted down. */
enum { ACL_SLICE_STEPS = 100000 };

/* The number of arguments must fit the command. */
enum acl_verdict acl_check(const struct acl_rules *rules,
                           const struct command *command,
                           const struct arg *argv, size_t argc,
                           struct acl_check *check, size_t *steps);

/*
 * Whether a channel may be published and subscribed to; a pattern of PSUBSCRIBE
 * only if it is the pattern of a rule itself.  For who wants to know it apart
 * from a request: requests have been looked at when they are run.  TEXT_MORE:
 * call again with more steps.
 */
enum text_match acl_channel_some(const struct acl_rules *rules,
                                 struct arg channel, bool is_pattern,
                                 struct acl_check *check, size_t *steps);

/* All channels that were allowed before still are.  If patterns came into
 * another order it may be denied though it is so. */
bool acl_keeps_channels(const struct acl_rules *now,
                        const struct acl_rules *before);

#endif
