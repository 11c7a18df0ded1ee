"""Who works on a job: leases and fence tokens over the ProviderJob rows.

A claim is committed before anything is done for it. Whoever holds it writes with `advance`, which
changes nothing once somebody else has claimed the job since: that is the fence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from creative_hub.models import ProviderJob

State = ProviderJob.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job as its claimer holds it. came_from: the state in which it was found."""

    job: ProviderJob
    came_from: str


def _free(now: datetime) -> QuerySet[ProviderJob]:
    unleased = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    return (
        ProviderJob.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        .select_related("generation")
        .filter(unleased)
    )


@transaction.atomic(durable=True)
def claim(
    *,
    job_id: int,
    states: Sequence[str],
    to_state: str,
    lease_s: float,
    now: datetime,
    slots: int | None = None,
) -> Claim | None:
    """Take one job for lease_s seconds, if it is in one of the states and nobody works on it.

    Counts the try in `attempt`, which whoever moves the job on sets back. slots: how many jobs may
    be held in to_state at once, by all workers; beyond it the job is due again in a second.
    None: not ours to do now.
    """
    if slots is not None and _held(to_state, now=now) >= slots:
        again = now + timedelta(seconds=1)
        _free(now).filter(pk=job_id, state__in=states).update(next_action_at=again)
        return None
    job = _free(now).filter(pk=job_id, state__in=states).first()
    if job is None:
        return None
    came_from = job.state
    _lease(job, to_state=to_state, lease_s=lease_s, now=now)
    return Claim(job=job, came_from=came_from)


@transaction.atomic(durable=True)
def claim_running(
    *, provider: str, is_sandbox: bool, limit: int, lease_s: float, now: datetime
) -> list[ProviderJob]:
    """Take every job of a provider that is due to be asked about, oldest first, up to limit."""
    due = _free(now).filter(
        provider=provider, is_sandbox=is_sandbox, state=State.RUNNING, next_action_at__lte=now
    )
    jobs = list(due.order_by("next_action_at")[:limit])
    for job in jobs:
        _lease(job, to_state=State.RUNNING, lease_s=lease_s, now=now)
    return jobs


def advance(
    job: ProviderJob, *, state: str, next_action_at: datetime | None, **values: Any
) -> bool:
    """Move a claimed job on and give the lease back. False when somebody claimed it since."""
    return bool(
        ProviderJob.objects.filter(pk=job.pk, fence=job.fence)
        .exclude(state__in=ProviderJob.TERMINAL)
        .update(state=state, next_action_at=next_action_at, lease_until=None, **values)
    )


def _held(state: str, *, now: datetime) -> int:
    """How many jobs somebody works on in a state. Counted one claim at a time, until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"slots:{state}"])
    return ProviderJob.objects.filter(state=state, lease_until__gt=now).count()


def _lease(job: ProviderJob, *, to_state: str, lease_s: float, now: datetime) -> None:
    job.fence += 1
    job.state = to_state
    job.attempt += 1
    # Due again the moment the lease runs out: a dead worker's job needs nobody to notice.
    job.lease_until = job.next_action_at = now + timedelta(seconds=lease_s)
    job.save(update_fields=["fence", "state", "attempt", "lease_until", "next_action_at"])
