"""`make bench ARGS="--only in-flight"`: hundreds of clips under way on one worker and one beat.

Kling and Seedance, half and half, served by stand-ins in a process of their own that take
`--render-s` seconds for each clip; every place at the providers is free. First a few clips, from
which the product learns how long they take, then many. All must be delivered and add up. Told are:

- requests per poll round: pages of lists asked for each time a provider is asked, few and many;
  it does not grow. Questions about single tasks: none.
- the worker's CPU, in percent of one core, while every clip is in flight: from the last one sent
  to the first one ready.
- the worker's memory (RSS): before, at its most, and at the end.
- what we add to the provider's time, from the moment a clip is ready there until we know, and
  until it is stored and charged. Many clips that are ready at once are stored one after another,
  which is why that takes longer the more there are.

The bounds are those of a machine of 2 cores for 1,000 clips; PostgreSQL, Redis and the stand-ins
run on the same ones.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.core.cache import cache
from django.db.models import Count, QuerySet
from django.utils import timezone

from bench import people
from bench.stand_ins import Seen, StandIns
from creative_hub.models import Generation, ProviderJob, ProviderSwitch, Status
from creative_hub.services import lifecycle, reconciliation, submission
from creative_hub.services.orders import VideoRequest
from dev.environment import BASE_DIR
from dev.procfile import read_procfile
from workspaces.selectors import Member

SECONDS = {"kling_2_6": 5, "seedance_pro": 4}
SAMPLE_S = 0.25
FEW = 50
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the worker. at: Unix time; cpu_s: seconds of CPU since it began."""

    at: float
    cpu_s: float
    rss_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One lot of clips. *_at: Unix time. noticed_s, stored_s: added to the provider's time."""

    clips: int
    ordered_at: float
    sent_at: float
    ready_at: float
    ended_at: float
    seen: Seen
    noticed_s: list[float]
    stored_s: list[float]


class Watch:
    """Looks at a process a few times a second."""

    def __init__(self, pid: int) -> None:
        self._proc = Path(f"/proc/{pid}")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.samples: list[Sample] = [self._look()]

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def cpu_percent(self, since: float, until: float) -> float:
        """Of one core, between two moments."""
        within = [one for one in self.samples if since <= one.at <= until]
        if len(within) < 2:
            return float("nan")
        took = within[-1].cpu_s - within[0].cpu_s
        return 100 * took / (within[-1].at - within[0].at)

    def rss_mb(self, since: float, until: float) -> float:
        """The most between two moments."""
        return max((one.rss_mb for one in self.samples if since <= one.at <= until), default=0.0)

    def _run(self) -> None:
        while not self._stopping.wait(SAMPLE_S):
            self.samples.append(self._look())

    def _look(self) -> Sample:
        # Behind the name, which may hold anything: field 14 and 15 of proc(5) are utime and stime.
        parts = (self._proc / "stat").read_text().rpartition(")")[2].split()
        status = (self._proc / "status").read_text()
        rss_kb = int(status.partition("VmRSS:")[2].split()[0])
        cpu_s = (int(parts[11]) + int(parts[12])) / _TICKS_PER_S
        return Sample(time.time(), cpu_s, rss_kb / 1024)


def measure(*, stand_ins: StandIns, clips: int, limit_s: float) -> bool:
    """Print the figures. False when the number of requests grew with the clips."""
    ProviderSwitch.objects.filter(pk__in=SECONDS).update(slots=1000)
    member = people.buyer(people.workspace())
    with _process("beat"), _process("worker") as worker, Watch(worker) as watch:
        _wait_until_idle(watch)
        idle_mb = watch.samples[-1].rss_mb
        few = _run(member, stand_ins, clips=min(FEW, clips), limit_s=limit_s)
        # How long clips take is remembered for a minute; now it is known.
        cache.clear()
        many = _run(member, stand_ins, clips=clips, limit_s=limit_s)
        _wait_until_idle(watch)
    if found := reconciliation.findings():
        raise AssertionError(f"{len(found)} figures do not add up, the first: {found[0]}")
    print("\n".join(_told(few, many, watch, idle_mb=idle_mb)))
    return _per_round(many) <= _per_round(few) * 1.1 and not many.seen.singles


