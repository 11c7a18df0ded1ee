"""Reads of the ledger, as plain values."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from credits import errors, months
from credits.models import Account, Price
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

    @property
    def cap_left(self) -> int | None:
        """What the tighter of the two caps still allows this month; None without a cap."""
        left = [
            max(0, cap - used)
            for cap, used in (
                (self.workspace_cap, self.workspace_used),
                (self.member_cap, self.member_used),
            )
            if cap is not None
        ]
        return min(left, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceInForce:
    """One row of the price list: whole credits for one unit ("image" or "second")."""

    id: int
    item: str
    unit: str
    credits: int


def balance(*, workspace_id: uuid.UUID) -> Balance:
    """The balance of a workspace; 0 and 0 for one that has no account yet."""
    row = Account.objects.filter(pk=workspace_id).values_list("available", "held").first()
    available, held = row or (0, 0)
    return Balance(available=available, held=held)


_STANDING = """
    SELECT a.available, a.held, a.monthly_cap, coalesce(w.used, 0), coalesce(m.used, 0),
           l.monthly_cap
    FROM credits_account a
    LEFT JOIN credits_workspacemonth w ON w.account_id = a.workspace_id AND w.month = %(month)s
    LEFT JOIN credits_membermonth m ON m.membership_id = %(member)s AND m.month = %(month)s
    LEFT JOIN credits_memberallowance l ON l.membership_id = %(member)s
    WHERE a.workspace_id = %(account)s
"""


def standing(*, member: Member, now: datetime) -> Standing:
    """The balance and the caps that bind this member now. One query."""
    month = months.month_of(moment=now, timezone=member.timezone)
    with connection.cursor() as cursor:
        cursor.execute(
            _STANDING,
            {"account": member.workspace_id, "member": member.membership_id, "month": month},
        )
        row = cursor.fetchone() or (0, 0, None, 0, 0, None)
    available, held, workspace_cap, workspace_used, member_used, member_cap = row
    return Standing(
        available=available,
        held=held,
        workspace_cap=workspace_cap,
        workspace_used=workspace_used,
        member_cap=member_cap,
        member_used=member_used,
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


def prices_in_force(*, items: Sequence[str], on: date) -> dict[str, PriceInForce]:
    """The rows in force of several items, by item, in one query; unpriced ones are left out."""
    rows = (
        Price.objects.filter(item__in=items, effective_from__lte=on)
        .order_by("item", "-effective_from")
        .distinct("item")
    )
    return {
        row.item: PriceInForce(id=row.pk, item=row.item, unit=row.unit, credits=row.credits)
        for row in rows
    }


_PRICE = """
    SELECT id, unit, list_price_usd FROM credits_price
    WHERE item = %s AND effective_from <= %s
    ORDER BY effective_from DESC LIMIT 1
"""


def price_in_force(*, item: str, on: date) -> PriceInForce:
    """The price list's row for an item on a day. Raises Price.DoesNotExist."""
    with connection.cursor() as cursor:
        cursor.execute(_PRICE, [item, on])
        found = cursor.fetchone()
    if found is None:
        raise Price.DoesNotExist(f"{item} has no price on {on}.")
    price_id, unit, list_price_usd = found
    return PriceInForce(
        id=price_id, item=item, unit=unit, credits=Price(list_price_usd=list_price_usd).credits
    )
