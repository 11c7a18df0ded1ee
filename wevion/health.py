"""Is the process alive, and can it do its work?"""

from __future__ import annotations

import time

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from creative_hub import heartbeat

# Beat rings every second; a worker that has not answered for this long is not there.
WORKER_SEEN_S = 30


@never_cache
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """The database, the broker and a worker answer: 200, else 503 with what does not."""
    checks = {"database": _database(), "broker": _broker(), "worker": _worker()}
    return JsonResponse(checks, status=200 if all(checks.values()) else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _broker() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _worker() -> bool:
    seen_at = heartbeat.last_seen()
    return seen_at is not None and time.time() - seen_at < WORKER_SEEN_S
