"""Fetching start frames that are addresses, before their jobs may stand in line."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings

from creative_hub import wording
from creative_hub.models import Generation, ProviderJob
from creative_hub.services import claims, endings, frames
from creative_hub.services.lifecycle import LEASE_MARGIN_S, MAX_ATTEMPTS, Clock, backoff_s

log = structlog.get_logger(__name__)
State = ProviderJob.State

# How often an address is tried that does not answer well.
TRIES = 3


def prepare_next(*, clock: Clock) -> bool:
    """Fetch the next start frame and let its job into the line. False: nothing due, or no room."""
    job = claims.claim_preparing(
        slots=settings.FETCH_SLOTS, lease_s=frames.LIMIT_S + LEASE_MARGIN_S, now=clock()
    )
    if job is None:
        return False
    if job.attempt > MAX_ATTEMPTS:
        # Something in the picture ends whoever looks at it.
        endings.fail_job(job, code=wording.FRAME_UNUSABLE, detail="interrupted", now=clock())
        return True
    try:
        asset = frames.fetched(job.generation, now=clock())
    except frames.FrameNotFetched as failure:
        _failed(job, failure, clock=clock)
        return True
    Generation.objects.filter(pk=job.generation_id).update(start_frame_id=asset.id)
    claims.advance(job, state=State.WAITING, next_action_at=clock(), attempt=0, waits=0)
    return True


def _failed(job: ProviderJob, failure: frames.FrameNotFetched, *, clock: Clock) -> None:
    now = clock()
    log.info("frame_not_fetched", job_id=job.pk, code=failure.code, detail=failure.detail)
    if failure.is_retryable and job.waits + 1 < TRIES:
        again = now + timedelta(seconds=backoff_s(job.waits))
        claims.advance(
            job, state=State.WAITING, next_action_at=again, attempt=0, waits=job.waits + 1
        )
    else:
        endings.fail_job(job, code=failure.code, detail=failure.detail, now=now)
