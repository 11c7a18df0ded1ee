"""The worker's part, turned by hand."""

from __future__ import annotations

from datetime import timedelta

from creative_hub.line import Lane
from creative_hub.models import ProviderJob
from creative_hub.services import asking, claims, lifecycle, preparing, sending, storing
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
    while preparing.prepare_next(clock=clock):
        pass
    due = lifecycle.due(now=clock())
    for lane, jobs in due.to_send.items():
        for _ in range(jobs):
            sending.send_next(lane=lane, clock=clock)
    for lane in due.to_ask:
        asking.ask_about(lane=lane, clock=clock)
    for _ in range(due.to_store):
        storing.store_next(clock=clock)


def lane_of(generation):
    return Lane(generation.provider, generation.is_sandbox)


def send(generation, clock=lambda: NOW):
    """Send the next job of the generation's lane."""
    return sending.send_next(lane=lane_of(generation), clock=clock)


def claim_to_send(job, *, now=NOW, lease_s=60):
    """Take a job as a worker that is about to send it."""
    room = claims.Room(upstream=100, sending=100, sending_in_lane=100)
    return claims.claim_sending(
        Lane(job.provider, job.is_sandbox),
        room=room,
        lease_s=lease_s,
        try_for=timedelta(minutes=30),
        now=now,
    )


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
    for _ in range(3):
        turn(lambda: generation.created_at)
        ProviderJob.objects.filter(generation=generation, state="running").update(
            next_action_at=generation.created_at
        )
    generation.refresh_from_db()
    assert generation.status == "completed"
