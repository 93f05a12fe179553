/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of redis.conf about what Ebb does not have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/home.h"

/* What a stock redis.conf of version 7 says, but for daemonize. */
static const char stock[] =
    "bind 127.0.0.1 -::1\nprotected-mode yes\nport 6379\ntcp-backlog 511\n"
    "timeout 0\ntcp-keepalive 300\ndaemonize no\n"
    "pidfile /run/redis/redis-server.pid\nloglevel notice\n"
    "logfile /var/log/redis/redis-server.log\ndatabases 16\n"
    "always-show-logo no\nset-proc-title yes\n"
    "proc-title-template \"{title} {listen-addr} {server-mode}\"\n"
    "stop-writes-on-bgsave-error yes\nrdbcompression yes\nrdbchecksum yes\n"
    "dbfilename dump.rdb\nrdb-del-sync-files no\ndir /var/lib/redis\n"
    "replica-serve-stale-data yes\nreplica-read-only yes\n"
    "repl-diskless-sync yes\nrepl-diskless-sync-delay 5\n"
    "repl-diskless-sync-max-replicas 0\nrepl-diskless-load disabled\n"
    "repl-disable-tcp-nodelay no\nreplica-priority 100\nacllog-max-len 128\n"
    "lazyfree-lazy-eviction no\nlazyfree-lazy-expire no\n"
    "lazyfree-lazy-server-del no\nreplica-lazy-flush no\n"
    "lazyfree-lazy-user-del no\nlazyfree-lazy-user-flush no\n"
    "oom-score-adj no\noom-score-adj-values 0 200 800\ndisable-thp yes\n"
    "appendonly no\nappendfilename \"appendonly.aof\"\n"
    "appenddirname \"appendonlydir\"\nappendfsync everysec\n"
    "no-appendfsync-on-rewrite no\nauto-aof-rewrite-percentage 100\n"
    "auto-aof-rewrite-min-size 64mb\naof-load-truncated yes\n"
    "aof-use-rdb-preamble yes\naof-timestamp-enabled no\n"
    "slowlog-log-slower-than 10000\nslowlog-max-len 128\n"
    "latency-monitor-threshold 0\nnotify-keyspace-events \"\"\n"
    "hash-max-listpack-entries 512\nhash-max-listpack-value 64\n"
    "list-max-listpack-size -2\nlist-compress-depth 0\n"
    "set-max-intset-entries 512\nzset-max-listpack-entries 128\n"
    "zset-max-listpack-value 64\nhll-sparse-max-bytes 3000\n"
    "stream-node-max-bytes 4096\nstream-node-max-entries 100\n"
    "activerehashing yes\nclient-output-buffer-limit normal 0 0 0\n"
    "client-output-buffer-limit replica 256mb 64mb 60\n"
    "client-output-buffer-limit pubsub 32mb 8mb 60\nhz 10\ndynamic-hz yes\n"
    "aof-rewrite-incremental-fsync yes\nrdb-save-incremental-fsync yes\n"
    "jemalloc-bg-thread yes\n";

static bool is_ignored(const struct conf *conf, const char *wanted)
{
    const char *name;

    for (size_t at = 0; (name = conf_ignored(conf, &at)) != NULL;)
        if (strcmp(name, wanted) == 0)
            return true;
    return false;
}

static void a_stock_file_is_taken(void **state)
{
    struct home *home = *state;
    size_t at = 0, count = 0;

    assert_null(home_load(home, stock));
    assert_string_equal(home->conf.pidfile, "/run/redis/redis-server.pid");
    while (conf_ignored(&home->conf, &at) != NULL)
        count++;
    /* Each name once, however many lines it has. */
    assert_int_equal(count, 51);
    assert_true(is_ignored(&home->conf, "hz"));
    assert_false(is_ignored(&home->conf, "notify-keyspace-events"));
    assert_false(is_ignored(&home->conf, "appendonly"));
    assert_false(is_ignored(&home->conf, "replicaof"));
}

static void a_file_of_ebb_has_nothing_to_ignore(void **state)
{
    struct home *home = *state;
    size_t at = 0;

    assert_null(home_load(home, "port 1\nsave \"\"\n"));
    assert_null(conf_ignored(&home->conf, &at));
}

static void refuses(struct home *home, const char *line, const char *refusal)
{
    const char *why = home_load(home, line);

    assert_non_null(why);
    assert_string_equal(strstr(why, ":1: ") + 4, refusal);
}

static void what_cannot_be_had_is_refused(void **state)
{
    struct home *home = *state;

    refuses(home, "cluster-enabled yes",
            "cluster-enabled: there is no cluster, so that it can only be "
            "'no'");
    refuses(home, "replicaof 10.0.0.1 6379",
            "replicaof: there are no replicas, so that it can only be 'no "
            "one'");
    refuses(home, "replicaof no",
            "replicaof: there are no replicas, so that it can only be 'no "
            "one'");
    refuses(home, "tls-port",
            "tls-port: there is no TLS, so that it can only be '0'");
    refuses(home, "rename-command FLUSHALL \"\"",
            "rename-command: commands keep their names");
    refuses(home, "appendonly yes",
            "appendonly: can't set immutable config (Always no: nothing is "
            "saved)");
    refuses(home, "daemonize yes",
            "daemonize: can't set immutable config (Always no: a supervisor "
            "starts it)");
    refuses(home, "hzz 10", "hzz: no such option");
    refuses(home, "h 10", "h: no such option");
    assert_null(home_load(home, "REPLICAOF No one\ncluster-enabled NO\n"));
    assert_true(is_ignored(&home->conf, "replicaof"));
}

static void flags_are_as_lines(void **state)
{
    struct home *home = *state;
    char *good[] = {"ebb-server", "--supervised", "no", "--hz", "10"};
    char *bad[] = {"ebb-server", "--supervised", "systemd"};

    assert_null(conf_load_args(&home->conf, 5, good, home->why));
    assert_true(is_ignored(&home->conf, "hz"));
    assert_string_equal(conf_load_args(&home->conf, 3, bad, home->why),
                        "--supervised: no supervisor is told of the start, so "
                        "that it can only be 'no'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOME_TEST(a_stock_file_is_taken),
        HOME_TEST(a_file_of_ebb_has_nothing_to_ignore),
        HOME_TEST(what_cannot_be_had_is_refused),
        HOME_TEST(flags_are_as_lines),
    };
    return cmocka_run_group_tests(tests, home_open, home_close);
}
