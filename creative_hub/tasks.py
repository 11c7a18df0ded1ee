"""Celery tasks: named doorbells, one service call each. Rows decide; a lost ring is rung again.

`**_` lets an old worker survive an argument that a newer one sends.
"""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from creative_hub import heartbeat
from creative_hub.services import lifecycle

ENGINE, MEDIA = "engine", "media"


@shared_task(name="creative_hub.tick", queue=ENGINE)
def tick(**_: object) -> None:
    heartbeat.beat()
    due = lifecycle.take_due(now=timezone.now())
    for job_id in due.to_submit:
        submit.apply_async(kwargs={"job_id": job_id}, expires=lifecycle.RING_AGAIN_S)
    for job_id in due.to_fetch:
        fetch.apply_async(kwargs={"job_id": job_id}, expires=lifecycle.RING_AGAIN_S)
    for provider, is_sandbox in due.to_poll:
        poll.apply_async(kwargs={"provider": provider, "is_sandbox": is_sandbox}, expires=5)


@shared_task(name="creative_hub.submit", queue=ENGINE)
def submit(*, job_id: int, **_: object) -> None:
    lifecycle.submit_job(job_id=job_id, clock=timezone.now)


@shared_task(name="creative_hub.poll", queue=ENGINE)
def poll(*, provider: str, is_sandbox: bool, **_: object) -> None:
    lifecycle.poll_jobs(provider=provider, is_sandbox=is_sandbox, clock=timezone.now)


@shared_task(name="creative_hub.fetch", queue=MEDIA)
def fetch(*, job_id: int, **_: object) -> None:
    lifecycle.fetch_job(job_id=job_id, clock=timezone.now)
