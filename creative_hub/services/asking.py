"""Asking providers how their jobs stand: all due jobs of one provider together."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from creative_hub import registry, selectors, wording
from creative_hub.line import Lane
from creative_hub.models import Generation, ProviderJob
from creative_hub.providers.base import (
    Adapter,
    ErrorClass,
    Poll,
    ProviderError,
    Upstream,
    UpstreamState,
)
from creative_hub.services import claims, endings, switches
from creative_hub.services.lifecycle import (
    DOUBT_INTERVAL,
    LEASE_MARGIN_S,
    MAX_ATTEMPTS,
    Clock,
    order_of,
    park,
    record,
    show_change,
)

log = structlog.get_logger(__name__)
State = ProviderJob.State

# The longest a job goes without a question, in seconds: before it can be ready, and when it is
# long overdue.
EARLY_INTERVAL_S = 10.0
LATE_INTERVAL_S = 30.0
# Ticks come once a second. A question that falls due just after one waits for the next, so they are
# set this much before the full second, and a little less comes along with those that are due.
TICK_SLACK_S = 0.4
# "There is no such job" is not believed of one that was sent this short a time ago, in seconds:
# providers write in one place and read in another.
TOO_YOUNG_TO_BE_GONE_S = 60.0


def ask_about(*, lane: Lane, clock: Clock) -> None:
    """Ask a provider about all of its due jobs together, and write down what it says."""
    adapter = registry.adapter(provider=lane.provider, is_sandbox=lane.is_sandbox)
    claimed = claims.claim_asking(
        lane,
        limit=adapter.poll_batch,
        lease_s=2 * adapter.poll_limit_s + LEASE_MARGIN_S,
        ahead_s=adapter.poll_interval_s / 4,
        now=clock(),
    )
    jobs = [job for job in claimed if not _interrupted_too_often(job, now=clock())]
    if not jobs:
        return
    wanted = [job for job in jobs if adapter.can_cancel and _is_to_be_cancelled(job)]
    # One at a time: each is a call of its own, and the lease covers one beside the question. Drawn
    # by lot, so that one that cannot be cancelled holds up no other.
    for job in random.sample(wanted, min(1, len(wanted))):
        wanted.remove(job)
        if _cancelled_there(job, adapter=adapter, now=clock()):
            jobs.remove(job)
    answers = _ask(adapter, jobs, now=clock())
    now = clock()
    claims.ask_again(
        [
            (job, now if job in wanted else again - timedelta(seconds=TICK_SLACK_S))
            for job in jobs
            if (again := _heard(job, answers.get(job.upstream_id), adapter=adapter, now=now))
        ]
    )


def interval_s(*, age_s: float, usual_s: float, base_s: float) -> float:
    """Seconds until a job is asked about again.

    Rarely while it cannot be ready, every base_s around its usual time, rarely again when it is
    long overdue.
    """
    if age_s < usual_s / 2:
        return max(base_s, min(usual_s / 2 - age_s, EARLY_INTERVAL_S))
    if age_s <= 2 * usual_s:
        return base_s
    return min(base_s * age_s / usual_s, max(LATE_INTERVAL_S, base_s))


def _heard(
    job: ProviderJob, answer: Upstream | ProviderError | None, *, adapter: Adapter, now: datetime
) -> datetime | None:
    """Act on what the provider said of a job; when to ask again, if that is all there is to do."""
    if isinstance(answer, Upstream) and answer.state is UpstreamState.SUCCEEDED:
        record(job, answer, adapter=adapter, now=now)
        return None
    if _is_too_young_to_be_gone(job, answer, now=now):
        answer = None
    if isinstance(answer, ProviderError) and not answer.is_retryable:
        _ended_there(job, answer, now=now)
        return None
    if now > job.deadline_at:
        # Asked once more, and still no end: the money is not given back for what may yet come.
        if job.state == State.UNKNOWN:
            endings.fail_job(job, code=wording.UNDECIDED, now=now)
        else:
            park(job, now=now, why="No result before the deadline.")
        return None
    if job.state == State.UNKNOWN:
        return now + DOUBT_INTERVAL
    if job.is_queued_upstream and isinstance(answer, Upstream):
        _begun(job, answer)
    return now + timedelta(seconds=_interval_of(job, adapter=adapter, now=now))


def _is_too_young_to_be_gone(
    job: ProviderJob, answer: Upstream | ProviderError | None, *, now: datetime
) -> bool:
    is_gone = isinstance(answer, ProviderError) and answer.error_class is ErrorClass.RESULT_EXPIRED
    age_s = (now - (job.sent_at or job.created_at)).total_seconds()
    return is_gone and age_s < TOO_YOUNG_TO_BE_GONE_S


def _interval_of(job: ProviderJob, *, adapter: Adapter, now: datetime) -> float:
    began = job.sent_at or job.created_at
    sort = selectors.sort_of(job.generation)
    return interval_s(
        age_s=(now - began).total_seconds(),
        usual_s=selectors.expected_s(sort),
        base_s=adapter.poll_interval_s,
    )


def _ended_there(job: ProviderJob, error: ProviderError, *, now: datetime) -> None:
    if error.code == "cancelled" and job.generation.cancel_asked_at:
        endings.fail_job(job, code=wording.CANCELLED, now=now)
    else:
        endings.fail_job(job, error=error, now=now)


def _begun(job: ProviderJob, answer: Upstream) -> None:
    """It has left the provider's own line: it cannot be cancelled any more, as its card says."""
    if answer.state is UpstreamState.RUNNING and claims.note(job, is_queued_upstream=False):
        show_change(job)


def _is_to_be_cancelled(job: ProviderJob) -> bool:
    return job.generation.cancel_asked_at is not None and job.is_queued_upstream


def _cancelled_there(job: ProviderJob, *, adapter: Adapter, now: datetime) -> bool:
    """Do what somebody asked for: stop a job that waits at the provider."""
    poll = Poll(upstream_id=job.upstream_id, order=order_of(job))
    try:
        is_cancelled = adapter.cancel(poll)
    except ProviderError as error:
        log.info("cancel_failed", job_id=job.pk, error_class=str(error.error_class))
        return False
    if is_cancelled:
        return endings.fail_job(job, code=wording.CANCELLED, now=now)
    Generation.objects.filter(pk=job.generation_id).update(cancel_asked_at=None)
    if claims.note(job, is_queued_upstream=False):
        show_change(job)
    return False


def _interrupted_too_often(job: ProviderJob, *, now: datetime) -> bool:
    """Park a job whose questions keep killing the worker: the provider still works on it."""
    if job.attempt <= MAX_ATTEMPTS:
        return False
    park(job, now=now, why="Our side was interrupted three times while it was asked about.")
    return True


def _ask(
    adapter: Adapter, jobs: Sequence[ProviderJob], *, now: datetime
) -> Mapping[str, Upstream | ProviderError]:
    polls = [Poll(upstream_id=job.upstream_id, order=order_of(job)) for job in jobs]
    if not polls:
        return {}
    try:
        return adapter.poll(polls)
    except ProviderError as error:
        # An answer to the question as a whole says nothing of any one job: a key that is being
        # changed must not end what runs. Their deadlines bound it.
        log.warning("poll_failed", error_class=str(error.error_class), code=error.code)
        if not jobs[0].is_sandbox:
            switches.report(provider=jobs[0].provider, error=error, now=now)
        return {}
