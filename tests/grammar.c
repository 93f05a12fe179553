/* SPDX-License-Identifier: BSD-3-Clause */
/* The grammar of requests for the differential test. */

#include "tests/grammar.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/*
 * A row is a command.  In `args` and `options` a word in capitals stands for
 * itself and a small letter for something made up:
 *
 *   k key      s seconds from now    i number     p pattern   n count
 *   v value    m ms from now         d database   t type      w short word
 *   c cursor   S second, M ms since 1970          o offset    f with fraction
 *   h field    x short value
 *   b key of large hashes   g field of one, y value of one
 *   e classes of events     j what DUMP returns
 *   u user   r rule   z rule that is written alike by both   q short key
 *
 * `*` repeats the words before it, or from `(` on.  Options are alternatives,
 * split by '|', of which up to three are taken in any order.
 */
struct row {
    const char *name;
    unsigned weight;
    const char *args, *options;
    enum compare compare;
};

#define EXPIRE_OPTIONS "NX|XX|GT|LT"
#define SET_OPTIONS    "NX|XX|GET|KEEPTTL|EX s|PX m|EXAT S|PXAT M"
#define GETEX_OPTIONS  "EX s|PX m|EXAT S|PXAT M|PERSIST"

// clang-format off
static const struct row rows[] = {
    {"GET",          60, "k",      "", COMPARE_SAME},
    {"SET",          90, "k v",    SET_OPTIONS, COMPARE_SAME},
    {"SET",          30, "k v",    "", COMPARE_SAME},
    {"SETNX",        12, "k v",    "", COMPARE_SAME},
    {"SETEX",        12, "k s v",  "", COMPARE_SAME},
    {"PSETEX",       12, "k m v",  "", COMPARE_SAME},
    {"GETSET",       12, "k v",    "", COMPARE_SAME},
    {"GETDEL",       12, "k",      "", COMPARE_SAME},
    {"GETEX",        20, "k",      GETEX_OPTIONS, COMPARE_SAME},
    {"MGET",         15, "k *",    "", COMPARE_SAME},
    {"MSET",         15, "k v *",  "", COMPARE_SAME},
    {"MSETNX",       15, "k v *",  "", COMPARE_SAME},
    {"DEL",          15, "k *",    "", COMPARE_SAME},
    {"UNLINK",       10, "k *",    "", COMPARE_SAME},
    {"EXISTS",       10, "k *",    "", COMPARE_SAME},
    {"TOUCH",        10, "k *",    "", COMPARE_SAME},
    {"EXPIRE",       20, "k s",    EXPIRE_OPTIONS, COMPARE_SAME},
    {"PEXPIRE",      20, "k m",    EXPIRE_OPTIONS, COMPARE_SAME},
    {"EXPIREAT",     20, "k S",    EXPIRE_OPTIONS, COMPARE_SAME},
    {"PEXPIREAT",    20, "k M",    EXPIRE_OPTIONS, COMPARE_SAME},
    {"TTL",          15, "k",      "", COMPARE_SECONDS},
    {"PTTL",         15, "k",      "", COMPARE_MS},
    {"EXPIRETIME",   15, "k",      "", COMPARE_SECONDS},
    {"PEXPIRETIME",  15, "k",      "", COMPARE_MS},
    {"PERSIST",      12, "k",      "", COMPARE_SAME},
    {"INCR",         15, "k",      "", COMPARE_SAME},
    {"DECR",         15, "k",      "", COMPARE_SAME},
    {"INCRBY",       20, "k i",    "", COMPARE_SAME},
    {"DECRBY",       20, "k i",    "", COMPARE_SAME},
    {"APPEND",       20, "k v",    "", COMPARE_SAME},
    {"HSET",         60, "k ( h x *",  "", COMPARE_SAME},
    {"HSET",         20, "k h x",  "", COMPARE_SAME},
    {"HSETNX",       12, "k h x",  "", COMPARE_SAME},
    {"HMSET",        12, "k ( h x *",  "", COMPARE_SAME},
    {"HGET",         20, "k h",    "", COMPARE_SAME},
    {"HMGET",        15, "k ( h *",  "", COMPARE_SAME},
    {"HGETALL",      20, "k",      "", COMPARE_SAME},
    {"HDEL",         25, "k ( h *",  "", COMPARE_SAME},
    {"HEXISTS",      10, "k h",    "", COMPARE_SAME},
    {"HLEN",         10, "k",      "", COMPARE_SAME},
    {"HKEYS",        10, "k",      "", COMPARE_SAME},
    {"HVALS",        10, "k",      "", COMPARE_SAME},
    {"HSTRLEN",      10, "k h",    "", COMPARE_SAME},
    {"HINCRBY",      20, "k h i",  "", COMPARE_SAME},
    {"HINCRBYFLOAT", 20, "b g f",  "", COMPARE_SAME},
    {"HSCAN",        15, "k c",    "MATCH p|COUNT n|TYPE t", COMPARE_SAME},
    {"HRANDFIELD",    5, "k",      "", COMPARE_KIND},
    {"HRANDFIELD",    5, "k n",    "WITHVALUES|w", COMPARE_SHAPE},
    {"HRANDFIELD",    5, "k -5",   "WITHVALUES", COMPARE_SHAPE},
    /* Those that Redis keeps in an order of its own. */
    {"HSET",         40, "b ( g y *",  "", COMPARE_SAME},
    {"HMSET",         8, "b ( g y *",  "", COMPARE_SAME},
    {"HSETNX",       12, "b g y",  "", COMPARE_SAME},
    {"HGET",         12, "b g",    "", COMPARE_SAME},
    {"HMGET",        12, "b ( g *",  "", COMPARE_SAME},
    {"HGETALL",       6, "b",      "", COMPARE_PAIRS},
    {"HKEYS",         4, "b",      "", COMPARE_SORTED},
    {"HVALS",         4, "b",      "", COMPARE_SORTED},
    {"HDEL",         12, "b ( g *",  "", COMPARE_SAME},
    {"HEXISTS",       8, "b g",    "", COMPARE_SAME},
    {"HSTRLEN",       8, "b g",    "", COMPARE_SAME},
    {"HLEN",          8, "b",      "", COMPARE_SAME},
    {"HINCRBY",       8, "b g i",  "", COMPARE_SAME},
    {"HSCAN",         4, "b 0 COUNT 100000", "MATCH p", COMPARE_HSCAN},
    {"HRANDFIELD",    4, "b",      "", COMPARE_KIND},
    {"HRANDFIELD",    4, "b -9",   "WITHVALUES", COMPARE_SHAPE},
    {"OBJECT",        4, "ENCODING b", "", COMPARE_SAME},
    {"DEL",           1, "b",      "", COMPARE_SAME},
    {"EXPIRE",        2, "b s",    EXPIRE_OPTIONS, COMPARE_SAME},
    {"PERSIST",       2, "b",      "", COMPARE_SAME},
    {"TTL",           2, "b",      "", COMPARE_SECONDS},
    {"GET",           2, "b",      "", COMPARE_SAME},
    {"RENAME",        3, "b b",    "", COMPARE_SAME},
    {"RENAMENX",      3, "b b",    "", COMPARE_SAME},
    {"COPY",          5, "b b",    "DB d|REPLACE|w", COMPARE_SAME},
    {"MOVE",          2, "b d",    "", COMPARE_SAME},
    {"MGET",          2, "b k b",  "", COMPARE_SAME},
    {"STRLEN",       12, "k",      "", COMPARE_SAME},
    {"GETRANGE",     15, "k o o",  "", COMPARE_SAME},
    {"SUBSTR",        5, "k o o",  "", COMPARE_SAME},
    {"SETRANGE",     20, "k o v",  "", COMPARE_SAME},
    {"GETBIT",       12, "k o",    "", COMPARE_SAME},
    {"SETBIT",       12, "k o 1",  "", COMPARE_SAME},
    {"SETBIT",        8, "k o i",  "", COMPARE_SAME},
    {"BITCOUNT",     12, "k",      "o o|o o BYTE|o o BIT|o|w", COMPARE_SAME},
    {"INCRBYFLOAT",  20, "k f",    "", COMPARE_SAME},
    {"RENAME",       15, "k k",    "", COMPARE_SAME},
    {"RENAMENX",     10, "k k",    "", COMPARE_SAME},
    {"DUMP",         12, "k",      "", COMPARE_SAME},
    {"RESTORE",      15, "k m j",  "REPLACE|ABSTTL|IDLETIME n|FREQ n|w", COMPARE_SAME},
    {"RESTORE",       8, "k 0 j REPLACE", "ABSTTL", COMPARE_SAME},
    {"MOVE",         12, "k d",    "", COMPARE_SAME},
    {"COPY",         20, "k k",    "DB d|REPLACE|w", COMPARE_SAME},
    {"TYPE",         10, "k",      "", COMPARE_SAME},
    {"SCAN",         20, "c",      "MATCH p|COUNT n|TYPE t", COMPARE_SCAN},
    {"SCAN",         10, "0 COUNT 100000", "MATCH p|TYPE t", COMPARE_SCAN},
    {"KEYS",         15, "p",      "", COMPARE_SORTED},
    {"RANDOMKEY",     5, "",       "", COMPARE_KIND},
    {"DBSIZE",       10, "",       "", COMPARE_SAME},
    {"OBJECT",       10, "ENCODING k",  "", COMPARE_SAME},
    {"OBJECT",        6, "IDLETIME k",  "", COMPARE_KIND},
    {"OBJECT",        4, "REFCOUNT k",  "", COMPARE_KIND},
    {"OBJECT",        4, "FREQ k", "", COMPARE_SAME},
    {"MEMORY",        6, "USAGE k", "SAMPLES n", COMPARE_KIND},
    {"SELECT",       14, "d",      "", COMPARE_SAME},
    {"PING",          6, "",       "w", COMPARE_SAME},
    {"ECHO",          6, "v",      "", COMPARE_SAME},
    {"FLUSHDB",       2, "",       "ASYNC|SYNC|w", COMPARE_SAME},
    {"FLUSHALL",      1, "",       "ASYNC|SYNC|w", COMPARE_SAME},
    {"SWAPDB",        6, "d d",    "", COMPARE_SAME},
    {"SWAPDB",        2, "i i",    "w", COMPARE_SAME},
    {"PUBLISH",       4, "k v",    "", COMPARE_SAME},
    {"SPUBLISH",      3, "k v",    "", COMPARE_SAME},
    /* Never published to, and one of a kind: who leaves all gets one reply. */
    {"SUBSCRIBE",     3, "news",   "", COMPARE_SAME},
    {"PSUBSCRIBE",    3, "news",   "", COMPARE_SAME},
    {"SSUBSCRIBE",    3, "news",   "", COMPARE_SAME},
    {"UNSUBSCRIBE",   2, "news",   "", COMPARE_SAME},
    {"PUNSUBSCRIBE",  2, "news",   "", COMPARE_SAME},
    {"SUNSUBSCRIBE",  2, "news",   "", COMPARE_SAME},
    {"PUBSUB",        3, "NUMSUB news k *", "", COMPARE_SAME},
    {"PUBSUB",        3, "SHARDNUMSUB news", "", COMPARE_SAME},
    {"PUBSUB",        3, "NUMSUB k *", "", COMPARE_SAME},
    {"PUBSUB",        3, "SHARDNUMSUB k *", "", COMPARE_SAME},
    {"PUBSUB",        2, "NUMPAT", "", COMPARE_SAME},
    {"PUBSUB",        3, "CHANNELS", "p", COMPARE_SAME},
    {"PUBSUB",        3, "SHARDCHANNELS", "p", COMPARE_SAME},
    {"PUBSUB",        2, "w",      "w|i", COMPARE_SAME},
    {"CONFIG",        3, "GET notify-keyspace-events", "", COMPARE_SAME},
    {"CONFIG",        3, "SET notify-keyspace-events e", "", COMPARE_SAME},
    {"TIME",          2, "",       "", COMPARE_SHAPE},
    {"HELLO",         6, "",       "2|3|w|i", COMPARE_SHAPE},
    {"HELLO",         3, "3",      "SETNAME w|AUTH w w", COMPARE_SHAPE},
    {"AUTH",          2, "w",      "w", COMPARE_SAME},
    {"RESET",         2, "",       "", COMPARE_SAME},
    {"AUTH",          2, "u w",    "", COMPARE_SAME},
    {"AUTH",          2, "u pw",   "", COMPARE_SAME},
    {"AUTH",         12, "default w", "", COMPARE_SAME},
    {"ACL",          12, "SETUSER u ( r *", "", COMPARE_SAME},
    {"ACL",           2, "SETUSER u ON NOPASS ~* ALLCOMMANDS", "r|r", COMPARE_SAME},
    {"ACL",           6, "GETUSER u", "", COMPARE_SHAPE},
    {"ACL",           8, "SETUSER printed RESET ( z *", "", COMPARE_SAME},
    {"ACL",           8, "SETUSER printed ( z *", "", COMPARE_SAME},
    {"ACL",          12, "GETUSER printed", "", COMPARE_SAME},
    {"ACL",           6, "DRYRUN u GET q", "", COMPARE_SAME},
    {"ACL",           6, "DRYRUN u SET q x", "GET|NX|w", COMPARE_SAME},
    {"ACL",           6, "DRYRUN u MGET ( q *", "", COMPARE_SAME},
    {"ACL",           6, "DRYRUN u MSET ( q x *", "", COMPARE_SAME},
    {"ACL",           6, "DRYRUN u RENAME q q", "", COMPARE_SAME},
    {"ACL",           4, "DRYRUN u COPY q q", "REPLACE|w", COMPARE_SAME},
    {"ACL",           4, "DRYRUN u EXISTS ( q *", "", COMPARE_SAME},
    {"ACL",           4, "DRYRUN u HSET q x x", "", COMPARE_SAME},
    {"ACL",           4, "DRYRUN u SELECT d", "", COMPARE_SAME},
    {"ACL",           4, "DRYRUN u CONFIG", "GET w|SET w w|w", COMPARE_SAME},
    {"ACL",           4, "DRYRUN u OBJECT ENCODING q", "", COMPARE_SAME},
    {"ACL",           4, "DRYRUN u PUBLISH q x", "", COMPARE_SAME},
    {"ACL",           4, "DRYRUN u SUBSCRIBE ( q *", "", COMPARE_SAME},
    {"ACL",           4, "DRYRUN u PSUBSCRIBE ( q *", "", COMPARE_SAME},
    {"ACL",           3, "DRYRUN w w", "q|w", COMPARE_SAME},
    {"ACL",           2, "DELUSER nobody", "printed|w", COMPARE_SAME},
    {"ACL",           3, "WHOAMI", "w", COMPARE_SAME},
    {"ACL",           2, "USERS",  "w", COMPARE_SAME},
    {"ACL",           2, "LIST",   "w", COMPARE_KIND},
    {"ACL",           2, "CAT",    "w", COMPARE_SAME},
    {"ACL",           2, "CAT dangerous", "", COMPARE_KIND},
    {"ACL",           2, "GENPASS", "n|w|5", COMPARE_KIND},
    {"ACL",           2, "LOG",    "RESET|n|w", COMPARE_KIND},
    {"ACL",           2, "w",      "w|u", COMPARE_SAME},
    {"ACL",           1, "SAVE",   "w", COMPARE_SAME},
    {"ACL",           1, "LOAD",   "w", COMPARE_SAME},
    {"MULTI",        60, "",       "", COMPARE_SAME},
    {"EXEC",         30, "",       "", COMPARE_SAME},
    {"DISCARD",       4, "",       "", COMPARE_SAME},
    {"WATCH",        40, "k *",    "", COMPARE_SAME},
    {"UNWATCH",       4, "",       "", COMPARE_SAME},
    {"CLIENT",        4, "ID",     "", COMPARE_KIND},
    {"CLIENT",        5, "SETNAME w", "", COMPARE_SAME},
    {"CLIENT",        5, "GETNAME", "", COMPARE_SAME},
    {"CLIENT",        3, "INFO",   "", COMPARE_KIND},
    {"CLIENT",        3, "LIST",   "", COMPARE_KIND},
    {"CLIENT",        3, "NO-EVICT w", "", COMPARE_SAME},
    {"CLIENT",        3, "NO-EVICT ON", "", COMPARE_SAME},
    {"CLIENT",        3, "w",      "w|i", COMPARE_SAME},
    {"CLIENT",        3, "KILL w w", "w", COMPARE_SAME},
    {"CLIENT",        2, "KILL TYPE master", "USER w|SKIPME w", COMPARE_SAME},
    {"CLIENT",        3, "LIST TYPE w", "w", COMPARE_SAME},
    {"CLIENT",        3, "LIST ID w", "w", COMPARE_SAME},
    {"CLIENT",        2, "LIST ID 999999 999998", "w|999997", COMPARE_SAME},
    {"CLIENT",        2, "LIST TYPE master", "w|ID 999999", COMPARE_SAME},
    {"CLIENT",        3, "KILL ID 999999",
        "TYPE normal|TYPE w|USER w|ADDR w|LADDR w|SKIPME no|SKIPME w|ID 999998|w",
        COMPARE_SAME},
    {"CLIENT",        2, "KILL w", "", COMPARE_SAME},
    {"CLIENT",        2, "REPLY ON", "w", COMPARE_SAME},
    {"CLIENT",        2, "REPLY w", "w", COMPARE_SAME},
    /* Never on: pushes come when they like.  See live_tracking_alike. */
    {"CLIENT",        2, "TRACKING off", "BCAST|OPTIN|NOLOOP|PREFIX w|REDIRECT w|w", COMPARE_SAME},
    {"CLIENT",        2, "TRACKING w", "BCAST|OPTOUT|NOLOOP|PREFIX w|REDIRECT|w", COMPARE_SAME},
    {"CLIENT",        2, "CACHING w", "w", COMPARE_SAME},
    {"CLIENT",        2, "CACHING yes", "no", COMPARE_SAME},
    {"CLIENT",        2, "TRACKINGINFO", "w", COMPARE_SAME},
    {"CLIENT",        2, "GETREDIR", "w", COMPARE_SAME},
    {"CLIENT",        1, "PAUSE 1 w", "", COMPARE_SAME},
    {"CLIENT",        1, "PAUSE 1 WRITE", "w", COMPARE_SAME},
    {"CLIENT",        1, "PAUSE w WRITE", "w", COMPARE_SAME},
    {"CLIENT",        1, "UNPAUSE", "w", COMPARE_SAME},
    {"CLIENT",        2, "UNBLOCK 999999 w", "w", COMPARE_SAME},
    {"CLIENT",        2, "UNBLOCK w ERROR", "w", COMPARE_SAME},
    {"CONFIG",        3, "SET w w", "w|loglevel w|databases 1", COMPARE_SAME},
    {"CONFIG",        3, "SET loglevel notice LOGLEVEL w", "w w", COMPARE_SAME},
    {"CONFIG",        3, "SET loglevel w", "loglevel notice|w", COMPARE_SAME},
    {"CONFIG",        3, "GET maxmemory-policy", "", COMPARE_SAME},
    {"CONFIG",        3, "SET maxmemory-policy noeviction", "", COMPARE_SAME},
    {"CONFIG",        2, "SET maxmemory-policy w", "", COMPARE_SAME},
    {"CONFIG",        2, "SET",
        "maxmemory-policy allkeys-lru|maxmemory-policy volatile-lru", COMPARE_SAME},
    {"CONFIG",        2, "SET",
        "maxmemory-policy allkeys-random|maxmemory-policy volatile-random", COMPARE_SAME},
    {"CONFIG",        2, "SET",
        "maxmemory-policy volatile-ttl|maxmemory-policy allkeys-nosuch", COMPARE_SAME},
    {"CONFIG",        2, "RESETSTAT", "w", COMPARE_SAME},
    {"CONFIG",        1, "REWRITE", "w", COMPARE_SAME},
    {"CONFIG",        3, "GET w",  "w", COMPARE_SAME},
    {"CONFIG",        3, "w",      "w|i", COMPARE_SAME},
    {"OBJECT",        2, "w k",    "", COMPARE_SAME},
    {"MEMORY",        2, "w",      "", COMPARE_SAME},
    {"COMMAND",       2, "COUNT",  "w", COMPARE_KIND},
    {"COMMAND",       2, "LIST",   "w", COMPARE_KIND},
    {"COMMAND",       2, "LIST FILTERBY w w", "w", COMPARE_SAME},
    {"COMMAND",       2, "LIST FILTERBY MODULE w", "w", COMPARE_SAME},
    {"COMMAND",       2, "LIST FILTERBY ACLCAT w", "w", COMPARE_SAME},
    {"COMMAND",       2, "LIST FILTERBY PATTERN p", "w", COMPARE_KIND},
    {"COMMAND",       2, "DOCS w", "w", COMPARE_KIND},
    {"COMMAND",       2, "w",      "w", COMPARE_SAME},
    {"COMMAND",       2, "INFO w", "", COMPARE_KIND},
    {"COMMAND",       6, "GETKEYS GET k", "w", COMPARE_SAME},
    {"COMMAND",       6, "GETKEYSANDFLAGS SET k v", "GET|NX|w", COMPARE_SAME},
    {"COMMAND",       6, "GETKEYSANDFLAGS MSET k v *", "k", COMPARE_SAME},
    {"COMMAND",       4, "GETKEYSANDFLAGS DEL k *", "", COMPARE_SAME},
    {"COMMAND",       4, "GETKEYS OBJECT w k", "", COMPARE_SAME},
    {"COMMAND",       4, "GETKEYS w k", "w", COMPARE_SAME},
    {"COMMAND",       2, "GETKEYS SPUBLISH k v", "w", COMPARE_SAME},
    {"COMMAND",       2, "GETKEYSANDFLAGS SSUBSCRIBE k *", "", COMPARE_SAME},
    {"COMMAND",       2, "GETKEYS CONFIG w", "w", COMPARE_SAME},
    {"COMMAND",       2, "GETKEYSANDFLAGS RENAME k k", "w", COMPARE_SAME},
    {"COMMAND",       2, "GETKEYSANDFLAGS COPY k k", "w|DB d", COMPARE_SAME},
    {"COMMAND",       2, "GETKEYSANDFLAGS MEMORY USAGE k", "w", COMPARE_SAME},
    {"COMMAND",       2, "GETKEYSANDFLAGS w", "w", COMPARE_SAME},
    {"COMMAND",       3, "GETKEYS EVAL w 1 k", "k", COMPARE_SAME},
    {"COMMAND",       3, "GETKEYS EVALSHA w n k", "k", COMPARE_SAME},
    {"COMMAND",       3, "GETKEYSANDFLAGS FCALL_RO w 2 k k", "w", COMPARE_SAME},
    {"SLOWLOG",       3, "GET i",  "w", COMPARE_SAME},
    {"SLOWLOG",       2, "LEN",    "w", COMPARE_SAME},
    {"SLOWLOG",       2, "RESET",  "w", COMPARE_SAME},
    {"SLOWLOG",       2, "w",      "w", COMPARE_SAME},
    {"DEBUG",         2, "w",      "w", COMPARE_SAME},
    {"DEBUG",         2, "PROTOCOL w", "w", COMPARE_SAME},
    {"DEBUG",         2, "",       "PROTOCOL string|PROTOCOL double|PROTOCOL map",
        COMPARE_SAME},
    {"DEBUG",         2, "",       "PROTOCOL set|PROTOCOL null|PROTOCOL bignum",
        COMPARE_SAME},
    {"DEBUG",         2, "",       "PROTOCOL verbatim|PROTOCOL true|PROTOCOL array",
        COMPARE_SAME},
    {"DEBUG",         2, "OBJECT k", "w", COMPARE_KIND},
    {"DEBUG",         2, "POPULATE 10 w", "", COMPARE_SAME},
    {"DEBUG",         2, "ERROR w", "w", COMPARE_SAME},
    {"DEBUG",         1, "SLEEP 0", "w", COMPARE_SAME},
    {"DEBUG",         1, "SLEEP w", "w", COMPARE_SAME},
    {"DEBUG",         2, "SET-ACTIVE-EXPIRE 1", "w", COMPARE_SAME},
    {"DEBUG",         2, "LOG w",  "w", COMPARE_SAME},
    {"DEBUG",         1, "JMAP",   "w", COMPARE_SAME},
    {"CLUSTER",       2, "w",      "w|i", COMPARE_SAME},
    {"CLUSTER",       2, "INFO",   "w", COMPARE_SAME},
    {"CLUSTER",       2, "KEYSLOT k", "w", COMPARE_SAME},
    {"CLUSTER",       2, "",       "NODES|SLOTS|SHARDS|MYID|LINKS|w", COMPARE_SAME},
    {"CLUSTER",       2, "MEET w w", "w|i", COMPARE_SAME},
    {"CLUSTER",       2, "SETSLOT i w", "w", COMPARE_SAME},
    {"CLUSTER",       2, "GETKEYSINSLOT i n", "w", COMPARE_SAME},
    {"CLUSTER",       2, "FAILOVER", "FORCE|w", COMPARE_SAME},
    {"READONLY",      2, "",       "w", COMPARE_SAME},
    {"READWRITE",     2, "",       "w", COMPARE_SAME},
    {"ASKING",        2, "",       "w", COMPARE_SAME},
    {"ROLE",          2, "",       "w", COMPARE_SAME},
    {"WAIT",          2, "0 i",    "w", COMPARE_SAME},
    {"WAIT",          2, "w 0",    "w", COMPARE_SAME},
    {"LASTSAVE",      2, "",       "w", COMPARE_KIND},
    {"MODULE",        2, "LIST",   "w", COMPARE_SAME},
    {"MODULE",        2, "w",      "w", COMPARE_SAME},
    {"MODULE",        2, "LOAD w", "w", COMPARE_SAME},
    {"MODULE",        1, "LOADEX w", "w", COMPARE_SAME},
    {"MODULE",        2, "UNLOAD w", "w", COMPARE_SAME},
    {"SCRIPT",        2, "EXISTS w *", "w", COMPARE_SAME},
    {"SCRIPT",        2, "FLUSH",  "ASYNC|w", COMPARE_SAME},
    {"SCRIPT",        2, "KILL",   "w", COMPARE_SAME},
    {"SCRIPT",        2, "LOAD w", "w", COMPARE_SAME},
    {"SCRIPT",        2, "DEBUG w", "w", COMPARE_SAME},
    {"SCRIPT",        2, "w",      "w", COMPARE_SAME},
    {"FUNCTION",      2, "LIST",   "WITHCODE|LIBRARYNAME w|w", COMPARE_SAME},
    {"FUNCTION",      2, "FLUSH",  "ASYNC|w", COMPARE_SAME},
    {"FUNCTION",      2, "DELETE w", "w", COMPARE_SAME},
    {"FUNCTION",      2, "KILL",   "w", COMPARE_SAME},
    {"FUNCTION",      2, "STATS",  "w", COMPARE_KIND},
    {"FUNCTION",      1, "DUMP",   "w", COMPARE_SAME},
    {"FUNCTION",      2, "LOAD w", "REPLACE|w", COMPARE_SAME},
    {"FUNCTION",      2, "RESTORE w", "FLUSH|w", COMPARE_SAME},
    {"FUNCTION",      2, "w",      "w", COMPARE_SAME},
    {"EVAL",          2, "",       "w", COMPARE_SAME},
    {"EVALSHA",       3, "w 0",    "k", COMPARE_SAME},
    {"EVAL_RO",       2, "w n",    "k", COMPARE_SAME},
    {"EVALSHA_RO",    2, "w n",    "k", COMPARE_SAME},
    {"FCALL",         2, "w n",    "k", COMPARE_SAME},
    {"FCALL_RO",      2, "w n",    "k", COMPARE_SAME},
    {"LATENCY",       2, "LATEST", "w", COMPARE_SAME},
    {"LATENCY",       2, "HISTORY w", "w", COMPARE_SAME},
    {"LATENCY",       2, "RESET",  "w", COMPARE_SAME},
    {"LATENCY",       2, "HISTOGRAM w", "w", COMPARE_KIND},
    {"LATENCY",       2, "DOCTOR", "w", COMPARE_KIND},
    {"LATENCY",       2, "w",      "w", COMPARE_SAME},
    {"INFO",          3, "",       "server|clients|memory|w", COMPARE_KIND},
    {"w",             4, "",       "v|k|w|i", COMPARE_SAME},
};

