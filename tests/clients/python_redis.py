# SPDX-License-Identifier: BSD-3-Clause
"""Debian's python3-redis."""

import redis
from kit import port, same, try_client

client = redis.Redis(port=port, socket_timeout=20)


def strings():
    client.flushall()
    same(client.set("k", "v", ex=100), True)
    same(client.get("k"), b"v")
    same(client.mget("k", "none"), [b"v", None])
    same(client.incrby("n", 5), 5)
    same(client.getrange("k", 0, -1), b"v")


def pipeline():
    # A transaction unless it is told otherwise.
    same(client.pipeline().set("p", 1).incr("p").execute(), [True, 2])


def watch():
    def add(pipe):
        value = int(pipe.get("p"))
        pipe.multi()
        pipe.set("p", value + 1)
    client.transaction(add, "p")
    same(client.get("p"), b"3")


def hashes():
    same(client.hset("h", mapping={"a": 1, "b": 2}), 2)
    same(client.hgetall("h"), {b"a": b"1", b"b": b"2"})


def pubsub():
    with client.pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe("news")
        same(listener.get_message(timeout=20), None)
        client.publish("news", "hello")
        same(listener.get_message(timeout=20)["data"], b"hello")


def lock():
    with client.lock("lock", timeout=10):
        pass


try_client("redis-py (Debian)", redis.__version__, {
    "strings, expiry, counters": strings,
    "SCAN": lambda: same(sorted(client.scan_iter("?")), [b"k", b"n"]),
    "pipelines (MULTI)": pipeline,
    "transaction() (WATCH)": watch,
    "hashes": hashes,
    "publish and subscribe": pubsub,
    "!lock() (Lua)": lock,
})
