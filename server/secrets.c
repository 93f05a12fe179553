/* SPDX-License-Identifier: BSD-3-Clause */
/* Which arguments are secret. */

#include "secrets.h"

#include "commands.h"
#include "conf/conf.h"
#include "protocol/text.h"

/* HELLO [protover [AUTH username password] [SETNAME clientname]]: whatever
 * follows the word AUTH, as two arguments or, by mistake, as one. */
static bool follows_auth(const struct arg *argv, size_t i)
{
    for (size_t back = 1; back <= 2 && i >= back + 2; back++)
        if (text_is(argv[i - back].ptr, argv[i - back].len, "auth"))
            return true;
    return false;
}

static bool is_secret_option(const struct arg *name)
{
    enum conf_id id = conf_find(name->ptr, name->len);
    return id != CONF_COUNT && (conf_option(id)->flags & CONF_SECRET);
}

bool secret_arg(const struct command *command, const struct arg *argv, size_t i)
{
    if (command->run == cmd_auth)
        return i >= 1;
    if (command->run == cmd_hello)
        return follows_auth(argv, i);
    if (command->run == cmd_config_set)
        return i >= 3 && i % 2 == 1 && is_secret_option(&argv[i - 1]);
    return i >= 2 && command->run == cmd_acl_setuser;
}