static const char *const keys[] = {
    "a", "b", "c", "key:1", "key:2", "k[1]", "n1", "n2", "n3", "h1", "h2",
};
/* Few enough for a hash that Redis keeps in the order they came. */
static const char *const fields[] = {
    "", "a", "b", "c", "f1", "f2", "f3", "name", "age", "n1", "n2", "sldexp",
    "data", "key:1", "k[1]", "a\r\nb", "\xff\xfe", "12", "-7", "\0",
};
static const char *const large[] = {"large:1", "large:2", "large:3"};
static const char *const numbers[] = {
    "0", "1", "-1", "2", "10", "255", "9223372036854775807",
    "-9223372036854775808", "9223372036854775808", "-9223372036854775809",
    "18446744073709551615", "99999999999999999999999", "4611686018427387904",
    "", " 1", "1 ", "+1", "01", "-0", "1.0", "1e3", "0x10", "abc", "-",
};
/* Beside small ones. */
static const char *const offsets[] = {
    "4071", "4072", "4073", "65535", "70000", "1048576", "-4073", "-1048576",
    "9223372036854775807", "-9223372036854775808", "4611686018427387904",
    "4294967296", "9223372036854775808", "", "1.0", "abc", "01",
};
static const char *const fractions[] = {
    "0", "1", "-1", "0.1", "-0.1", "3.14159", "1e3", "1E-3", "5.0e3", "-5.",
    ".5", "1e17", "1e-17", "1e-18", "123456789012345678", "0x10", "0x1p-3",
    "inf", "-inf", "infinity", "nan", "-nan(1)", "1e4000", "-1e4000", "1e4931",
    "1e4932", "1e-4950", "1e-9999", "", " 1", "1 ", "+1", "abc", "1.2.3", "e",
    "9223372036854775807", "0.00000000000000001", "0.000000000000000001",
};
static const char *const times[] = {
    "0", "-1", "-100000", "9223372036854775807", "-9223372036854775808",
    "9223372036854775", "9223372036854776", "9223372036854775808",
    "-9223372036854775", "-9223372036854776", "", "1.5", "abc", "1 ", "10s",
};
/* As those, but none that is a time: the same one given twice, as
 * milliseconds from now, may be later or as late. */
