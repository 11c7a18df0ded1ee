"""Pages of rows, newest first, that stay fast and whole however much is added meanwhile."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)


class BadCursor(ValueError):
    """The cursor is not one that we gave."""


def newest_first(rows: QuerySet[Row], *, cursor: str, size: int) -> tuple[list[Row], str]:
    """The next rows from a cursor on, and the cursor after them; empty on the last page.

    The model has `created_at` and a UUID key. One read of size + 1 rows, of an index that ends on
    `-created_at, -id`. Raises BadCursor.
    """
    if cursor:
        created_at, last_id = _parsed(cursor)
        # The first condition says nothing new: it is what the index can start from.
        rows = rows.filter(created_at__lte=created_at).filter(
            Q(created_at__lt=created_at) | Q(pk__lt=last_id)
        )
    found = list(rows.order_by("-created_at", "-id")[: size + 1])
    shown = found[:size]
    return shown, _after(shown[-1]) if len(found) > size else ""


def _after(last: Model) -> str:
    created_at: datetime = last.created_at  # type: ignore[attr-defined]
    return f"{created_at.isoformat()}_{last.pk.hex}"


def _parsed(cursor: str) -> tuple[datetime, uuid.UUID]:
    moment, _, last_id = cursor.partition("_")
    try:
        created_at, pk = datetime.fromisoformat(moment), uuid.UUID(last_id)
    except ValueError:
        raise BadCursor(cursor) from None
    # As we write them: another offset can name a moment before the first one PostgreSQL knows.
    if created_at.utcoffset() != timedelta(0):
        raise BadCursor(cursor)
    return created_at, pk
