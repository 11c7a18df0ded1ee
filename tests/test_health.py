"""Is it alive, and can it work?"""

import time

import pytest
from django.core.cache import cache

from creative_hub import heartbeat

pytestmark = pytest.mark.django_db


def test_livez_answers_without_anything(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/livez")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_readyz_is_ready_once_a_worker_was_seen(client):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": True, "broker": True, "worker": False}
    heartbeat.beat()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": True, "broker": True, "worker": True}


def test_a_worker_that_was_last_seen_a_minute_ago_is_gone(client):
    cache.set("worker:seen", time.time() - 60)
    assert client.get("/readyz").json()["worker"] is False


def test_a_broker_that_is_gone_is_said_within_its_time_limit(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["broker"] is False
