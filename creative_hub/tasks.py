"""Celery tasks: named doorbells. Rows decide what is done; a lost ring is rung again.

`**_` lets an old worker survive an argument that a newer one sends.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from creative_hub import heartbeat
from creative_hub.line import Lane
from creative_hub.services import asking, lifecycle, preparing, sending, storing

ENGINE, MEDIA = "engine", "media"
# A ring that nobody answers is worth nothing: the next tick rings again, in seconds.
RING_LIFE_S = 2
# How long one answer to a ring goes on to the next job before it gives its thread back.
SHIFT_S = 10.0


@shared_task(name="creative_hub.tick", queue=ENGINE)
def tick(**_: object) -> None:
    heartbeat.beat()
    due = lifecycle.due(now=timezone.now())
    for lane, jobs in due.to_send.items():
        for _ring in range(min(jobs, settings.SUBMIT_SLOTS_PER_LANE)):
            send.apply_async(kwargs=lane._asdict(), expires=RING_LIFE_S)
    for lane in due.to_ask:
        ask.apply_async(kwargs=lane._asdict(), expires=RING_LIFE_S)
    for _ring in range(min(due.to_store, settings.FETCH_SLOTS)):
        store.apply_async(expires=RING_LIFE_S)
    for _ring in range(min(due.to_prepare, settings.FETCH_SLOTS)):
        prepare.apply_async(expires=RING_LIFE_S)


@shared_task(name="creative_hub.send", queue=ENGINE)
def send(*, provider: str, is_sandbox: bool, **_: object) -> None:
    lane = Lane(provider, is_sandbox)
    _while_there_is_some(lambda: sending.send_next(lane=lane, clock=timezone.now))


@shared_task(name="creative_hub.ask", queue=ENGINE)
def ask(*, provider: str, is_sandbox: bool, **_: object) -> None:
    asking.ask_about(lane=Lane(provider, is_sandbox), clock=timezone.now)


@shared_task(name="creative_hub.store", queue=MEDIA)
def store(**_: object) -> None:
    _while_there_is_some(lambda: storing.store_next(clock=timezone.now))


@shared_task(name="creative_hub.prepare", queue=MEDIA)
def prepare(**_: object) -> None:
    _while_there_is_some(lambda: preparing.prepare_next(clock=timezone.now))


def _while_there_is_some(do_next: Callable[[], bool]) -> None:
    until = time.monotonic() + SHIFT_S
    while do_next() and time.monotonic() < until:
        pass
