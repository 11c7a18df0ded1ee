"""What may be ordered and sent now: what is set up, and what the operator switched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from django.db import connection

from creative_hub import catalogue, line, registry
from creative_hub.line import Lane
from creative_hub.models import ProviderSwitch
from creative_hub.providers.base import ErrorClass, ProviderError
from creative_hub.registry import Availability

log = structlog.get_logger(__name__)
Mode = ProviderSwitch.Mode

# Where nobody has said otherwise; see the first rows in the migration.
DEFAULT_SLOTS = 3
# A closed provider's jobs are not sent but given up: all of them, at once.
EVERY_JOB = 1_000_000
# What only an operator can mend.
_OPERATORS = frozenset({ErrorClass.AUTH, ErrorClass.PROVIDER_CREDIT, ErrorClass.MODEL_GONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """mode: one of ProviderSwitch.Mode; slots: jobs at the provider at the same time."""

    mode: str = Mode.OPEN
    slots: int = DEFAULT_SLOTS


def switch(*, provider: str) -> Switch:
    """How the operator set a provider."""
    table = ProviderSwitch._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT mode, slots FROM {table} WHERE provider = %s", [provider])  # noqa: S608
        found = cursor.fetchone()
    return Switch(mode=found[0], slots=found[1]) if found else Switch()


def room(lane: Lane) -> int:
    """How many jobs of a lane may be taken out of the line now."""
    found = switch(provider=lane.provider)
    if found.mode == Mode.CLOSED:
        return EVERY_JOB
    return max(0, found.slots - line.upstream(lane))


def availability(*, provider: str) -> Availability:
    """Whether a provider can be ordered from now, and why not."""
    return _switched(provider, switch(provider=provider).mode)


def without_price(served: Availability, *, provider: str) -> Availability:
    """The same for a provider that the price list does not know today."""
    label = catalogue.provider_label(provider)
    return replace(
        served,
        is_available=False,
        reason=f"{label} has no price here yet. Ask your administrator.",
        hint=f"Add a price for {provider} to the price list.",
    )


def video_availability() -> dict[str, Availability]:
    """The same for every provider of clips, in one query."""
    modes = dict(ProviderSwitch.objects.values_list("provider", "mode"))
    return {
        one.value: _switched(one.value, modes.get(one.value, Mode.OPEN))
        for one in catalogue.VIDEO.providers
    }


def report(*, provider: str, error: ProviderError, now: datetime) -> None:
    """Keep an error that only an operator can mend where the admin shows it."""
    if error.error_class not in _OPERATORS:
        return
    log.error(
        "provider_needs_operator",
        provider=provider,
        error_class=str(error.error_class),
        code=error.code,
        mend=registry.remedy(provider=provider, error_class=error.error_class),
    )
    ProviderSwitch.objects.update_or_create(
        provider=provider,
        defaults={
            "problem": str(error.error_class),
            "problem_message": error.message,
            "problem_at": now,
        },
        create_defaults={
            "slots": DEFAULT_SLOTS,
            "problem": str(error.error_class),
            "problem_message": error.message,
            "problem_at": now,
        },
    )


def works(*, provider: str) -> None:
    """The provider took a job: what stood in its way is gone."""
    ProviderSwitch.objects.filter(pk=provider).exclude(problem="").update(
        problem="", problem_message="", problem_at=None
    )


def _switched(provider: str, mode: str) -> Availability:
    served = registry.availability(provider=provider)
    if mode == Mode.OPEN or not served.is_available:
        return served
    label = catalogue.provider_label(provider)
    return replace(
        served,
        is_available=False,
        reason=f"{label} takes no new orders right now. Try again later.",
        hint=f"{label} is switched to {mode} in the administration.",
    )
