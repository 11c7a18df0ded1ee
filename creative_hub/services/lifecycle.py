"""The worker side of a generation: what is due, and what every step of it shares.

Each step claims its job in a short transaction, does its HTTP with none open, and writes what it
learned in another. Killed anywhere, the lease runs out and the next tick takes the job up where
the row says it stands. The steps: `sending`, `asking`, `storing`, `endings`. See
docs/adr/0003-rows-and-doorbells.md.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Count, Q

from creative_hub.line import Lane
from creative_hub.models import Generation, ProviderJob
from creative_hub.providers.base import Adapter, Order, Upstream, UpstreamState
from creative_hub.services import claims, feed, switches

log = structlog.get_logger(__name__)
State = ProviderJob.State
Clock = Callable[[], datetime]

# Added to what a call may take at most, so that a lease outlives the call it covers.
LEASE_MARGIN_S = 15
# A job whose worker died this often is not tried again: it may be what kills them.
MAX_ATTEMPTS = 3
# Waits when the provider is busy and does not say for how long: 2, 4, 8, … up to 60 seconds.
BACKOFF_MAX_S = 60
# How long a job may run at the provider before nobody knows what became of it.
RUN_DEADLINE = timedelta(minutes=30)
# How long we try to store what it made. The shortest-lived links live a day.
FETCH_DEADLINE = timedelta(hours=12)
# A job in doubt is asked about this often, and given up after a day.
DOUBT_INTERVAL = timedelta(minutes=5)
DOUBT_DEADLINE = timedelta(hours=24)


@dataclass(slots=True)
class Due:
    """What a tick found to do. to_send: how many jobs of each lane; to_store: how many results;
    to_prepare: how many start frames to fetch."""

    to_send: dict[Lane, int] = field(default_factory=dict)
    to_ask: set[Lane] = field(default_factory=set)
    to_store: int = 0
    to_prepare: int = 0


def due(*, now: datetime) -> Due:
    """Find what is to be done now. Writes nothing: whoever answers a ring takes the next job."""
    unleased = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    rows = (
        ProviderJob.objects.filter(unleased, next_action_at__lte=now)
        .values("provider", "is_sandbox", "state", has_id=~Q(upstream_id=""))
        .annotate(jobs=Count("pk"))
        .values_list("provider", "is_sandbox", "state", "has_id", "jobs")
    )
    found, is_any_waiting = Due(), False
    for provider, is_sandbox, state, has_id, jobs in rows:
        lane = Lane(provider, is_sandbox)
        if state == State.FETCHING:
            found.to_store += jobs
        elif state == State.RUNNING or (state == State.UNKNOWN and has_id):
            found.to_ask.add(lane)
        else:
            room = switches.room(lane) if state == State.WAITING else jobs
            is_any_waiting |= state == State.WAITING
            if few := min(jobs, room):
                found.to_send[lane] = found.to_send.get(lane, 0) + few
    if is_any_waiting:
        bare = ProviderJob.objects.filter(unleased, claims.UNFETCHED_FRAME, state=State.WAITING)
        found.to_prepare = bare.filter(next_action_at__lte=now).count()
    return found


def order_of(job: ProviderJob, *, frame: bytes = b"") -> Order:
    """What the adapter is asked to make for this job. frame: the start frame, where it is sent."""
    generation = job.generation
    return Order(
        external_id=job.external_id,
        prompt=generation.prompt,
        style=generation.style,
        aspect_ratio=generation.aspect_ratio,
        width=generation.width,
        height=generation.height,
        variant=job.variant,
        duration_s=generation.duration_s,
        has_frame=generation.has_frame,
        frame=frame,
    )


def record(job: ProviderJob, upstream: Upstream, *, adapter: Adapter, now: datetime) -> bool:
    """Write down what the provider said of a job. False when somebody claimed it since."""
    ids: dict[str, Any] = {
        "upstream_id": upstream.upstream_id or job.upstream_id,
        "request_id": upstream.request_id or job.request_id,
        "attempt": 0,
        "error_code": "",
        "is_queued_upstream": adapter.can_cancel and upstream.state is UpstreamState.QUEUED,
    }
    if job.state != State.RUNNING:
        ids["looks"] = 0
    if upstream.state is UpstreamState.SUCCEEDED:
        return claims.advance(
            job,
            state=State.FETCHING,
            next_action_at=now,
            waits=0,
            deadline_at=now + FETCH_DEADLINE,
            result_url=upstream.result_url,
            **ids,
        )
    if job.state != State.RUNNING:
        # From here it is the provider's time, however long it waited for its turn with us.
        ids["deadline_at"] = now + RUN_DEADLINE
    again = now + timedelta(seconds=adapter.poll_interval_s)
    return claims.advance(job, state=State.RUNNING, next_action_at=again, **ids)


def park(job: ProviderJob, *, now: datetime, why: str) -> None:
    """Nobody knows what became of it: the hold stays, and we look from time to time."""
    log.error("job_unknown", job_id=job.pk, generation_id=str(job.generation_id), why=why)
    if claims.advance(
        job,
        state=State.UNKNOWN,
        next_action_at=now + DOUBT_INTERVAL,
        deadline_at=now + DOUBT_DEADLINE,
        raw_message=why[:500],
        attempt=0,
    ):
        show_change(job)


@transaction.atomic(durable=True)
def show_change(job: ProviderJob) -> None:
    """Let open pages draw this job's card anew."""
    generation = Generation.objects.select_for_update(no_key=True).get(pk=job.generation_id)
    generation.revision = feed.bump(workspace_id=generation.workspace_id)
    generation.save(update_fields=["revision"])


def backoff_s(waits: int) -> float:
    """Seconds until the next try after so many waits, a little spread."""
    return float(min(2 ** min(waits + 1, 10), BACKOFF_MAX_S)) * spread()


def spread() -> float:
    """A little more than 1, so that jobs that wait together do not come back together."""
    return random.uniform(1.0, 1.25)  # noqa: S311 - spreads load, keeps no secret