static const char *const no_times[] = {
    "0", "-1", "-100000", "9223372036854775807", "-9223372036854775808",
    "9223372036854775808", "-9223372036854776", "", "1.5", "abc", "1 ", "10s",
};
static const char *const databases[] = {
    "0", "0", "1", "1", "2", "15", "16", "-1", "abc", "", "2147483648", "1 ",
};
static const char *const cursors[] = {
    "0", "0", "0", "0", "5", "abc", "18446744073709551615",
    "18446744073709551616", "1 ", "9223372036854775808",
};
static const char *const patterns[] = {
    "*", "*", "a", "?", "k*", "key:?", "[a-c]", "[^a-c]", "[c-a]", "n[12]",
    "k\\[1\\]", "*1*", "\\*", "", "[", "[a", "a[", "\\", "**", "*?", "?*?",
    "[\\]a]", "[-a]", "k[[]1]", "[z-", "[^]",
};
static const char *const counts[] = {
    "1", "10", "1000", "100000", "0", "-1", "abc", "9223372036854775807", "",
};
static const char *const events[] = {
    "", "KEA", "KE", "AKE", "Kx", "gxE", "E$", "mK", "nmKE", "KElshzxetd",
    "g$lshzxetd", "KEq", "KEa", "K E",
};
static const char *const types[] = {
    "string", "STRING", "string", "hash", "list", "zset", "nosuchtype", "",
};
static const char *const users[] = {"alice", "bob", "carol"};
static const char *const short_keys[] = {"a", "b", "c", "key:1", "n1", "xyz"};
/* Of commands those that both have, alone or in categories. */
static const char *const rules[] = {
    "+get", "-get", "+SET", "-set", "+mget", "+rename", "-del", "+config",
    "+config|get", "-config|set", "+client", "-client|list", "+acl|whoami",
    "+select|0", "+select|1", "+select", "-select", "+ping|x", "+@read",
    "-@read", "+@WRITE", "-@write", "+@string", "+@hash", "+@fast", "-@fast",
    "+@slow", "-@slow", "+@dangerous", "-@dangerous", "+@admin", "-@admin",
    "+@keyspace", "+@connection", "+@pubsub", "+@transaction", "+@all", "-@all",
    "allcommands", "nocommands", "+nosuch", "+@nosuch", "+config|nosuch",
    "+config|get|x", "+get|", "+", "-", "+@", "foo", "", "~a", "~k*", "~",
    "%R~b", "%W~key:?", "%rw~n[12]", "~*", "allkeys", "resetkeys", "&a", "&*",
    "&k*", "allchannels", "resetchannels", "on", "ON", "off", ">pw", ">b", "<b",
    "<pw", "nopass", "resetpass", "reset", "clearselectors", "(+@all ~a)",
    "(+get", "~c)", "(+set %W~b)", "(+mset", "%RW~*b)", "()", "(on)", "(", ")",
    "#zz", "!zz", "%X~a", "%", "~a b", "&a b",
};
static const char *const printed_rules[] = {
    "on", "OFF", "nopass", ">a", "<a", ">b", ">a b", "resetpass", "~a*", "%R~b",
    "%W~b", "%r~a*", "resetkeys", "allkeys", "&c", "&d*", "allchannels",
    "resetchannels", "allcommands", "nocommands", "+@all", "-@all", "+get",
    "-get", "clearselectors", "reset", "(+get ~a)", "(allchannels -@all %W~x)",
    "(+@all -get)", "sanitize-payload", "skip-sanitize-payload", "", "~a b",
    "#148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940",
    "!148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940",
    "#148DE9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940",
};
/* The only command among them is one that reads: as a command, a word may get
 * a value that is too long for a key of Ebb's. */
