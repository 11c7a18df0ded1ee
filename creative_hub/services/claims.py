"""Who works on a job: leases and fence tokens over the ProviderJob rows.

A claim is committed before anything is done for it. Whoever holds it writes with `advance`, which
changes nothing once somebody else has claimed the job since: that is the fence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from creative_hub import line
from creative_hub.line import Lane
from creative_hub.models import ProviderJob

State = ProviderJob.State
# A start frame that is still an address.
UNFETCHED_FRAME = Q(generation__start_frame__isnull=True) & ~Q(generation__start_frame_url="")
# How many of the next in line are tried before a claim gives up: others may hold their rows.
_CANDIDATES = 8
# How many questions to one provider may be under way at once.
_QUESTIONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job as its claimer holds it.

    came_from: the state in which it was found; was_due_by: its deadline then.
    """

    job: ProviderJob
    came_from: str
    was_due_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many jobs may be somewhere at once. upstream: at the provider, in one lane; sending: in
    the middle of being sent, by all workers, in all lanes and in one lane."""

    upstream: int
    sending: int
    sending_in_lane: int


@transaction.atomic(durable=True)
def claim_sending(
    lane: Lane, *, room: Room, lease_s: float, try_for: timedelta, now: datetime
) -> Claim | None:
    """Take the next job of a lane that is to be sent, or whose sending is to be found out about.

    try_for: a job whose turn has come for the first time is tried for this long, from now.
    What may be at the provider already comes first, needs no place there, and keeps its state if
    that is `unknown`. Counts the try in `attempt`. None: nothing is due, or there is no room.
    """
    _one_at_a_time("sending")
    in_doubt = Q(state=State.SUBMITTING) | Q(state=State.UNKNOWN, upstream_id="")
    working = ProviderJob.objects.filter(in_doubt, lease_until__gt=now)
    if working.count() >= room.sending:
        return None
    if working.filter(**lane._asdict()).count() >= room.sending_in_lane:
        return None
    mine = _free(now).filter(**lane._asdict())
    job = mine.filter(in_doubt, next_action_at__lte=now).order_by("next_action_at").first()
    if job is None and line.upstream(lane) < room.upstream:
        waiting = mine.filter(state=State.WAITING)
        turns = line.first(lane, limit=_CANDIDATES, now=now)
        job = next((one for one in (waiting.filter(pk=pk).first() for pk in turns) if one), None)
    if job is None:
        return None
    came_from, was_due_by = job.state, job.deadline_at
    if came_from == State.WAITING:
        job.state = State.SUBMITTING
        if not job.waits:
            job.deadline_at = now + try_for
    _lease(job, lease_s=lease_s, now=now)
    return Claim(job=job, came_from=came_from, was_due_by=was_due_by)


@transaction.atomic(durable=True)
def claim_preparing(*, slots: int, lease_s: float, now: datetime) -> ProviderJob | None:
    """Take the oldest waiting job whose start frame is still an address, one of a member at a time.

    slots: how many may be prepared at once, by all workers. It keeps standing outside the line, so
    that a slow host of pictures holds no place of a provider's. None: nothing is due, or no room.
    """
    _one_at_a_time("preparing")
    bare = ProviderJob.objects.filter(UNFETCHED_FRAME, state=State.WAITING)
    busy = set(bare.filter(lease_until__gt=now).values_list("generation__membership_id", flat=True))
    if len(busy) >= slots:
        return None
    due = _free(now).filter(UNFETCHED_FRAME, state=State.WAITING, next_action_at__lte=now)
    job = due.exclude(generation__membership_id__in=busy).order_by("next_action_at").first()
    if job is not None:
        _lease(job, lease_s=lease_s, now=now)
    return job


@transaction.atomic(durable=True)
def claim_storing(
    *, slots: int, lease_s: Callable[[ProviderJob], float], now: datetime
) -> ProviderJob | None:
    """Take the finished result that waits longest to be stored.

    slots: how many may be stored at once, by all workers. None: nothing is due, or all are taken.
    """
    _one_at_a_time("storing")
    storing = ProviderJob.objects.filter(state=State.FETCHING)
    if storing.filter(lease_until__gt=now).count() >= slots:
        return None
    due = _free(now).filter(state=State.FETCHING, next_action_at__lte=now)
    job = due.order_by("next_action_at").first()
    if job is not None:
        _lease(job, lease_s=lease_s(job), now=now)
    return job


def claim_asking(
    lane: Lane, *, limit: int, lease_s: float, ahead_s: float, now: datetime
) -> list[ProviderJob]:
    """Take every job of a lane that is due to be asked about, oldest first, up to limit.

    ahead_s: jobs due within this time come along, so that one question serves them together. A lane
    that already has two questions under way is asked nothing more: a silent provider must not take
    every worker.
    """
    asked = ProviderJob.objects.filter(**lane._asdict(), state=State.RUNNING, lease_until__gt=now)
    if asked.values("lease_until").distinct().count() >= _QUESTIONS:
        return []
    until = now + timedelta(seconds=lease_s)
    table = ProviderJob._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {table} SET fence = fence + 1, attempt = attempt + 1,
                               lease_until = %(until)s, next_action_at = %(until)s
            WHERE id IN (
                SELECT id FROM {table}
                WHERE provider = %(provider)s AND is_sandbox = %(is_sandbox)s
                  AND (state = 'running' OR state = 'unknown' AND upstream_id <> '')
                  AND (lease_until IS NULL OR lease_until <= %(now)s)
                  AND next_action_at <= %(ahead)s
                ORDER BY next_action_at LIMIT %(limit)s
                FOR NO KEY UPDATE SKIP LOCKED)
            RETURNING id
            """,  # noqa: S608 - the table's own name
            {
                **lane._asdict(),
                "until": until,
                "now": now,
                "ahead": now + timedelta(seconds=ahead_s),
                "limit": limit,
            },
        )
        ids = [job_id for (job_id,) in cursor.fetchall()]
    return list(ProviderJob.objects.filter(pk__in=ids).select_related("generation").order_by("pk"))


