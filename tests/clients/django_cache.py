# SPDX-License-Identifier: BSD-3-Clause
"""django-redis as the cache of a Django project."""

import django
import django_redis
from django.conf import settings
from kit import same, try_client, url

settings.configure(CACHES={
    "default": {"BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": url + "/1"},
})
django.setup()

from django.core.cache import cache  # noqa: E402


def single():
    cache.clear()
    cache.set("k", {"deep": [1, 2]}, 100)
    same(cache.get("k"), {"deep": [1, 2]})
    same(cache.add("k", 1), False)
    same(cache.has_key("k"), True)
    same(cache.touch("k", 200), True)
    same(bool(cache.delete("k")), True)
    same(cache.get("k", "none"), "none")


def many():
    cache.set_many({"a": 1, "b": "two"}, 100)
    same(cache.get_many(["a", "b", "none"]), {"a": 1, "b": "two"})
    cache.delete_many(["a", "b"])
    same(cache.get_many(["a", "b"]), {})


def wrapped():
    same(cache.get_or_set("w", lambda: 42, 100), 42)
    same(cache.get("w"), 42)


def pattern():
    cache.set_many({f"user:{i}": i for i in range(100)})
    same(len(list(cache.iter_keys("user:*"))), 100)
    same(cache.delete_pattern("user:*"), 100)


def times():
    cache.set("t", 1, timeout=100)
    assert 90 < cache.ttl("t") <= 100
    same(cache.persist("t"), True)
    same(cache.ttl("t"), None)


def counters():
    cache.set("n", 1)
    same(cache.incr("n", 4), 5)


version = ".".join(map(str, django_redis.VERSION))
try_client("django-redis with Django " + django.get_version(), version, {
    "set, get, add, touch, delete": single,
    "set_many, get_many, delete_many": many,
    "get_or_set": wrapped,
    "iter_keys, delete_pattern": pattern,
    "ttl, persist": times,
    "incr, decr": counters,
})
