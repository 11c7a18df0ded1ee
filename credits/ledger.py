"""The ledger as people read it: every movement of a workspace's credits, newest first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from credits.models import Entry, Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One line, in whole credits.

    amount: signed; a hold sets aside (-), a release gives back (+), a charge takes out of the hold.
    balance_after: available + held, for the lines that change it; else None.
    """

    at: datetime
    what: str
    amount: int
    balance_after: int | None
    who: str
    reference: str
    note: str = ""


def movements(*, workspace_id: uuid.UUID, limit: int = 100) -> list[Movement]:
    """The last movements: top-ups, adjustments, holds, and what each hold became."""
    holds = (
        Hold.objects.filter(account_id=workspace_id)
        .select_related("membership__user")
        .order_by("-created_at")[:limit]
    )
    entries = (
        Entry.objects.filter(account_id=workspace_id)
        .select_related("membership__user", "actor")
        .order_by("-id")[:limit]
    )
    lines = [line for hold in holds for line in _of_hold(hold)]
    lines += [_of_entry(entry) for entry in entries]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:limit]


def _of_hold(hold: Hold) -> list[Movement]:
    who = hold.membership.user.email
    held = Movement(
        at=hold.created_at,
        what="Hold",
        amount=-hold.amount,
        balance_after=None,
        who=who,
        reference=hold.reference,
    )
    given_back = hold.amount - (hold.charged or 0)
    if hold.resolved_at is None or not given_back:
        return [held]
    released = Movement(
        at=hold.resolved_at,
        what="Release",
        amount=given_back,
        balance_after=None,
        who=who,
        reference=hold.reference,
    )
    return [released, held]


def _of_entry(entry: Entry) -> Movement:
    person = entry.membership.user if entry.membership else entry.actor
    return Movement(
        at=entry.created_at,
        what=entry.get_kind_display(),
        amount=entry.amount,
        balance_after=entry.balance_after,
        who=person.email if person else "",
        reference=entry.reference,
        note=entry.note,
    )
