"""What an order costs, and whether it would be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from creative_hub import catalogue
from creative_hub.services import switches
from creative_hub.services.orders import Sale
from credits import selectors as credit_selectors
from credits.errors import CreditsRefused
from workspaces.selectors import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheaper:
    """A clip that would not be refused."""

    provider: str
    duration_s: int
    credits: int

    @property
    def label(self) -> str:
        return catalogue.provider_label(self.provider)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an order costs now, in whole credits, and whether it would be refused.

    price_credits: of one unit, a picture or a second; unit_credits: of one variant. affordable: how
    many variants would not be refused, when this many would. cheaper: the cheapest clip that would
    not be, when this one would.
    """

    credits: int
    unit_credits: int
    price_credits: int
    quantity: int
    num_variants: int
    available: int
    held: int
    refusal: CreditsRefused | None
    affordable: int
    cheaper: Cheaper | None = None
    # What the tightest cap of this month still allows; None without a cap.
    cap_left: int | None = None

    @property
    def affordable_credits(self) -> int:
        return self.unit_credits * self.affordable

    @property
    def cost_cents(self) -> int:
        return cost_cents(self.credits)

    @property
    def available_after(self) -> int:
        return self.available - self.credits

    @property
    def cap_after(self) -> int | None:
        """What is left of the tightest cap afterwards, where that is less than the balance."""
        if self.cap_left is None or self.cap_left >= self.available:
            return None
        return self.cap_left - self.credits


def cost_cents(credits: int) -> int:
    """US cents a number of credits stands for, rounded up (1 credit = $0.001)."""
    return -(-credits // 10)


def quote(*, member: Member, sale: Sale, now: datetime) -> Quote:
    """Say what an order would cost and whether it would be refused. Changes nothing."""
    in_force = price(sale.item, now)
    unit_credits = in_force.credits * sale.quantity
    standing = credit_selectors.standing(member=member, now=now)

    def refusal(amount: int) -> CreditsRefused | None:
        return credit_selectors.refusal(standing=standing, amount=amount)

    refused = refusal(unit_credits * sale.num_variants)
    fewer = range(sale.num_variants, 0, -1)
    return Quote(
        credits=unit_credits * sale.num_variants,
        unit_credits=unit_credits,
        price_credits=in_force.credits,
        quantity=sale.quantity,
        num_variants=sale.num_variants,
        available=standing.available,
        held=standing.held,
        refusal=refused,
        affordable=next((n for n in fewer if refusal(unit_credits * n) is None), 0),
        cap_left=standing.cap_left,
        cheaper=_cheapest_clip(refusal, now) if refused and in_force.unit == "second" else None,
    )


def video_prices(*, now: datetime) -> dict[str, int]:
    """Credits per second by line of the price list; a provider without a price is left out."""
    items = [one.price_item for one in catalogue.VIDEO.providers]
    in_force = credit_selectors.prices_in_force(items=items, on=_price_day(now))
    return {item: price.credits for item, price in in_force.items()}


def _cheapest_clip(
    refusal: Callable[[int], CreditsRefused | None], now: datetime
) -> Cheaper | None:
    prices, served = video_prices(now=now), switches.video_availability()
    clips = [
        Cheaper(
            provider=one.value,
            duration_s=min(one.durations_s),
            credits=min(one.durations_s) * prices[one.price_item],
        )
        for one in catalogue.VIDEO.providers
        if served[one.value].is_available and one.price_item in prices
    ]
    fitting = [one for one in clips if refusal(one.credits) is None]
    return min(fitting, key=lambda one: one.credits, default=None)


def price(item: str, now: datetime) -> credit_selectors.PriceInForce:
    """The price list's row for an item now. Raises Price.DoesNotExist."""
    return credit_selectors.price_in_force(item=item, on=_price_day(now))


def _price_day(now: datetime) -> date:
    """Days of the price list begin at midnight UTC for everybody."""
    return now.astimezone(UTC).date()
