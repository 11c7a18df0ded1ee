"""The cache that may be gone: a hung Redis costs one time-out, not one per read."""

import socket
import threading
import time

import pytest
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from wevion.lib import cache as cache_module
from wevion.lib.cache import ForgivingRedisCache

OPTIONS = {
    "socket_timeout": 0.2,
    "socket_connect_timeout": 0.2,
    "retry": Retry(NoBackoff(), retries=0),
}


@pytest.fixture(autouse=True)
def _not_left_alone(monkeypatch):
    monkeypatch.setattr(ForgivingRedisCache, "_left_alone_until", 0.0)


@pytest.fixture
def hung():
    """A server that takes connections and never says anything."""
    server = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def take():
        while True:
            try:
                taken.append(server.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    yield server.getsockname()[1], taken
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)
    for one in taken:
        one.close()


def cache_at(port):
    return ForgivingRedisCache(f"redis://127.0.0.1:{port}/0", {"OPTIONS": OPTIONS})


def test_a_hung_redis_is_asked_once_and_then_left_alone(hung):
    port, taken = hung
    cache = cache_at(port)
    started = time.monotonic()
    assert [cache.get("key", default="missing") for _ in range(20)] == ["missing"] * 20
    cache.set("key", 1)
    assert cache.add("key", 1) is False
    assert len(taken) == 1
    assert time.monotonic() - started < 2


def test_a_redis_that_is_gone_is_a_miss():
    assert cache_at(1).get("key") is None


def test_after_a_while_it_is_asked_again(monkeypatch):
    monkeypatch.setattr(cache_module, "LEFT_ALONE_S", 0.0)
    assert cache_at(1).get("key") is None
    cache = ForgivingRedisCache(settings.REDIS_URL, {"OPTIONS": OPTIONS})
    cache.set("key", "value")
    assert cache.get("key") == "value"
    assert cache.has_key("key") is True
    assert cache.touch("key") is True
    assert cache.delete("key") is True