static const char *const words[] = {
    "", "x", "foo", "two words", "a\r\nb", "\xff\xfe", "default", "help",
    "a'b\"c", "maxmemory-x", "get", "NX", "EX", "-100", "a%sb",
};
// clang-format on

/* What DUMP returns of "", "a", 10, -1, 300, -40000, INT32_MAX, one more than
 * that, and of 70, 270 and 9000 bytes that were compressed. */
#define PAYLOAD(bytes)                                                         \
    {                                                                          \
        bytes, sizeof bytes - 1                                                \
    }
#define ZEROS "\xe0\xff\x00\xe0\xff\x00\xe0\xff\x00\xe0\xff\x00\xe0\xff\x00"
static const struct {
    const char *bytes;
    size_t len;
} payloads[] = {
    PAYLOAD("\x00\x00\x0a\x00\x5d\x9b\x5c\x40\x0f\x7f\xa2\xda"),
    PAYLOAD("\x00\x01\x61\x0a\x00\xbf\xfe\xef\x9b\x8f\x36\x7d\xb4"),
    PAYLOAD("\x00\xc0\x0a\x0a\x00\x6e\x9f\x57\x45\x0e\xae\x63\xbb"),
    PAYLOAD("\x00\xc0\xff\x0a\x00\x0c\x93\x7e\x24\x85\x08\x9d\xc5"),
    PAYLOAD("\x00\xc1\x2c\x01\x0a\x00\x95\x42\x61\xf2\x65\x82\x5c\x10"),
    PAYLOAD("\x00\xc2\xc0\x63\xff\xff\x0a\x00\xab\x5d\x46\x75\x1b\x1d"
            "\xaa\x83"),
    PAYLOAD("\x00\xc2\xff\xff\xff\x7f\x0a\x00\x2c\x74\xe5\x9e\xe0\x2e"
            "\xad\xa1"),
    PAYLOAD("\x00\x0a\x32\x31\x34\x37\x34\x38\x33\x36\x34\x38\x0a\x00"
            "\xe7\xb1\x29\xa3\x4c\x1d\x76\xee"),
    PAYLOAD("\x00\xc3\x09\x40\x46\x01\x78\x78\xe0\x39\x00\x01\x78\x78"
            "\x0a\x00\x31\xca\x1b\xed\xe0\xf3\x2a\x8d"),
    PAYLOAD("\x00\xc3\x0b\x41\x0e\x03\x61\x62\x63\x61\xe0\xff\x02\x01"
            "\x62\x63\x0a\x00\x11\x9d\x7e\x76\x15\xdc\xd9\xdf"),
    PAYLOAD("\x00\xc3\x40\x6f\x63\x28\x01\x00\x00" ZEROS ZEROS ZEROS ZEROS ZEROS
                ZEROS "\xe0\xff\x00\xe0\xff\x00\xe0\xff\x00\xe0\x0b\x00"
            "\x01\x00\x00\x0a\x00\x67\x24\x00\x04\x76\x60"
            "\x52\xfa"),
};

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))
#define ONE_OF(grammar, table)                                                 \
    ((table)[rng_below(&(grammar)->rng, COUNT_OF(table))])

