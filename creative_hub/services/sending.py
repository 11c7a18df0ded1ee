"""Sending jobs to their provider, and finding out what became of one that may have been sent.

The row says that a job is being sent before the call begins. Whoever finds such a row later looks
before sending again: see docs/adr/0009-look-before-you-send.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from assets.errors import RejectedFile
from creative_hub import registry, wording
from creative_hub.line import Lane
from creative_hub.models import Generation, ProviderJob, ProviderSwitch, Status
from creative_hub.providers.base import Adapter, ErrorClass, ProviderError, Recovery
from creative_hub.services import claims, endings, feed, frames, switches
from creative_hub.services.lifecycle import (
    DOUBT_DEADLINE,
    DOUBT_INTERVAL,
    LEASE_MARGIN_S,
    MAX_ATTEMPTS,
    Clock,
    backoff_s,
    order_of,
    park,
    record,
    show_change,
    spread,
)

log = structlog.get_logger(__name__)
State = ProviderJob.State

# How long a job is tried once its turn has come, and the provider is busy or out of order.
SEND_DEADLINE = timedelta(minutes=30)
# Reading a start frame from the store and cutting it, in seconds.
FRAME_LIMIT_S = 60.0
# The longest stated delay we obey before asking again, in seconds.
STATED_WAIT_MAX_S = 300
# Between two looks for a job that may have been sent, and how many prove that it was not.
LOOK_AGAIN = timedelta(seconds=5)
LOOKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sending:
    """One job in the middle of being sent."""

    job: ProviderJob
    came_from: str
    was_due_by: datetime
    adapter: Adapter
    clock: Clock

    @property
    def sent_before_at(self) -> datetime | None:
        """When it was sent by a send whose outcome nobody knows; None when there was none."""
        return None if self.came_from == State.WAITING else self.job.sent_at


def send_next(*, lane: Lane, clock: Clock) -> bool:
    """Take up the next job of a lane. False: nothing is due, or there is no room for it."""
    adapter = registry.adapter(provider=lane.provider, is_sandbox=lane.is_sandbox)
    switch = switches.switch(provider=lane.provider)
    is_closed = switch.mode == ProviderSwitch.Mode.CLOSED
    claim = claims.claim_sending(
        lane,
        room=claims.Room(
            upstream=switches.EVERY_JOB if is_closed else switch.slots,
            sending=settings.SUBMIT_SLOTS,
            sending_in_lane=settings.SUBMIT_SLOTS_PER_LANE,
        ),
        # It may look, cut a start frame and send, all under one lease.
        lease_s=adapter.poll_limit_s + FRAME_LIMIT_S + adapter.submit_limit_s + LEASE_MARGIN_S,
        try_for=SEND_DEADLINE,
        now=clock(),
    )
    if claim is None:
        return False
    sending = _Sending(
        job=claim.job,
        came_from=claim.came_from,
        was_due_by=claim.was_due_by,
        adapter=adapter,
        clock=clock,
    )
    if not _given_up(sending, is_closed=is_closed):
        _take_up(sending, is_closed=is_closed)
    return True


def _take_up(sending: _Sending, *, is_closed: bool) -> None:
    job, adapter, clock = sending.job, sending.adapter, sending.clock
    _mark_processing(job, now=clock())
    sent_at = sending.sent_before_at
    if sent_at is not None and adapter.recovery is not Recovery.REPEAT_ONCE:
        if not _is_certainly_absent(sending, sent_at=sent_at):
            return
        if is_closed:
            endings.fail_job(job, code=wording.SWITCHED_OFF, now=clock())
            return
        if job.attempt >= MAX_ATTEMPTS:
            endings.fail_job(job, code=wording.NO_ANSWER, now=clock())
            return
        # The look was taken back; what follows is a try again.
        job.attempt += 1
        if sending.came_from == State.UNKNOWN:
            # It held no place: it goes through the line like everybody else.
            claims.advance(
                job,
                state=State.WAITING,
                next_action_at=clock(),
                sent_at=None,
                attempt=0,
                waits=0,
                deadline_at=clock() + DOUBT_DEADLINE,
            )
            show_change(job)
            return
    try:
        frame = _frame(job)
    except frames.FrameNotFetched as failure:
        _frame_failed(sending, failure)
        return
    # Committed before the call; and whoever lost the job meanwhile does not send it.
    if not claims.note(job, state=State.SUBMITTING, sent_at=clock(), looks=0):
        return
    try:
        upstream = adapter.submit(order_of(job, frame=frame))
    except ProviderError as error:
        _submit_failed(sending, error)
        return
    record(job, upstream, adapter=adapter, now=clock())
    if not job.is_sandbox:
        switches.works(provider=job.provider)


def _given_up(sending: _Sending, *, is_closed: bool) -> bool:
    """End a job that may not be sent any more, or park one that was lost as often as we allow."""
    job, now = sending.job, sending.clock()
    is_waiting = sending.came_from == State.WAITING
    may_be_there = sending.sent_before_at is not None
    is_repeated = sending.adapter.recovery is Recovery.REPEAT_ONCE
    if is_closed and (is_repeated or not may_be_there):
        endings.fail_job(job, code=wording.SWITCHED_OFF, now=now)
    elif is_waiting and now > sending.was_due_by:
        # Out of its day in line, or out of the half hour that a busy provider is given.
        endings.fail_job(job, code=job.error_code or wording.NOT_STARTED, now=now)
    elif is_repeated and job.attempt > 2:
        endings.fail_job(job, code=str(ErrorClass.AMBIGUOUS), now=now)
    elif job.attempt > MAX_ATTEMPTS and not may_be_there:
        endings.fail_job(job, code=wording.INTERRUPTED, now=now)
    elif job.attempt > 2 * MAX_ATTEMPTS:
        park(job, now=now, why="Our side was interrupted again and again while it was sent.")
    else:
        return False
    return True


def _is_certainly_absent(sending: _Sending, *, sent_at: datetime) -> bool:
    """Look for a job that may be at the provider. True: it is not there and may be sent again.

    False: it was found and written down, or is looked for again later, or is parked.
    """
    job, adapter, now = sending.job, sending.adapter, sending.clock()
    # A look that came back is no doubtful try; those before it stay counted.
    job.attempt -= 1
    try:
        found = adapter.find(order_of(job), sent_at=sent_at.timestamp())
        is_clear = True
    except ProviderError as error:
        if error.error_class is not ErrorClass.AMBIGUOUS:
            _report(job, error, now=now)
            if sending.came_from != State.UNKNOWN and now > job.deadline_at:
                park(job, now=now, why="It may have been sent, and no look came through.")
            else:
                _look_again(sending, now=now, looks=job.looks)
            return False
        found, is_clear = None, False
    if found is not None:
        if record(job, found, adapter=adapter, now=now) and sending.came_from == State.UNKNOWN:
            show_change(job)
        return False
    looks = job.looks + 1
    is_settled = now >= sent_at + timedelta(seconds=adapter.find_settles_s)
    if looks < LOOKS or not is_settled:
        _look_again(sending, now=now, looks=looks)
        return False
    if is_clear and adapter.recovery is Recovery.LOOK_UP:
        return True
    if sending.came_from == State.UNKNOWN:
        _look_again(sending, now=now, looks=looks)
    else:
        park(job, now=now, why="It may have been sent, and looking cannot tell.")
    return False


def _look_again(sending: _Sending, *, now: datetime, looks: int) -> None:
    job = sending.job
    is_unknown = sending.came_from == State.UNKNOWN
    if is_unknown and now > job.deadline_at:
        endings.fail_job(job, code=wording.UNDECIDED, now=now)
        return
    claims.advance(
        job,
        state=sending.came_from,
        next_action_at=now + (DOUBT_INTERVAL if is_unknown else LOOK_AGAIN),
        attempt=job.attempt,
        looks=min(looks, 1000),
    )


def _frame(job: ProviderJob) -> bytes:
    """The job's start frame as it is sent. Raises FrameNotFetched."""
    try:
        return frames.prepared(job.generation)
    except RejectedFile as rejected:
        raise frames.FrameNotFetched(
            wording.FRAME_UNUSABLE, rejected.sentence, is_retryable=False
        ) from rejected
    except OSError as error:
        raise frames.FrameNotFetched(
            wording.NOT_STORED, type(error).__name__, is_retryable=True
        ) from error


