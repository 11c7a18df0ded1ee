"""When a worker last answered a tick."""

from __future__ import annotations

import time

from django.core.cache import cache

_KEY = "worker:seen"
_KEPT_S = 3600


def beat() -> None:
    """Say that a worker is here."""
    cache.set(_KEY, time.time(), timeout=_KEPT_S)


def last_seen() -> float | None:
    """Unix time of the last tick a worker answered, or None."""
    seen: float | None = cache.get(_KEY)
    return seen
