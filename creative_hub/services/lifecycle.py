"""The worker side of a generation: claim, send, ask, store, finish.

Every step claims its job in a short transaction, does its HTTP with none open, and writes what it
learned in another. Killed anywhere, the lease runs out and the next tick takes the job up where
the row says it stands. See docs/adr/0003-rows-and-doorbells.md.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from creative_hub import registry, wording
from creative_hub.models import Generation, ProviderJob, Status
from creative_hub.providers.base import (
    Adapter,
    ErrorClass,
    Order,
    Poll,
    ProviderError,
    Recovery,
    Upstream,
    UpstreamState,
)
from creative_hub.services import claims, delivery, endings, feed

log = structlog.get_logger(__name__)
State = ProviderJob.State
Clock = Callable[[], datetime]

# A doorbell that nobody answered is rung again after this long, in seconds.
RING_AGAIN_S = 15
# Added to what a call may take at most, so that a lease outlives the call it covers.
LEASE_MARGIN_S = 15
POLL_LEASE_S = 60
# A job whose worker died this often is not tried again: it may be what kills them.
MAX_ATTEMPTS = 3
POLL_BATCH = 200
TICK_BATCH = 200
# Waits when the provider is busy and does not say for how long: 2, 4, 8, … up to 60 seconds.
BACKOFF_MAX_S = 60
# The longest stated delay we obey before asking again, in seconds.
STATED_WAIT_MAX_S = 300
# How long a job may run at the provider, and how long we try to store what it made.
RUN_DEADLINE = timedelta(minutes=30)
FETCH_DEADLINE = timedelta(minutes=30)


@dataclass(slots=True)
class Due:
    """What a tick found to do."""

    to_submit: list[int] = field(default_factory=list)
    to_fetch: list[int] = field(default_factory=list)
    to_poll: set[tuple[str, bool]] = field(default_factory=set)


@transaction.atomic(durable=True)
def take_due(*, now: datetime) -> Due:
    """Find the jobs that are due, and put off their next ring so that doorbells never pile up."""
    all_due = ProviderJob.objects.filter(next_action_at__lte=now)
    # Running jobs are claimed by their poll, all together; here only whom to ask is of interest.
    running = all_due.filter(state=State.RUNNING)
    due = Due(to_poll=set(running.values_list("provider", "is_sandbox").distinct()))
    jobs = (
        all_due.exclude(state=State.RUNNING)
        .select_for_update(no_key=True, skip_locked=True)
        .only("pk", "state")
        .order_by("next_action_at")[:TICK_BATCH]
    )
    for job in jobs:
        (due.to_fetch if job.state == State.FETCHING else due.to_submit).append(job.pk)
    ProviderJob.objects.filter(pk__in=[*due.to_submit, *due.to_fetch]).update(
        next_action_at=now + timedelta(seconds=RING_AGAIN_S)
    )
    return due


def submit_job(*, job_id: int, clock: Clock) -> None:
    """Send one waiting job to its provider, or find out what became of one we may have sent."""
    row = ProviderJob.objects.only("provider", "is_sandbox").get(pk=job_id)
    adapter = registry.adapter(provider=row.provider, is_sandbox=row.is_sandbox)
    claim = claims.claim(
        job_id=job_id,
        states=[State.WAITING, State.SUBMITTING],
        to_state=State.SUBMITTING,
        slots=settings.SUBMIT_SLOTS,
        lease_s=adapter.submit_limit_s + LEASE_MARGIN_S,
        now=clock(),
    )
    if claim is None:
        return
    job = claim.job
    if _given_up(claim, adapter=adapter, now=clock()):
        return
    _mark_processing(job, now=clock())
    order = order_of(job)
    try:
        upstream = None
        if claim.came_from == State.SUBMITTING and adapter.recovery is Recovery.LOOK_UP:
            upstream = adapter.find(order, sent_at=clock().timestamp())
        if upstream is None:
            upstream = adapter.submit(order)
    except ProviderError as error:
        _submit_failed(job, error, adapter=adapter, now=clock())
        return
    _record(job, upstream, adapter=adapter, now=clock())


def poll_jobs(*, provider: str, is_sandbox: bool, clock: Clock) -> None:
    """Ask a provider about all of its due jobs together."""
    adapter = registry.adapter(provider=provider, is_sandbox=is_sandbox)
    claimed = claims.claim_running(
        provider=provider,
        is_sandbox=is_sandbox,
        limit=POLL_BATCH,
        lease_s=POLL_LEASE_S,
        now=clock(),
    )
    jobs = [job for job in claimed if not _given_up_asking(job, now=clock())]
    if not jobs:
        return
    answers = _ask(adapter, jobs)
    for job in jobs:
        answer = answers.get(job.upstream_id)
        if isinstance(answer, Upstream):
            _record(job, answer, adapter=adapter, now=clock())
        elif isinstance(answer, ProviderError) and not answer.is_retryable:
            endings.fail_job(job, error=answer, now=clock())
        else:
            _ask_again(job, adapter=adapter, now=clock())


def fetch_job(*, job_id: int, clock: Clock) -> None:
    """Store one finished result and end its job."""
    claim = claims.claim(
        job_id=job_id,
        states=[State.FETCHING],
        to_state=State.FETCHING,
        slots=settings.FETCH_SLOTS,
        lease_s=delivery.FETCH_LIMIT_S + LEASE_MARGIN_S,
        now=clock(),
    )
    if claim is None:
        return
    job = claim.job
    if job.attempt > MAX_ATTEMPTS:
        endings.fail_job(job, code=wording.INTERRUPTED, now=clock())
        return
    adapter = registry.adapter(provider=job.provider, is_sandbox=job.is_sandbox)
    try:
        asset_id = delivery.deliver(job, adapter=adapter, order=order_of(job), now=clock())
    except delivery.DeliveryFailed as failure:
        again = clock() + timedelta(seconds=_backoff_s(job.waits))
        if failure.is_retryable and again < job.deadline_at:
            # The picture is made and paid for upstream: a store or a line that is down is waited
            # for. Only a worker that died counts as an attempt.
            claims.advance(
                job, state=State.FETCHING, next_action_at=again, attempt=0, waits=job.waits + 1
            )
            log.info("fetch_put_off", job_id=job.pk, code=failure.code, detail=failure.detail)
        else:
            endings.fail_job(job, code=failure.code, detail=failure.detail, now=clock())
        return
    endings.complete_job(job, asset_id=asset_id, now=clock())


def order_of(job: ProviderJob) -> Order:
    """What the adapter is asked to make for this job."""
    generation = job.generation
    return Order(
        external_id=job.external_id,
        prompt=generation.prompt,
        style=generation.style,
        aspect_ratio=generation.aspect_ratio,
        width=generation.width,
        height=generation.height,
        variant=job.variant,
    )


def _given_up(claim: claims.Claim, *, adapter: Adapter, now: datetime) -> bool:
    """Fail a job that waited too long to be sent, or whose sends were lost as often as we allow."""
    job = claim.job
    if claim.came_from == State.WAITING and now > job.deadline_at:
        code = wording.NOT_STARTED
    elif adapter.recovery is Recovery.REPEAT_ONCE and job.attempt > 2:
        code = str(ErrorClass.AMBIGUOUS)
    elif job.attempt > MAX_ATTEMPTS:
        code = wording.INTERRUPTED
    else:
        return False
    endings.fail_job(job, code=code, now=now)
    return True


def _given_up_asking(job: ProviderJob, *, now: datetime) -> bool:
    """Fail a running job past its deadline, or one whose polls keep killing the worker."""
    if job.attempt > MAX_ATTEMPTS:
        endings.fail_job(job, code=wording.INTERRUPTED, now=now)
    elif now > job.deadline_at:
        overdue = ProviderError(ErrorClass.TRANSIENT, "no result before the deadline")
        endings.fail_job(job, error=overdue, now=now)
    else:
        return False
    return True


def _submit_failed(
    job: ProviderJob, error: ProviderError, *, adapter: Adapter, now: datetime
) -> None:
    """Wait, look again, or fail, as the class of the error says."""
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
        claims.advance(job, state=State.SUBMITTING, next_action_at=now + timedelta(seconds=2))
        return
    again = now + timedelta(seconds=_wait_s(job, error))
    if error.is_retryable and again < job.deadline_at:
        # A definite "not now" is no doubtful try; those before it stay counted.
        claims.advance(
            job,
            state=State.WAITING,
            next_action_at=again,
            attempt=job.attempt - 1,
            waits=job.waits + 1,
        )
        return
    endings.fail_job(job, error=error, now=now)


def _wait_s(job: ProviderJob, error: ProviderError) -> float:
    """Seconds to wait: what the provider asked for, within bounds of our own."""
    if error.retry_after_s is None:
        return _backoff_s(job.waits)
    # A stated zero must not become a storm, nor a stated day the end of the job.
    return min(max(error.retry_after_s, 1.0), STATED_WAIT_MAX_S) * _spread()


def _backoff_s(waits: int) -> float:
    return float(min(2 ** min(waits + 1, 10), BACKOFF_MAX_S)) * _spread()


def _spread() -> float:
    """A little more than 1, so that jobs that wait together do not come back together."""
    return random.uniform(1.0, 1.25)  # noqa: S311 - spreads load, keeps no secret


def _record(job: ProviderJob, upstream: Upstream, *, adapter: Adapter, now: datetime) -> None:
    """Write down what the provider said of a job."""
    ids: dict[str, Any] = {
        "upstream_id": upstream.upstream_id or job.upstream_id,
        "request_id": upstream.request_id or job.request_id,
    }
    if upstream.state is UpstreamState.SUCCEEDED:
        claims.advance(
            job,
            state=State.FETCHING,
            next_action_at=now,
            attempt=0,
            waits=0,
            deadline_at=now + FETCH_DEADLINE,
            result_url=upstream.result_url,
            **ids,
        )
        return
    if job.state == State.SUBMITTING:
        # From here it is the provider's time, however long it waited for its turn with us.
        ids["deadline_at"] = now + RUN_DEADLINE
    again = now + timedelta(seconds=adapter.poll_interval_s)
    claims.advance(job, state=State.RUNNING, next_action_at=again, attempt=0, **ids)


def _ask(adapter: Adapter, jobs: Sequence[ProviderJob]) -> dict[str, Upstream | ProviderError]:
    polls = [Poll(upstream_id=job.upstream_id, order=order_of(job)) for job in jobs]
    try:
        return dict(adapter.poll(polls))
    except ProviderError as error:
        # An answer to the question as a whole says nothing of any one job: a key that is being
        # changed must not end what runs. Their deadlines bound it.
        log.warning("poll_failed", error_class=str(error.error_class), code=error.code)
        return {}


def _ask_again(job: ProviderJob, *, adapter: Adapter, now: datetime) -> None:
    again = now + timedelta(seconds=adapter.poll_interval_s)
    claims.advance(job, state=State.RUNNING, next_action_at=again, attempt=0)


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
