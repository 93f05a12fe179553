/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DIFFERENCES_H
#define DIFFERENCES_H

/*
 * Replies that differ from Redis 7.0.15 on purpose; docs/differences.md tells
 * users the same.  All three patterns must match: of the request (in one line,
 * letters in either case) and of the two replies' bytes.
 */

struct difference {
    const char *request, *ebb, *oracle, *why;
};

// clang-format off
static const struct difference differences[] = {
    {"* help", "\\**", "\\**",
     "HELP lists the subcommands that there are"},
    {"eval*", "-* Ebb runs no scripts*", "[-$_]*",
     "EVAL and EVALSHA say what to use instead of scripts"},
    {"fcall*", "-* Ebb runs no scripts*", "-*",
     "FCALL says what to use instead of functions"},
    {"script load *", "-* Ebb runs no scripts*", "[-$]*",
     "SCRIPT LOAD says what to use instead of scripts"},
    {"script debug *", "-ERR Use SCRIPT DEBUG *",
     "-ERR SCRIPT DEBUG must be called outside a pipeline*",
     "Redis refuses it sooner, in a pipeline"},
    {"function *", "-* Ebb runs no scripts*", "[-$]*",
     "FUNCTION says what to use instead of functions"},
    {"module *", "-ERR MODULE command not allowed. Ebb *",
     "-ERR MODULE command not allowed. *", "MODULE says that there are none"},
    {"module *", "-NOPERM *", "-ERR MODULE command not allowed. *",
     "who has no right to MODULE is told that"},
    {"module *", "-ERR Can't execute 'module*", "-ERR MODULE command not allowed. *",
     "and so is who may do nothing but listen"},
    {"config set maxmemory-policy *", "-*must be one of the following*",
     "-*must be one of the following*-lfu*", "there is no LFU"},
    {"command", "\\**", "\\**", "COMMAND describes the commands that there are"},
    {"object encoding *", "$*", "$3\r\nraw\r\n",
     "OBJECT ENCODING goes by the value, not by how it came about"},
    {"object encoding *", "$3\r\nint\r\n", "$6\r\nembstr\r\n",
     "OBJECT ENCODING goes by the value, not by how it came about"},
    {"object encoding *", "$8\r\nlistpack*", "$9\r\nhashtable*",
     "OBJECT ENCODING of a hash goes by its fields, not by those it had"},
    {"dump *", "-ERR DUMP knows strings only*", "$*",
     "DUMP knows strings only"},
    /* Of GET only: a write that is refused would leave different data. */
    {"get *", "-ERR key is too long, *", "[$_]*",
     "keys are up to 64 KiB long"},
};
// clang-format on

enum { DIFFERENCES = sizeof differences / sizeof *differences };

#endif
