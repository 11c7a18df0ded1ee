"""Calendar months in a workspace's own time zone."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo


def month_of(*, moment: datetime, timezone: str) -> date:
    """The first day of the calendar month that holds this moment there."""
    return moment.astimezone(ZoneInfo(timezone)).date().replace(day=1)


def month_end(*, month: date, timezone: str) -> datetime:
    """The first moment after the month, aware, in that time zone."""
    year, number = (month.year + 1, 1) if month.month == 12 else (month.year, month.month + 1)
    return datetime(year, number, 1, tzinfo=ZoneInfo(timezone))
