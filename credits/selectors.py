"""Reads of the ledger, as plain values."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from credits import errors, months
from credits.models import Account, Hold, MemberAllowance, MemberMonth, Price, WorkspaceMonth
from workspaces.selectors import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a workspace can spend and what its running jobs hold, in whole credits."""

    available: int
    held: int

    @property
    def total(self) -> int:
        return self.available + self.held

    @property
    def is_low(self) -> bool:
        """Under 15 % of what there is can be spent, or nothing is left at all."""
        return self.available * 100 < self.total * 15 or self.available == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything that decides whether a member may spend, in whole credits. None: no cap."""

    available: int
    held: int
    workspace_cap: int | None
    workspace_used: int
    member_cap: int | None
    member_used: int
    month: date
    resets_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceInForce:
    """One row of the price list: whole credits for one unit ("image" or "second")."""

    id: int
    item: str
    unit: str
    credits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldState:
    """What became of the credits set aside for one job. charged: None while open."""

    amount: int
    charged: int | None
    is_open: bool


def balance(*, workspace_id: uuid.UUID) -> Balance:
    """The balance of a workspace; 0 and 0 for one that has no account yet."""
    row = Account.objects.filter(pk=workspace_id).values_list("available", "held").first()
    available, held = row or (0, 0)
    return Balance(available=available, held=held)


def standing(*, member: Member, now: datetime) -> Standing:
    """The balance and the caps that bind this member now. One query."""
    month = months.month_of(moment=now, timezone=member.timezone)
    of_month = WorkspaceMonth.objects.filter(account=OuterRef("pk"), month=month)
    of_member = MemberMonth.objects.filter(membership_id=member.membership_id, month=month)
    allowance = MemberAllowance.objects.filter(membership_id=member.membership_id)
    found = (
        Account.objects.filter(pk=member.workspace_id)
        .annotate(
            workspace_used=Subquery(of_month.values("used")),
            member_used=Subquery(of_member.values("used")),
            member_cap=Subquery(allowance.values("monthly_cap")),
        )
        .values("available", "held", "monthly_cap", "workspace_used", "member_used", "member_cap")
        .first()
    )
    row: dict[str, Any] = dict(found or {})
    return Standing(
        available=row.get("available", 0),
        held=row.get("held", 0),
        workspace_cap=row.get("monthly_cap"),
        workspace_used=row.get("workspace_used") or 0,
        member_cap=row.get("member_cap"),
        member_used=row.get("member_used") or 0,
        month=month,
        resets_at=months.month_end(month=month, timezone=member.timezone),
    )


def refusal(*, standing: Standing, amount: int) -> errors.CreditsRefused | None:
    """Why this amount may not be held, or None. Balance first, then workspace, then member."""

    def figures(cap: int | None, used: int | None) -> errors.Figures:
        return errors.Figures(
            required=amount,
            available=standing.available,
            held=standing.held,
            cap=cap,
            used=used,
            resets_at=standing.resets_at if cap is not None else None,
        )

    if amount > standing.available:
        return errors.InsufficientCredits(figures(None, None))
    cap, used = standing.workspace_cap, standing.workspace_used
    if cap is not None and used + amount > cap:
        return errors.MonthlyCapExceeded(figures(cap, used))
    cap, used = standing.member_cap, standing.member_used
    if cap is not None and used + amount > cap:
        return errors.MemberCapExceeded(figures(cap, used))
    return None


def price_in_force(*, item: str, on: date) -> PriceInForce:
    """The price list's row for an item on a day. Raises Price.DoesNotExist."""
    row = Price.objects.filter(item=item, effective_from__lte=on).latest("effective_from")
    return PriceInForce(id=row.pk, item=row.item, unit=row.unit, credits=row.credits)


def holds(*, references: list[str]) -> dict[str, HoldState]:
    """What became of these holds, by reference."""
    return {
        row.reference: HoldState(
            amount=row.amount, charged=row.charged, is_open=row.state == Hold.State.OPEN
        )
        for row in Hold.objects.filter(reference__in=references)
    }