def _run(member: Member, stand_ins: StandIns, *, clips: int, limit_s: float) -> Run:
    stand_ins.seen()
    ordered_at = time.time()
    mine = [_order(member, number) for number in range(clips)]
    jobs = ProviderJob.objects.filter(generation__in=mine)
    end = time.monotonic() + limit_s
    while any(state in _states(jobs) for state in ("waiting", "submitting")):
        _sleep_until(end)
    sent_at = time.time()
    while set(_states(jobs)) - {"done", "failed"}:
        _sleep_until(end)
    ended = Generation.objects.filter(pk__in=mine, status=Status.COMPLETED)
    if ended.count() != clips:
        raise AssertionError(f"only {ended.count()} of {clips} were delivered")
    seen = stand_ins.seen()
    ready = {name: begun + stand_ins.render_s for name, begun in seen.begun.items()}
    rows = [
        (name, deadline.timestamp(), completed.timestamp())
        for name, deadline, completed in jobs.values_list(
            "external_id", "deadline_at", "generation__completed_at"
        )
        if completed
    ]
    return Run(
        clips=clips,
        ordered_at=ordered_at,
        sent_at=sent_at,
        ready_at=min(ready[name] for name, _, _ in rows),
        ended_at=max(ended_at for _, _, ended_at in rows),
        seen=seen,
        # The deadline for storing runs from the moment we heard that it is ready.
        noticed_s=[
            deadline - lifecycle.FETCH_DEADLINE.total_seconds() - ready[name]
            for name, deadline, _ in rows
        ],
        stored_s=[ended_at - ready[name] for name, _, ended_at in rows],
    )


def _told(few: Run, many: Run, watch: Watch, *, idle_mb: float) -> list[str]:
    took_s = many.ended_at - many.ready_at
    cpu = watch.cpu_percent(many.sent_at, many.ready_at)
    storing = watch.cpu_percent(many.ready_at, many.ended_at)
    rss = [one.rss_mb for one in watch.samples]
    in_flight_s = many.ready_at - many.sent_at
    noticed, stored = _percentiles(many.noticed_s), _percentiles(many.stored_s)
    return [
        f"clips in flight                        | {many.clips}, sent within"
        f" {many.sent_at - many.ordered_at:.1f} s",
        f"pages per poll round, {few.clips} → {many.clips} clips   | {_per_round(few):.2f} →"
        f" {_per_round(many):.2f}; {many.seen.rounds} rounds, {many.seen.singles} single questions,"
        f" {many.seen.refused} refusals",
        f"worker CPU, all {in_flight_s:.0f} s in flight          | {cpu:.1f} % of a core (≤ 15 %)",
        f"worker CPU, storing {many.clips} in {took_s:.0f} s     | {storing:.1f} % of a core",
        f"worker memory: idle, in flight         | {idle_mb:.0f},"
        f" {watch.rss_mb(many.sent_at, many.ready_at):.0f} MB (≤ 200 MB)",
        f"worker memory: storing, at the end     | {max(rss):.0f}, {rss[-1]:.0f} MB",
        f"added until we know: p50, p99, most    | {noticed} (≤ 1 s, ≤ 2.5 s)",
        f"added until stored: p50, p99, most     | {stored}",
    ]


def _percentiles(seconds: list[float]) -> str:
    p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
    return f"{p50:.2f} s, {p99:.2f} s, {max(seconds):.2f} s"


def _per_round(run: Run) -> float:
    return run.seen.lists / max(1, run.seen.rounds)


def _order(member: Member, number: int) -> uuid.UUID:
    provider = list(SECONDS)[number % len(SECONDS)]
    generation = submission.submit(
        member=member,
        request=VideoRequest(
            prompt="A boat at dawn",
            provider=provider,
            duration=SECONDS[provider],
            aspect_ratio="16:9",
        ),
        submission_key=str(uuid.uuid4()),
        now=timezone.now(),
    )
    return generation.pk


def _states(jobs: QuerySet[ProviderJob]) -> dict[str, int]:
    return dict(jobs.values_list("state").annotate(jobs=Count("pk")))


def _sleep_until(end: float) -> None:
    if time.monotonic() > end:
        raise AssertionError("the clips did not end in time")
    time.sleep(SAMPLE_S)


def _wait_until_idle(watch: Watch) -> None:
    """Until a worker that has started, or ended its work, takes next to no CPU."""
    for _ in range(60):
        began = time.time()
        time.sleep(2)
        if watch.cpu_percent(began, time.time()) < 10:
            return


@contextmanager
def _process(name: str) -> Iterator[int]:
    """A line of the Procfile; gives its process id."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        ["/bin/sh", "-c", read_procfile().processes[name]],
        cwd=BASE_DIR,
        env={**os.environ, "PATH": path, "DJANGO_SETTINGS_MODULE": "wevion.settings"},
    ) as process:
        try:
            yield process.pid
        finally:
            process.terminate()
