/* SPDX-License-Identifier: BSD-3-Clause */
/* DEBUG PROTOCOL: a reply of each type, the bytes that Redis sends. */

#include "debug.h"

static const struct {
    const char *type;
    const char *resp2, *resp3; /* resp3 NULL: the same */
} samples[] = {
    {"string", "$11\r\nHello World\r\n", NULL},
    {"integer", ":12345\r\n", NULL},
    {"double", "$5\r\n3.141\r\n", ",3.141\r\n"},
    {"bignum", "$37\r\n1234567999999999999999999999999999999\r\n",
     "(1234567999999999999999999999999999999\r\n"},
    {"null", "$-1\r\n", "_\r\n"},
    {"array", "*3\r\n:0\r\n:1\r\n:2\r\n", NULL},
    {"set", "*3\r\n:0\r\n:1\r\n:2\r\n", "~3\r\n:0\r\n:1\r\n:2\r\n"},
    {"map", "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n",
     "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n"},
    {"attrib", "$39\r\nSome real reply following the attribute\r\n",
     "|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n"
     "$39\r\nSome real reply following the attribute\r\n"},
    {"push", "-ERR RESP2 is not supported by this command\r\n",
     ">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n"
     "$40\r\nSome real reply following the push reply\r\n"},
    {"verbatim", "$25\r\nThis is a verbatim\nstring\r\n",
     "=29\r\ntxt:This is a verbatim\nstring\r\n"},
    {"true", ":1\r\n", "#t\r\n"},
    {"false", ":0\r\n", "#f\r\n"},
};

enum command_result debug_protocol(struct call *call)
{
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        if (!arg_is(&call->argv[2], samples[i].type))
            continue;
        bool third = call->reply.resp == 3 && samples[i].resp3;
        buf_add_text(call->reply.out,
                     third ? samples[i].resp3 : samples[i].resp2);
        return COMMAND_DONE;
    }
    return call_error(
        call, "ERR Wrong protocol type name. Please use one of the following: "
              "string|integer|double|bignum|null|array|set|map|attrib|push|"
              "verbatim|true|false");
}