/* -------------------------------------------------------------- arguments */

static void add_text(struct request *request, const char *text)
{
    request_add(request, text, strlen(text));
}

static void add_key(struct grammar *g, struct request *request)
{
    char long_key[65536];
    uint64_t pick = rng_below(&g->rng, 200);
    if (pick == 0) {
        memset(long_key, 'k', sizeof long_key);
        request_add(request, long_key, sizeof long_key);
    } else if (pick < 3) {
        memset(long_key, 'k', sizeof long_key);
        request_add(request, long_key, 250 + rng_below(&g->rng, 10));
    } else if (pick < 8) {
        request_add(request, "\0\r\n\xff", 4);
    } else if (pick < 11) {
        request_add(request, "", 0);
    } else {
        add_text(request, ONE_OF(g, keys));
    }
}

/* Long values are rare: they take most of the time. */
static size_t some_len(struct grammar *g)
{
    static const size_t edges[] = {0,    1,    31,   32,    43,    44,   45,
                                   46,   127,  128,  255,   256,   1023, 4071,
                                   4072, 4073, 8191, 16384, 65536, 70000};
    if (rng_chance(&g->rng, 3))
        return rng_skewed(&g->rng, 2 << 20);
    if (rng_chance(&g->rng, 100))
        return ONE_OF(g, edges);
    return rng_below(&g->rng, 24);
}

