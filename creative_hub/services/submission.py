"""The web side of a generation: submit, cancel, take off the page."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction
from django.db.models import QuerySet

from creative_hub import wording
from creative_hub.models import LIVE, Generation, ProviderJob, Status
from creative_hub.services import feed, quoting, switches
from creative_hub.services.orders import OrderRequest
from credits import services as credit_services
from credits.errors import CreditsRefused
from wevion.lib.rows import insert
from workspaces.selectors import Member

__all__ = [
    "CreditsRefused",
    "NotCancellable",
    "ProviderUnavailable",
    "SubmissionInProgress",
    "SubmissionKeyReused",
    "cancel",
    "is_usable_key",
    "set_removed",
    "submit",
]

# How long a job may wait for its turn before it is given up.
DEADLINE = timedelta(hours=24)
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


@transaction.atomic(durable=True)
def submit(
    *,
    member: Member,
    request: OrderRequest,
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
    served = switches.availability(provider=request.provider)
    if not served.is_available:
        raise ProviderUnavailable(served.reason)
    sale = request.sale
    try:
        price = quoting.price(sale.item, now)
    except ObjectDoesNotExist:
        unpriced = switches.without_price(served, provider=request.provider)
        raise ProviderUnavailable(unpriced.reason) from None
    unit_credits = price.credits * sale.quantity
    generation = Generation(
        workspace_id=member.workspace_id,
        membership_id=member.membership_id,
        provider=request.provider,
        is_sandbox=served.is_sandbox,
        **request.columns(),
        price_id=price.id,
        unit_credits=unit_credits,
        credits_estimated=unit_credits * sale.num_variants,
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

    One that waits at a provider which can cancel is stopped by the worker: see cancel_asked_at.
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
    # With an attempt behind it, it waits after a send whose outcome nobody knows; unless what was
    # attempted is to fetch its start frame.
    waiting = generation.jobs.filter(state=ProviderJob.State.WAITING)
    if not generation.is_frame_unfetched:
        waiting = waiting.filter(attempt=0)
    # Conditions on the job's own row alone: those on a joined one are not looked at again when a
    # worker has written the row meanwhile.
    stopped = waiting.update(
        state=ProviderJob.State.FAILED, next_action_at=None, error_code=wording.CANCELLED
    )
    if stopped != generation.num_variants:
        if not stopped and _asked_to_stop(generation, now=now):
            return generation
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


def _asked_to_stop(generation: Generation, *, now: datetime) -> bool:
    """Let the worker ask the provider, which has it in its own line. False: none of it waits."""
    there = generation.jobs.filter(state=ProviderJob.State.RUNNING, is_queued_upstream=True)
    if not there.update(next_action_at=now):
        return False
    generation.cancel_asked_at = now
    generation.revision = feed.bump(workspace_id=generation.workspace_id)
    generation.save(update_fields=["cancel_asked_at", "revision"])
    return True


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
