"""The web side of a generation: quote, submit, cancel, take off the page."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from creative_hub import catalogue, registry, wording
from creative_hub.models import LIVE, Generation, ProviderJob, Status
from creative_hub.services import feed
from credits import selectors as credit_selectors
from credits import services as credit_services
from credits.errors import CreditsRefused
from wevion.lib.rows import insert
from workspaces.selectors import Member

__all__ = [
    "CreditsRefused",
    "ImageRequest",
    "NotCancellable",
    "ProviderUnavailable",
    "Quote",
    "SubmissionInProgress",
    "SubmissionKeyReused",
    "cancel",
    "cost_cents",
    "quote",
    "set_removed",
    "submit",
]

# How long a job may wait to be sent before it is given up.
DEADLINE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """A validated order of pictures, in the words of the API."""

    prompt: str
    style: str = catalogue.IMAGE.default_style
    aspect_ratio: str = catalogue.IMAGE.default_ratio
    resolution: str = catalogue.IMAGE.default_resolution
    num_variants: int = catalogue.IMAGE.default_variants

    @property
    def digest(self) -> str:
        """The same for the same order: tells a repeated request from a changed one."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an order costs now, in whole credits, and whether it would be refused.

    affordable: how many variants would not be refused, when this many would.
    """

    credits: int
    unit_credits: int
    num_variants: int
    available: int
    held: int
    refusal: CreditsRefused | None
    affordable: int

    @property
    def affordable_credits(self) -> int:
        return self.unit_credits * self.affordable

    @property
    def cost_cents(self) -> int:
        return cost_cents(self.credits)

    @property
    def available_after(self) -> int:
        return self.available - self.credits


KEY_MAX_CHARS = 200


def is_usable_key(key: str) -> bool:
    """Whether a submission key can be stored and compared: printable, 1 to KEY_MAX_CHARS."""
    return 0 < len(key) <= KEY_MAX_CHARS and key.isprintable()


class SubmissionKeyReused(Exception):
    """The key belongs to an order with other settings; nothing was ordered."""


class SubmissionInProgress(Exception):
    """The first request with this key is still running; nothing was ordered by this one."""


class ProviderUnavailable(Exception):
    """Nobody serves this studio now; nothing was ordered. Its text is for people."""


class NotCancellable(Exception):
    """It has started, or it ended before; nothing was changed."""


def cost_cents(credits: int) -> int:
    """US cents a number of credits stands for, rounded up (1 credit = $0.001)."""
    return -(-credits // 10)


def quote(*, member: Member, num_variants: int, now: datetime) -> Quote:
    """Say what an image order would cost and whether it would be refused. Changes nothing."""
    price = _price(now)
    standing = credit_selectors.standing(member=member, now=now)

    def refusal(variants: int) -> CreditsRefused | None:
        return credit_selectors.refusal(standing=standing, amount=price.credits * variants)

    return Quote(
        credits=price.credits * num_variants,
        unit_credits=price.credits,
        num_variants=num_variants,
        available=standing.available,
        held=standing.held,
        refusal=refusal(num_variants),
        affordable=next((n for n in range(num_variants, 0, -1) if refusal(n) is None), 0),
    )


@transaction.atomic(durable=True)
def submit(
    *,
    member: Member,
    request: ImageRequest,
    submission_key: str,
    now: datetime,
    may_wait: bool = True,
) -> Generation:
    """Hold the credits and queue the job, in one transaction; publish nothing.

    The same key with the same order returns the first generation and holds nothing more. may_wait:
    wait for a request with the same key that is still running, instead of SubmissionInProgress.
    Raises CreditsRefused, SubmissionKeyReused, ProviderUnavailable.
    """
    _take_turn(key=f"{member.membership_id}:{submission_key}", may_wait=may_wait)
    if first := _ordered_before(membership_id=member.membership_id, submission_key=submission_key):
        if first.request_digest != request.digest:
            raise SubmissionKeyReused
        return first
    served = registry.availability(provider=catalogue.IMAGE.provider)
    if not served.is_available:
        raise ProviderUnavailable(served.reason)
    price = _price(now)
    width, height = catalogue.IMAGE.size(
        aspect_ratio=request.aspect_ratio, resolution=request.resolution
    )
    generation = Generation(
        workspace_id=member.workspace_id,
        membership_id=member.membership_id,
        kind=catalogue.Kind.IMAGE,
        provider=catalogue.IMAGE.provider,
        is_sandbox=served.is_sandbox,
        **asdict(request),
        width=width,
        height=height,
        price_id=price.id,
        unit_credits=price.credits,
        credits_estimated=price.credits * request.num_variants,
        submission_key=submission_key,
        request_digest=request.digest,
        created_at=now,
    )
    credit_services.hold(
        member=member,
        amount=generation.credits_estimated,
        reference=generation.hold_reference,
        now=now,
    )
    generation.revision = feed.bump(workspace_id=member.workspace_id)
    insert([generation])
    insert(_jobs(generation, now))
    return generation


@transaction.atomic(durable=True)
def cancel(*, generation_id: uuid.UUID, visible: QuerySet[Generation], now: datetime) -> Generation:
    """Stop a job that no provider has yet; its hold is released. Repeating it is a no-op.

    visible: the generations the caller may touch. Raises Generation.DoesNotExist, NotCancellable.
    """
    generation = visible.only("workspace_id").get(pk=generation_id)
    credit_services.lock(workspace_id=generation.workspace_id)
    generation = Generation.objects.select_for_update(no_key=True).get(pk=generation_id)
    if generation.is_cancelled:
        return generation
    if generation.status not in LIVE:
        raise NotCancellable
    # Waiting is the one state in which the provider certainly has nothing: a job that was claimed
    # a moment ago may already be there, and is billed.
    # With an attempt behind it, it waits after a send whose outcome nobody knows.
    waiting = generation.jobs.filter(state=ProviderJob.State.WAITING, attempt=0)
    stopped = waiting.update(
        state=ProviderJob.State.FAILED, next_action_at=None, error_code=wording.CANCELLED
    )
    if stopped != generation.num_variants:
        raise NotCancellable
    credit_services.release(reference=generation.hold_reference, now=now)
    generation.status = Status.FAILED
    generation.error_code = wording.CANCELLED
    generation.error_message = wording.failure(wording.CANCELLED)
    generation.credits_charged = 0
    generation.completed_at = now
    generation.revision = feed.bump(workspace_id=generation.workspace_id)
    generation.save(
        update_fields=[
            "status",
            "error_code",
            "error_message",
            "credits_charged",
            "completed_at",
            "revision",
        ]
    )
    return generation


@transaction.atomic(durable=True)
def set_removed(
    *,
    generation_id: uuid.UUID,
    membership_id: int,
    visible: QuerySet[Generation],
    removed_at: datetime | None,
) -> Generation:
    """Take an ended card of one's own off the page, or put it back (None). Receipt and files stay.

    Raises Generation.DoesNotExist, also for somebody else's and for one that is still under way.
    """
    ended = visible.filter(membership_id=membership_id).exclude(status__in=LIVE)
    generation = ended.select_for_update(no_key=True, of=("self",)).get(pk=generation_id)
    generation.removed_at = removed_at
    generation.revision = feed.bump(workspace_id=generation.workspace_id)
    generation.save(update_fields=["removed_at", "revision"])
    return generation


def _take_turn(*, key: str, may_wait: bool) -> None:
    """Let one request with this key through at a time, until commit."""
    lock = "pg_advisory_xact_lock" if may_wait else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(hashtextextended(%s, 0))", [key])
        if cursor.fetchone()[0] is False:
            raise SubmissionInProgress


def _ordered_before(*, membership_id: int, submission_key: str) -> Generation | None:
    table = Generation._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table}"  # noqa: S608
            " WHERE membership_id = %s AND submission_key = %s",
            [membership_id, submission_key],
        )
        found = cursor.fetchone()
    return Generation.objects.get(pk=found[0]) if found else None


def _price(now: datetime) -> credit_selectors.PriceInForce:
    # Days of the price list begin at midnight UTC for everybody.
    return credit_selectors.price_in_force(
        item=catalogue.IMAGE.price_item, on=now.astimezone(UTC).date()
    )


def _jobs(generation: Generation, now: datetime) -> list[ProviderJob]:
    return [
        ProviderJob(
            generation=generation,
            variant=variant,
            provider=generation.provider,
            is_sandbox=generation.is_sandbox,
            external_id=f"{generation.pk.hex}-{variant}",
            next_action_at=now,
            deadline_at=now + DEADLINE,
            created_at=now,
        )
        for variant in range(1, generation.num_variants + 1)
    ]