static void add_value(struct grammar *g, struct request *request)
{
    if (rng_chance(&g->rng, 300)) {
        add_text(request, ONE_OF(g, numbers));
        return;
    }
    size_t len = some_len(g);
    char *bytes = malloc(len + 1);
    assert(bytes);
    uint64_t from = rng_next(&g->rng);
    bool binary = rng_chance(&g->rng, 200);
    for (size_t i = 0; i < len; i++) {
        uint64_t byte = rng_mix(from + i);
        bytes[i] = (char)(binary ? byte : 'a' + byte % 26);
    }
    request_add(request, bytes, len);
    free(bytes);
}

/* What Redis keeps in the order it came: at most 64 bytes. */
static void add_short(struct grammar *g, struct request *request)
{
    static const char bytes[] = "abcdefghijklmnopqrstuvwxyz\r\n\xff "
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    if (rng_chance(&g->rng, 300))
        add_text(request, ONE_OF(g, numbers));
    else if (rng_chance(&g->rng, 200))
        request_add(request, bytes, rng_below(&g->rng, 65));
    else
        request_add(request, bytes + rng_below(&g->rng, 20),
                    rng_below(&g->rng, 12));
}

/* Some of a few hundred names, and seldom a long one. */
static void add_large_field(struct grammar *g, struct request *request)
{
    char text[3000];
    size_t len = (size_t)snprintf(text, sizeof text, "field:%d",
                                  (int)rng_skewed(&g->rng, 400));
    if (rng_chance(&g->rng, 20)) {
        memset(text + len, '.', sizeof text - len);
        len = 60 + rng_below(&g->rng, sizeof text - 60);
    }
    request_add(request, text, len);
}

