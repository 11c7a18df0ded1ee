"""The line before a provider: who is next, and who stands where.

Members take turns: each one's jobs at the provider and in the line before it count against the
next, so that nobody who orders fifty holds up somebody who orders one. A job whose start frame is
still to be fetched does not stand in it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from creative_hub.models import Generation, ProviderJob


class Lane(NamedTuple):
    """One provider as it is served: by itself, or by the sandbox."""

    provider: str
    is_sandbox: bool


_JOBS, _GENERATIONS = ProviderJob._meta.db_table, Generation._meta.db_table
_IN_ORDER = f"""
    SELECT id, generation_id,
           row_number() OVER (ORDER BY coalesce(busy.jobs, 0) + mine.turn, mine.id) AS place
    FROM (SELECT j.id, j.generation_id, g.membership_id,
                 row_number() OVER (PARTITION BY g.membership_id ORDER BY j.id) AS turn
          FROM {_JOBS} j JOIN {_GENERATIONS} g ON g.id = j.generation_id
          WHERE j.provider = %(provider)s AND j.is_sandbox = %(is_sandbox)s
            AND j.state = 'waiting' AND j.next_action_at <= %(now)s
            AND (g.start_frame_url = '' OR g.start_frame_id IS NOT NULL)) mine
    LEFT JOIN (SELECT g.membership_id, count(*) AS jobs
               FROM {_JOBS} j JOIN {_GENERATIONS} g ON g.id = j.generation_id
               WHERE j.provider = %(provider)s AND j.is_sandbox = %(is_sandbox)s
                 AND j.state IN ('submitting', 'running')
               GROUP BY 1) busy USING (membership_id)
    ORDER BY place
"""  # noqa: S608 - the tables' own names


def first(lane: Lane, *, limit: int, now: datetime) -> list[int]:
    """The ids of the jobs whose turn it is, in order."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_IN_ORDER} LIMIT {limit:d}", {**lane._asdict(), "now": now})
        return [job_id for job_id, _, _ in cursor.fetchall()]


def places(
    lane: Lane, *, generation_ids: Iterable[uuid.UUID], now: datetime
) -> dict[uuid.UUID, int]:
    """The place of the first waiting job of each of these generations that has one, from 1."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT generation_id, min(place) FROM ({_IN_ORDER}) line"  # noqa: S608
            " WHERE generation_id = ANY(%(shown)s) GROUP BY 1",
            {**lane._asdict(), "now": now, "shown": list(generation_ids)},
        )
        return dict(cursor.fetchall())


def upstream(lane: Lane) -> int:
    """How many of the provider's places are taken."""
    return ProviderJob.objects.filter(**lane._asdict(), state__in=ProviderJob.UPSTREAM).count()
