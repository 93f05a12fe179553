/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of a large argument, before the rest of its request is there. */

#include "acl_admit.h"
#include "server.h"

bool command_diverted(const struct arg *argv, size_t argc)
{
    for (size_t i = 1; i < argc; i++)
        if (!argv[i].ptr)
            return true;
    return false;
}

static bool takes_blob(const struct command *row, size_t arg)
{
    size_t first = row->blob_arg;
    return arg == first || (row->flags & COMMAND_PAIRS && arg > first &&
                            (arg - first) % 2 == 0);
}

enum command_large command_large(const struct server *server,
                                 struct session *session,
                                 const struct arg *argv, size_t argc,
                                 size_t len, size_t room)
{
    if (!session->authenticated || argc < 2 || len <= CACHE_INLINE_MAX)
        return LARGE_KEEP;
    const struct command *row = command_find(argv[0].ptr, argv[0].len);
    /* MSET and its kind hold their values until they run. */
    if (row && row->keys.step == 2 && argc > (size_t)row->keys.first &&
        (argc - (size_t)row->keys.first) % 2 == 1)
        return len <= room && cache_fits(server->cache, argv[argc - 1].len, len)
                   ? LARGE_KEEP
                   : LARGE_REFUSE;
    if (!row || !takes_blob(row, argc) || argv[1].len > CACHE_KEY_MAX)
        return LARGE_KEEP;
    /* Of several values only one can be diverted: the others stay in the
     * input, where there is room for it. */
    if (row->flags & COMMAND_PAIRS && len <= room / 4)
        return LARGE_KEEP;
    if (command_diverted(argv, argc))
        return len <= room ? LARGE_KEEP : LARGE_REFUSE;
    return acl_would_admit(server, session, row, argv, argc) &&
                   cache_fits(server->cache, argv[1].len, len)
               ? LARGE_DIVERT
               : LARGE_REFUSE;
}
