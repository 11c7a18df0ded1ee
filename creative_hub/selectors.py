"""Reads of generations, already joined for the page."""

from __future__ import annotations

import statistics
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.core.cache import cache
from django.db import connection
from django.db.models import Q, QuerySet

from creative_hub import catalogue
from creative_hub.models import LIVE, Generation, Status, WorkspaceFeed
from credits import selectors as credit_selectors
from wevion.lib.cursors import newest_first
from workspaces.roles import Permission
from workspaces.selectors import Member

PAGE_SIZE = 24
# A poll answers with at most this many cards; the next one brings the rest.
POLL_CARDS_MAX = 50
# What a page that lost its revision is brought up to date with.
RECENT = timedelta(minutes=10)


def visible_to(member: Member) -> QuerySet[Generation]:
    """The generations this member may see: their own, or the workspace's for owner and admin."""
    if member.may(Permission.SEE_OTHERS):
        return Generation.objects.filter(workspace_id=member.workspace_id)
    return Generation.objects.filter(membership_id=member.membership_id)


def revision(*, workspace_id: uuid.UUID) -> int:
    """The number of the last visible change in the workspace. One indexed read."""
    table = WorkspaceFeed._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT revision FROM {table} WHERE workspace_id = %s",  # noqa: S608
            [workspace_id],
        )
        row = cursor.fetchone()
    return row[0] if row else 0


def in_flight(*, member: Member, kind: str) -> int:
    """How many of the visible generations of a kind are queued or processing."""
    return visible_to(member).filter(kind=kind, status__in=LIVE).count()


def in_line(*, member: Member, kind: str) -> list[Generation]:
    """The visible generations of a kind that have not begun, newest first, a page of them."""
    waiting = visible_to(member).filter(kind=kind, status=Status.QUEUED)
    return list(_joined(waiting).order_by("-created_at", "-id")[:PAGE_SIZE])


class Filter(StrEnum):
    """What the results may be narrowed to."""

    ALL = "all"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    FAILED = "failed"


_FILTERS = {
    Filter.ALL: Q(),
    Filter.IN_PROGRESS: Q(status__in=LIVE),
    Filter.COMPLETED: Q(status=Status.COMPLETED),
    Filter.FAILED: Q(status=Status.FAILED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of generations, newest first. next_cursor: empty on the last one."""

    generations: list[Generation]
    next_cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What happened since a revision. revision: what the page knows once it shows them."""

    revision: int
    generations: list[Generation]


def page(
    *,
    member: Member,
    kind: str,
    narrowed_to: Filter = Filter.ALL,
    cursor: str = "",
    size: int = PAGE_SIZE,
    with_removed: bool = False,
) -> Page:
    """The generations a member sees in a studio, from a cursor on. Raises BadCursor."""
    rows = _joined(visible_to(member)).filter(_FILTERS[narrowed_to], kind=kind)
    if not with_removed:
        rows = rows.filter(removed_at__isnull=True)
    shown, next_cursor = newest_first(rows, cursor=cursor, size=size)
    return Page(generations=shown, next_cursor=next_cursor)


def get_visible(*, member: Member, generation_id: uuid.UUID) -> Generation:
    """One generation with its jobs. Raises Generation.DoesNotExist when it is not theirs to see."""
    return _joined(visible_to(member)).get(pk=generation_id)


def generation_of_asset(*, member: Member, asset_id: uuid.UUID) -> Generation:
    """The generation that made an asset. Raises Generation.DoesNotExist."""
    return _joined(visible_to(member)).get(jobs__asset_id=asset_id)


def changes(*, member: Member, kind: str, since: int | None, now: datetime) -> Changes | None:
    """What changed in the member's view since a revision; None when nothing did anywhere.

    since: the last revision the page knows. None or one from the future (a restored database):
    everything live and everything of the last ten minutes.
    """
    current = revision(workspace_id=member.workspace_id)
    if since == current:
        return None
    mine = _joined(visible_to(member)).filter(kind=kind)
    if since is None or since > current:
        recent = mine.filter(Q(status__in=LIVE) | Q(completed_at__gte=now - RECENT))
    else:
        recent = mine.filter(
            workspace_id=member.workspace_id, revision__gt=since, revision__lte=current
        )
    # Oldest first, so that an answer that is cut is followed by the rest and misses none.
    found = list(recent.order_by("revision")[:POLL_CARDS_MAX])
    is_cut = len(found) == POLL_CARDS_MAX
    return Changes(revision=found[-1].revision if is_cut else current, generations=found)


class Sort(NamedTuple):
    """What decides how long a job takes. duration_s: of a clip, None for pictures."""

    provider: str
    resolution: str
    duration_s: int | None
    is_sandbox: bool


def sort_of(generation: Generation) -> Sort:
    return Sort(
        generation.provider,
        generation.resolution,
        generation.duration_s,
        generation.is_sandbox,
    )


def expected_s(sort: Sort) -> int:
    """How long a job of this sort usually takes, in seconds, from its turn to its result."""
    usual = _usual_s(sort)
    if usual is not None:
        return usual
    if sort.duration_s is None:
        return catalogue.IMAGE.usual_s
    return catalogue.VIDEO.provider(sort.provider).usual_s


def _usual_s(sort: Sort) -> int | None:
    """The median time in seconds of the last 50 completed jobs like this; None before the first.

    Kept for a minute: it is shown on every card and moves slowly.
    """
    provider, resolution, duration_s, is_sandbox = sort
    if resolution not in catalogue.RESOLUTIONS:
        return None
    key = f"usual:{provider}:{resolution}:{duration_s}:{is_sandbox}"
    known = cache.get(key)
    if known is None:
        length = Q(duration_s=duration_s) if duration_s else Q(duration_s__isnull=True)
        rows = (
            Generation.objects.filter(
                length,
                provider=provider,
                resolution=resolution,
                is_sandbox=is_sandbox,
                status=Status.COMPLETED,
            )
            .order_by("-completed_at")
            .values_list("started_at", "completed_at")[:50]
        )
        times = [(end - start).total_seconds() for start, end in rows if start and end]
        known = round(statistics.median(times)) if times else 0
        cache.set(key, known, timeout=60)
    return known or None


def balance(*, workspace_id: uuid.UUID) -> credit_selectors.Balance:
    """What the credit meter shows."""
    return credit_selectors.balance(workspace_id=workspace_id)


def asset_ids(generations: Sequence[Generation]) -> list[uuid.UUID]:
    """The assets of these generations, of their prefetched jobs."""
    return [job.asset_id for one in generations for job in one.jobs.all() if job.asset_id]


def _joined(rows: QuerySet[Generation]) -> QuerySet[Generation]:
    return rows.select_related("membership__user").prefetch_related("jobs")