def advance(
    job: ProviderJob, *, state: str, next_action_at: datetime | None, **values: Any
) -> bool:
    """Move a claimed job on and give the lease back. False when somebody claimed it since."""
    return _write(job, state=state, next_action_at=next_action_at, lease_until=None, **values)


def note(job: ProviderJob, **values: Any) -> bool:
    """Write something down on a claimed job and keep it. False when somebody claimed it since."""
    for name, value in values.items():
        setattr(job, name, value)
    return _write(job, **values)


def ask_again(jobs: Sequence[tuple[ProviderJob, datetime]]) -> None:
    """Give the leases of many jobs back, each with the time of its next question."""
    if not jobs:
        return
    table = ProviderJob._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {table} j SET next_action_at = t.again, lease_until = NULL, attempt = 0
            FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[]) AS t(id, fence, again)
            WHERE j.id = t.id AND j.fence = t.fence AND j.state IN ('running', 'unknown')
            """,  # noqa: S608 - the table's own name
            [
                [job.pk for job, _ in jobs],
                [job.fence for job, _ in jobs],
                [again for _, again in jobs],
            ],
        )


def _write(job: ProviderJob, **values: Any) -> bool:
    held = ProviderJob.objects.filter(pk=job.pk, fence=job.fence)
    return bool(held.exclude(state__in=ProviderJob.TERMINAL).update(**values))


def _free(now: datetime) -> QuerySet[ProviderJob]:
    unleased = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    return (
        ProviderJob.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        .select_related("generation")
        .filter(unleased)
    )


def _one_at_a_time(what: str) -> None:
    """Let one claim count and take at a time, until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"claim:{what}"])


def _lease(job: ProviderJob, *, lease_s: float, now: datetime) -> None:
    job.fence += 1
    job.attempt += 1
    # Due again the moment the lease runs out: a dead worker's job needs nobody to notice.
    job.lease_until = job.next_action_at = now + timedelta(seconds=lease_s)
    job.save(
        update_fields=["fence", "state", "attempt", "lease_until", "next_action_at", "deadline_at"]
    )
