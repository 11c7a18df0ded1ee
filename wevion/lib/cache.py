"""The cache that may be gone."""

from __future__ import annotations

import time
from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

# After a failure the cache is left alone for this long, in seconds: a page that reads it ten times
# waits for one time-out, not for ten.
LEFT_ALONE_S = 5.0


class ForgivingRedisCache(RedisCache):
    """Redis as a cache whose absence costs speed, never an answer.

    Sessions live in the database and are only read through this cache, so a Redis that is
    flushed, restarting or hung signs nobody out and fails no request: a failed read is a miss and
    a failed write is forgotten.
    """

    _left_alone_until = 0.0  # of all threads: time.monotonic()

    def _or(self, default: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < ForgivingRedisCache._left_alone_until:
            return default
        try:
            return getattr(super(), method)(*args, **kwargs)
        except RedisError as error:
            ForgivingRedisCache._left_alone_until = time.monotonic() + LEFT_ALONE_S
            log.warning("cache_unreachable", method=method, error=type(error).__name__)
            return default

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._or(default, "get", key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._or(None, "set", *args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._or(False, "add", *args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._or(False, "delete", *args, **kwargs))

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._or(False, "touch", *args, **kwargs))

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._or(False, "has_key", *args, **kwargs))