static void add_int(struct request *request, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    add_text(request, text);
}

/*
 * A time far in the future in units of 1000 s, so that two of them are the
 * same or far apart; or an edge.  `since` is about now for absolute times.
 */
static void add_time(struct grammar *g, struct request *request, int64_t second,
                     int64_t since)
{
    if (rng_chance(&g->rng, 250))
        add_text(request, second == 1000 && !since ? ONE_OF(g, no_times)
                                                   : ONE_OF(g, times));
    else if (since && rng_chance(&g->rng, 100))
        add_int(request, second * (int64_t)(1 + rng_below(&g->rng, 1000)));
    else
        add_int(request,
                second *
                    (since +
                     1000 * (int64_t)(100 + rng_below(&g->rng, 1000000000))));
}

static void add_number(struct grammar *g, struct request *request)
{
    if (rng_chance(&g->rng, 400))
        add_text(request, ONE_OF(g, numbers));
    else
        add_int(request, (int64_t)rng_skewed(&g->rng, INT64_MAX) *
                             (rng_chance(&g->rng, 300) ? -1 : 1));
}

static void add_offset(struct grammar *g, struct request *request)
{
    if (rng_chance(&g->rng, 150))
        add_text(request, ONE_OF(g, offsets));
    else
        add_int(request, (int64_t)rng_below(&g->rng, 100) *
                             (rng_chance(&g->rng, 250) ? -1 : 1));
}

static void add_fraction(struct grammar *g, struct request *request)
{
    char text[48];
    if (rng_chance(&g->rng, 400)) {
        add_text(request, ONE_OF(g, fractions));
        return;
    }
    double value = (double)(int64_t)rng_next(&g->rng) /
                   (double)(1 + rng_skewed(&g->rng, INT64_MAX));
    snprintf(text, sizeof text, "%.*g", 1 + (int)rng_below(&g->rng, 20), value);
    add_text(request, text);
}

static void add_payload(struct grammar *g, struct request *request)
{
    size_t i = rng_below(&g->rng, COUNT_OF(payloads));
    request_add(request, payloads[i].bytes, payloads[i].len);
    if (rng_chance(&g->rng, 100))
        request->argv[request->argc - 1]
            .ptr[rng_below(&g->rng, payloads[i].len)] ^= 4;
}

/* Adds what a word of a row stands for. */
static void add_word(struct grammar *g, struct request *request,
                     const char *word, size_t len)
{
    enum { ABOUT_NOW = 2000000000 };
    if (len != 1 || !islower((unsigned char)word[0])) {
        if (len == 1 && (word[0] == 'S' || word[0] == 'M')) {
            add_time(g, request, word[0] == 'S' ? 1 : 1000, ABOUT_NOW);
            return;
        }
        request_add(request, word, len);
        char *text = request->argv[request->argc - 1].ptr;
        for (size_t i = 0; rng_chance(&g->rng, 300) && i < len; i++)
            text[i] = (char)tolower((unsigned char)text[i]);
        return;
    }
    // clang-format off
    switch (word[0]) {
    case 'k': add_key(g, request); break;
    case 'v': add_value(g, request); break;
    case 'h': add_text(request, ONE_OF(g, fields)); break;
    case 'x': add_short(g, request); break;
    case 'b': add_text(request, ONE_OF(g, large)); break;
    case 'g': add_large_field(g, request); break;
    case 'y':
        if (rng_chance(&g->rng, 300))
            add_value(g, request);
        else
            add_short(g, request);
        break;
    case 'i': add_number(g, request); break;
    case 's': add_time(g, request, 1, 0); break;
    case 'm': add_time(g, request, 1000, 0); break;
    case 'd': add_text(request, ONE_OF(g, databases)); break;
    case 'c': add_text(request, ONE_OF(g, cursors)); break;
    case 'p': add_text(request, ONE_OF(g, patterns)); break;
    case 'n': add_text(request, ONE_OF(g, counts)); break;
    case 'e': add_text(request, ONE_OF(g, events)); break;
    case 't': add_text(request, ONE_OF(g, types)); break;
    case 'j': add_payload(g, request); break;
    case 'o': add_offset(g, request); break;
    case 'f': add_fraction(g, request); break;
    case 'w': add_text(request, ONE_OF(g, words)); break;
    case 'u': add_text(request, ONE_OF(g, users)); break;
    case 'r': add_text(request, ONE_OF(g, rules)); break;
    case 'z': add_text(request, ONE_OF(g, printed_rules)); break;
    case 'q': add_text(request, ONE_OF(g, short_keys)); break;
    default: assert(!"a letter that means something");
    }
    // clang-format on
}

