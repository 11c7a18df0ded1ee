"""The worker's part, turned by hand."""

from __future__ import annotations

from datetime import timedelta

from creative_hub.models import ProviderJob
from creative_hub.services import lifecycle
from tests.factories import NOW


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += timedelta(seconds=seconds)


def turn(clock):
    """One tick and everything it rings for."""
    due = lifecycle.take_due(now=clock())
    for job_id in due.to_submit:
        lifecycle.submit_job(job_id=job_id, clock=clock)
    for provider, is_sandbox in due.to_poll:
        lifecycle.poll_jobs(provider=provider, is_sandbox=is_sandbox, clock=clock)
    for job_id in due.to_fetch:
        lifecycle.fetch_job(job_id=job_id, clock=clock)


def run_to_the_end(generation, clock, turns=20, step_s=1):
    for _ in range(turns):
        turn(clock)
        generation.refresh_from_db()
        if not generation.is_live:
            return
        clock.advance(step_s)
    raise AssertionError(f"still {generation.status} after {turns} turns")


def job_of(generation, variant=1):
    return generation.jobs.get(variant=variant)


def finish(generation):
    """Run its jobs to their end, as a worker would."""
    for job_id in generation.jobs.values_list("pk", flat=True):
        lifecycle.submit_job(job_id=job_id, clock=lambda: NOW)
        ProviderJob.objects.filter(pk=job_id, state="running").update(next_action_at=NOW)
        lifecycle.poll_jobs(provider="seedream_4_0", is_sandbox=True, clock=lambda: NOW)
        lifecycle.fetch_job(job_id=job_id, clock=lambda: NOW)
    generation.refresh_from_db()
    assert generation.status == "completed"