def _frame_failed(sending: _Sending, failure: frames.FrameNotFetched) -> None:
    job, now = sending.job, sending.clock()
    if failure.is_retryable:
        waited_for = ProviderError(ErrorClass.TRANSIENT, failure.detail, code=failure.code)
        if _waits(sending, waited_for, now=now):
            return
    endings.fail_job(job, code=failure.code, detail=failure.detail, now=now)


def _submit_failed(sending: _Sending, error: ProviderError) -> None:
    """Wait, look, or fail, as the class of the error says."""
    job, now = sending.job, sending.clock()
    log.info(
        "submit_failed",
        job_id=job.pk,
        generation_id=str(job.generation_id),
        error_class=str(error.error_class),
        code=error.code,
        request_id=error.request_id,
    )
    if error.error_class is ErrorClass.AMBIGUOUS:
        # It stays `submitting`: the next claim knows that the provider may have it.
        claims.advance(
            job,
            state=State.SUBMITTING,
            next_action_at=now + LOOK_AGAIN,
            raw_code=error.code,
            raw_message=error.message,
        )
        return
    if error.is_retryable and _waits(sending, error, now=now):
        return
    _report(job, error, now=now)
    endings.fail_job(job, error=error, now=now)


def _report(job: ProviderJob, error: ProviderError, *, now: datetime) -> None:
    if not job.is_sandbox:
        switches.report(provider=job.provider, error=error, now=now)


def _waits(sending: _Sending, error: ProviderError, *, now: datetime) -> bool:
    """Put a job back into the line after a definite "not now". False: its time is up."""
    job = sending.job
    again = now + timedelta(seconds=_wait_s(job, error))
    if again >= job.deadline_at:
        return False
    claims.advance(
        job,
        state=State.WAITING,
        next_action_at=again,
        sent_at=None,
        # A definite "not now" is no doubtful try; those before it stay counted.
        attempt=max(0, job.attempt - 1),
        waits=job.waits + 1,
        # What it is given up for, should it come to that.
        error_code=str(error.error_class),
    )
    return True


def _wait_s(job: ProviderJob, error: ProviderError) -> float:
    """Seconds to wait: what the provider asked for, within bounds of our own."""
    if error.retry_after_s is None:
        return backoff_s(job.waits)
    # A stated zero must not become a storm, nor a stated day the end of the job.
    return min(max(error.retry_after_s, 1.0), STATED_WAIT_MAX_S) * spread()


@transaction.atomic(durable=True)
def _mark_processing(job: ProviderJob, *, now: datetime) -> None:
    """Show the generation as under way, once, with its first job."""
    queued = Generation.objects.filter(pk=job.generation_id, status=Status.QUEUED)
    generation = queued.select_for_update(no_key=True).first()
    if generation is None:
        return
    generation.status = Status.PROCESSING
    generation.started_at = now
    generation.revision = feed.bump(workspace_id=generation.workspace_id)
    generation.save(update_fields=["status", "started_at", "revision"])
