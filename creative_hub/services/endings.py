"""How jobs and generations end: one transaction from the last result to the charge."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from creative_hub import wording
from creative_hub.models import LIVE, Generation, ProviderJob, Status
from creative_hub.providers.base import ProviderError
from creative_hub.services import claims, feed
from credits import services as credit_services

log = structlog.get_logger(__name__)
State = ProviderJob.State
_ENDING_FIELDS = (
    "status",
    "delivered",
    "credits_charged",
    "error_code",
    "error_message",
    "completed_at",
    "revision",
)


def complete_job(job: ProviderJob, *, asset_id: uuid.UUID, now: datetime) -> bool:
    """Count one variant as delivered; with the last one settle. False: it ended before."""
    return _end(job, State.DONE, now=now, asset_id=asset_id, result_url="")


def fail_job(
    job: ProviderJob,
    *,
    now: datetime,
    error: ProviderError | None = None,
    code: str = "",
    detail: str = "",
) -> bool:
    """Count one variant as not coming; with the last one settle or release. False: ended before.

    Either the provider's error, or a code of `wording` with a detail for admins.
    """
    values: dict[str, Any] = {"error_code": code}
    if detail:
        # Without one the last that was known of it stays.
        values["raw_message"] = detail[:500]
    if error is not None:
        values = {
            "error_code": str(error.error_class),
            "raw_code": error.code,
            "raw_message": error.message,
            "request_id": error.request_id or job.request_id,
        }
    log.warning(
        "job_failed",
        job_id=job.pk,
        generation_id=str(job.generation_id),
        code=values["error_code"],
        raw_code=values.get("raw_code", ""),
    )
    return _end(job, State.FAILED, now=now, result_url="", **values)


@transaction.atomic(durable=True)
def _end(job: ProviderJob, state: str, *, now: datetime, **values: Any) -> bool:
    workspace_id = job.generation.workspace_id
    # Lock order: account, then generation, then job.
    credit_services.lock(workspace_id=workspace_id)
    generation = Generation.objects.select_for_update(no_key=True).get(pk=job.generation_id)
    if not claims.advance(job, state=state, next_action_at=None, **values):
        return False
    _finish_if_last(generation, now=now)
    generation.revision = feed.bump(workspace_id=workspace_id)
    generation.save(update_fields=_ENDING_FIELDS)
    return True


def _finish_if_last(generation: Generation, *, now: datetime) -> None:
    """Charge what was delivered, or release the hold, once every variant has ended."""
    jobs = list(generation.jobs.order_by("variant"))
    done = [job for job in jobs if job.state == State.DONE]
    generation.delivered = len(done)
    if generation.status not in LIVE or any(job.state not in ProviderJob.TERMINAL for job in jobs):
        return
    generation.completed_at = now
    if done:
        generation.status = Status.COMPLETED
        generation.credits_charged = len(done) * generation.unit_credits
        credit_services.settle(
            reference=generation.hold_reference, amount=generation.credits_charged, now=now
        )
    else:
        generation.status = Status.FAILED
        generation.credits_charged = 0
        generation.error_code = jobs[0].error_code
        generation.error_message = wording.failure(generation.error_code)
        credit_services.release(reference=generation.hold_reference, now=now)
    log.info(
        "generation_ended",
        generation_id=str(generation.pk),
        status=generation.status,
        delivered=generation.delivered,
        credits_charged=generation.credits_charged,
    )