static void add_words(struct grammar *g, struct request *request,
                      const char *text, size_t len)
{
    const char *end = text + len, *again = text;
    for (const char *at = text; at < end;) {
        size_t word = strcspn(at, " ");
        if (at + word > end)
            word = (size_t)(end - at);
        if (word == 1 && *at == '*') {
            if (rng_chance(&g->rng, 700) && request->argc < 12)
                at = again;
            else
                at++;
        } else if (word == 1 && *at == '(') {
            again = ++at + 1;
        } else {
            if (word > 0)
                add_word(g, request, at, word);
            at += word;
        }
        at += at < end && *at == ' ';
    }
}

static void add_options(struct grammar *g, struct request *request,
                        const char *options)
{
    unsigned count = 1;
    for (const char *at = options; *at; at++)
        count += *at == '|';
    for (unsigned left = (unsigned)rng_below(&g->rng, 4); left > 0; left--) {
        const char *at = options;
        for (uint64_t skip = rng_below(&g->rng, count); skip > 0; skip--)
            at = strchr(at, '|') + 1;
        add_words(g, request, at, strcspn(at, "|"));
        if (rng_chance(&g->rng, 500))
            break;
    }
}

/* --------------------------------------------------------------- mistakes */

static void drop_last(struct request *request)
{
    if (request->argc > 1)
        free(request->argv[--request->argc].ptr);
}

/* A copy of a large hash must have a name that tells that it is one. */
static bool copies_large(const struct request *request)
{
    return request->argc > 2 &&
           strncmp(request->argv[1].ptr, "large:", 6) == 0 &&
           strncmp(request->argv[2].ptr, "large:", 6) == 0;
}

/* SUBSCRIBE and its kind: another name would be another reply. */
static bool is_about_channels(const struct request *request)
{
    const char *name = request->argv[0].ptr;
    size_t len = strlen(name);
    return len >= 9 && strcasecmp(name + len - 9, "subscribe") == 0;
}

static void spoil(struct grammar *g, struct request *request)
{
    if (is_about_channels(request)) {
        drop_last(request);
        return;
    }
    switch (rng_below(&g->rng, 4)) {
    case 0:
        drop_last(request);
        break;
    case 1:
        add_text(request, ONE_OF(g, words));
        break;
    case 2:
        while (request->argc > 1)
            drop_last(request);
        break;
    case 3:
        /* As a count, one would keep Redis busy for ever; as a time to sleep,
         * one is too long for Redis, which then does not. */
        if (request->argc > 1 &&
            strcasecmp(request->argv[0].ptr, "hrandfield") != 0 &&
            strcasecmp(request->argv[0].ptr, "debug") != 0) {
            drop_last(request); /* a number could be a time */
            add_text(request, ONE_OF(g, no_times));
        }
        break;
    }
}

static const struct row *some_row(struct grammar *g)
{
    unsigned total = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        total += rows[i].weight;
    uint64_t pick = rng_below(&g->rng, total);
    const struct row *row = rows;
    while (pick >= row->weight)
        pick -= row++->weight;
    return row;
}

/*
 * SET with a time that has passed leaves an entry that is counted until it is
 * met or the server comes by; asking for it next makes that certain.
 */
static void note_follow(struct grammar *g, const struct request *request)
{
    bool absolute = false;
    for (size_t i = 3; i < request->argc; i++)
        absolute = absolute || strcasecmp(request->argv[i].ptr, "exat") == 0 ||
                   strcasecmp(request->argv[i].ptr, "pxat") == 0;
    if (absolute) {
        struct request *ask = &g->follow[0], *may = &g->follow[1];
        *ask = *may = (struct request){.compare = COMPARE_SAME};
        add_text(ask, "EXISTS");
        request_add(ask, request->argv[1].ptr, request->argv[1].len);
        /* A user who may store it need not be one who may ask. */
        add_text(may, "AUTH");
        add_text(may, "default");
        add_text(may, "x");
        g->follow_count = 2;
    }
}

/* Who listens with RESP2 may do nothing else. */
static void note_listening(struct grammar *g, const struct request *request)
{
    unsigned bit = 1u << g->conn;
    const char *name = request->argv[0].ptr;
    if (is_about_channels(request) && tolower((unsigned char)name[1]) != 'n' &&
        tolower((unsigned char)name[2]) != 'n')
        g->listening |= bit;
}

static void end_listening(struct grammar *g)
{
    static const char *const ends[] = {"UNSUBSCRIBE", "PUNSUBSCRIBE",
                                       "SUNSUBSCRIBE"};
    g->listening &= ~(1u << g->conn);
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        g->follow[i] = (struct request){.compare = COMPARE_SAME};
        add_text(&g->follow[i], ends[i]);
    }
    g->follow_count = COUNT_OF(ends);
}

/* Short transactions: in longer ones there would always be an error. */
static bool ends_multi(struct grammar *g)
{
    return g->multi >> g->conn & 1 && rng_chance(&g->rng, 200);
}

static void note_multi(struct grammar *g, const struct request *request)
{
    unsigned bit = 1u << g->conn;
    if (strcasecmp(request->argv[0].ptr, "multi") == 0)
        g->multi |= bit;
    else if (strcasecmp(request->argv[0].ptr, "exec") == 0)
        g->multi &= ~bit;
}

void grammar_next(struct grammar *g, struct request *request)
{
    *request = (struct request){.compare = COMPARE_SAME};
    if (g->follow_count == 0 && g->listening >> g->conn & 1 &&
        rng_chance(&g->rng, 200))
        end_listening(g);
    if (g->follow_count > 0) {
        *request = g->follow[--g->follow_count];
        return;
    }
    if (ends_multi(g)) {
        g->multi &= ~(1u << g->conn);
        add_text(request, "EXEC");
        return;
    }
    const struct row *row = some_row(g);
    request->compare = row->compare;
    add_word(g, request, row->name, strlen(row->name));
    add_words(g, request, row->args, strlen(row->args));
    if (*row->options)
        add_options(g, request, row->options);
    if (rng_chance(&g->rng, 60) && !copies_large(request))
        spoil(g, request);
    note_follow(g, request);
    note_multi(g, request);
    note_listening(g, request);
}
