"""Storing what providers have made, and ending its jobs."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings

from assets.errors import RejectedFile
from creative_hub import registry, wording
from creative_hub.models import ProviderJob
from creative_hub.providers.base import ErrorClass
from creative_hub.services import claims, delivery, endings, frames
from creative_hub.services.lifecycle import (
    LEASE_MARGIN_S,
    MAX_ATTEMPTS,
    RUN_DEADLINE,
    Clock,
    backoff_s,
    order_of,
)

log = structlog.get_logger(__name__)
State = ProviderJob.State


def store_next(*, clock: Clock) -> bool:
    """Store the next finished result and end its job. False: nothing is due, or no room."""
    job = claims.claim_storing(
        slots=settings.FETCH_SLOTS,
        lease_s=lambda one: delivery.limit_s(one.generation) + LEASE_MARGIN_S,
        now=clock(),
    )
    if job is None:
        return False
    if job.attempt > MAX_ATTEMPTS:
        endings.fail_job(job, code=wording.INTERRUPTED, now=clock())
        return True
    adapter = registry.adapter(provider=job.provider, is_sandbox=job.is_sandbox)
    try:
        order = order_of(job, frame=_frame(job))
        asset_id = delivery.deliver(job, adapter=adapter, order=order, now=clock())
    except delivery.DeliveryFailed as failure:
        _failed(job, failure, clock=clock)
    else:
        endings.complete_job(job, asset_id=asset_id, now=clock())
    return True


def _frame(job: ProviderJob) -> bytes:
    """The start frame, for the sandbox alone: it draws when the result is fetched."""
    try:
        return frames.prepared(job.generation) if job.is_sandbox else b""
    except RejectedFile as rejected:
        raise delivery.DeliveryFailed(
            wording.FRAME_UNUSABLE, rejected.sentence, is_retryable=False
        ) from rejected
    except OSError as error:
        raise delivery.DeliveryFailed(
            wording.NOT_STORED, type(error).__name__, is_retryable=True
        ) from error


def _failed(job: ProviderJob, failure: delivery.DeliveryFailed, *, clock: Clock) -> None:
    now = clock()
    again = now + timedelta(seconds=backoff_s(job.waits))
    if failure.is_retryable and again < job.deadline_at:
        # It is made and paid for upstream: a store or a line that is down is waited for. Only a
        # worker that died counts as an attempt.
        claims.advance(
            job, state=State.FETCHING, next_action_at=again, attempt=0, waits=job.waits + 1
        )
        log.info("fetch_put_off", job_id=job.pk, code=failure.code, detail=failure.detail)
    elif failure.code == ErrorClass.RESULT_EXPIRED and job.upstream_id and not job.looks:
        # Some providers keep the file longer than the link: asked once more, they give another.
        claims.advance(
            job,
            state=State.RUNNING,
            next_action_at=now,
            deadline_at=now + RUN_DEADLINE,
            attempt=0,
            looks=1,
        )
    else:
        endings.fail_job(job, code=failure.code, detail=failure.detail, now=now)
